# Two commands: `make app` opens the assistant, `make test` runs every check.
# Each one is enough on a fresh clone; run again, each starts at once.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 8501

.DEFAULT_GOAL := help
.PHONY: help app test fast integration browser lint lock weights answerer chromium clean

help:                     ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or later"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV) || { echo "could not make $(VENV): install the package python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	@# torch first and exactly, so that nothing that comes later replaces it by another build
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

weights: $(STAMP)         ## fetch and verify the small weights (about 225 MB)
	@$(BIN)/assistant models fetch embedder sparse parser tiny-answerer

answerer: $(STAMP)        ## fetch the language model that writes answers (1.1 GB)
	@$(BIN)/assistant models fetch answerer

app: weights              ## open the page
	@$(BIN)/assistant app --port $(PORT)

chromium:
	@scripts/ensure-chromium

# A file of tests stays in one process, in the order of the folders: the slow ones begin.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: weights chromium lint   ## everything: style, types, fast, integration and browser tests
	@$(BIN)/python -m pytest $(PARALLEL)

lint: $(STAMP)            ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fast: $(STAMP)            ## unit tests without weights
	@$(BIN)/python -m pytest tests/fast

lock:                     ## write requirements.lock anew from pyproject.toml, in a fresh environment
	@scripts/lock

clean:                    ## remove the environment (not your documents, indexes or weights)
	rm -rf $(VENV)
