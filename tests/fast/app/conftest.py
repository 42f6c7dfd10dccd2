"""Homes without weights: search is by words, answers are quotations."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import ModelMissingError
from assistant.settings import load_settings
from assistant.workspace import Workspace
from indexes.corpora import open_source
from tests.browser.documents import write_documents


@pytest.fixture(autouse=True)
def _nothing_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of all tests keeps its garbage collector, and needs no collection for each home."""
    monkeypatch.setattr("app.components.context.set_aside_after", lambda loading: loading)


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that is not there yet."""
    home = tmp_path / "home"
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    monkeypatch.setattr("sys.argv", ["streamlit"])
    return home


@pytest.fixture
def notes(empty_home: Path, tmp_path: Path) -> Workspace:
    """An index of the small folder, without encoders."""
    empty_home.mkdir()
    (empty_home / "config.toml").write_text('retrieval.index = "notes"\n', encoding="utf-8")
    write_documents(tmp_path / "documents")
    workspace = Workspace(load_settings(home=empty_home))
    with pytest.raises(ModelMissingError):  # words are searchable before encoding begins
        workspace.writer("notes").build([open_source(str(tmp_path / "documents"))])
    return workspace
