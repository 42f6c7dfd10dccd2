"""Shared fixtures. Weights come from the person's own home folder, everything else is temporary."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    # Each takes its share of the cores, with the processes that its tests start.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

from assistant.errors import KnowledgeAssistantError
from assistant.models.store import ModelStore
from assistant.settings import Settings, default_home, load_settings

MODELS = default_home() / "models"

# No test is timed: a machine that does something else besides is slow, and nothing is wrong.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
if "CI" not in os.environ:  # there Hypothesis takes a profile of its own, untimed as well
    hypothesis.settings.load_profile("untimed")


def weights(name: str) -> Path:
    """The path of installed weights; skips the test, saying what to fetch, if they are absent."""
    try:
        return ModelStore(MODELS).path(name)
    except KnowledgeAssistantError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def _logging_stays_on() -> Iterator[None]:
    """The command line turns logging off for its process, which in a test is that of all tests."""
    before = logging.root.manager.disable
    yield
    logging.disable(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder that uses the installed weights."""
    folder = tmp_path / "home"
    folder.mkdir()
    if MODELS.is_dir():
        (folder / "models").symlink_to(MODELS, target_is_directory=True)
    return folder


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings({"answering.reader": "extractive"}, home=home, environ={})
