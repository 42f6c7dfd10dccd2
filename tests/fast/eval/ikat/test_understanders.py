"""The rows of the ablation that can be asked, by what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import ModelMissingError, ModelRuntimeError
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.ikat.understanders import ablation_of


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace without weights; statements, which need the embedder, are no matter here."""
    monkeypatch.setattr(Workspace, "statement_selector", None)
    return Workspace(load_settings(home=tmp_path, environ={}))


def test_without_weights_rules_remain(workspace: Workspace) -> None:
    _, rows = ablation_of(workspace, [], [])
    assert rows == ["raw", "history", "rules"]


def test_a_row_that_is_named_says_what_is_missing(workspace: Workspace) -> None:
    with pytest.raises(ModelMissingError):
        ablation_of(workspace, [], ["rules", "small"])


def test_without_the_runtime_rows_are_left_out_unless_they_are_named(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ModelRuntimeError("the GGUF runtime is not installed", remedy="install it")

    monkeypatch.setattr(workspace.loaded, "rewriting_model", missing)
    _, rows = ablation_of(workspace, [], [])
    assert "rules" in rows and "small" not in rows
    with pytest.raises(ModelRuntimeError):
        ablation_of(workspace, [], ["small"])
