"""What families of `benchmarks.distilling` learn from: shipped models, and answerable questions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from assistant.distillation.exported import load_exported
from assistant.distillation.recipe_file import read_recipe
from assistant.distillation.run import finished_run
from assistant.distillation.run_folder import RunFolder
from assistant.models.shipped import READER_SPAN, shipped
from assistant.models.store import ModelStore
from assistant.settings import default_home


def write_reader(target: Path) -> None:
    """The shipped small reader as a folder of transformers, unless it is there.

    Raises:
        ModelMissingError: MiniLM, which it builds on, is not installed.
    """
    if not target.is_dir():
        write_whole(shipped(READER_SPAN), installed("minilm"), target)


def installed(name: str) -> Path:
    """The file or folder of a model of the catalogue.

    Raises:
        ModelMissingError: it is not installed.
    """
    return ModelStore(default_home() / "models").path(name)


def write_whole(export: Path, base: Path, target: Path) -> None:
    """What a run exported, over the folder of its base, as a folder of transformers."""
    model, words, _ = load_exported(export, base=base)
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    words.save_pretrained(partial)
    partial.rename(target)


def write_answerable(file: Path, target: Path) -> None:
    """The lines of a file of questions that can be answered from their passage."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    kept = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows if row["answerable"])
    target.write_text("".join(kept), encoding="utf-8")


def run_of(recipe: Mapping[str, Any], root: Path) -> RunFolder:
    """The finished run of a recipe as plain data."""
    return finished_run(read_recipe(yaml.safe_dump(dict(recipe)), Path.cwd()), root)


def write_peer(recipe: Mapping[str, Any], target: Path) -> None:
    """A second mentor: what a run of the recipe exports, unless it is there."""
    if target.is_dir():
        return
    root = target.with_name(target.name + ".run")
    run = run_of(recipe, root)
    (run.path / "export").rename(target)
    shutil.rmtree(root)
