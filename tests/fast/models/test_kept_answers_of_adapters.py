"""Answers that are kept by prompt belong to one adapter; every model of a workspace keeps them."""

from __future__ import annotations

import os
from pathlib import Path

from assistant.models.answer_cache import AnswerCache
from assistant.models.gguf import GGUFChat
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.ikat.ablation import possible_rows
from eval.ikat.conversations import ClosedTurn


def _key(adapter: Path) -> str:
    model = GGUFChat(model_path="model.gguf", adapter_path=str(adapter), n_ctx=64)
    return str(model._identifying_params)


def test_the_key_follows_what_an_adapter_holds(tmp_path: Path) -> None:
    adapter = tmp_path / "adapter.gguf"
    adapter.write_bytes(b"one")
    first = _key(adapter)
    os.utime(adapter, (1, 1))
    assert _key(adapter) == first
    adapter.write_bytes(b"two")
    assert _key(adapter) != first


def test_a_workspace_and_its_models_have_one_cache(tmp_path: Path) -> None:
    workspace = Workspace(load_settings(home=tmp_path, environ={}))
    assert workspace.answer_cache is None and workspace.loaded.cache is None
    cache = AnswerCache(tmp_path / "answers.sqlite")
    workspace.answer_cache = cache
    assert workspace.loaded.cache is cache
    assert workspace.for_person(tmp_path / "anna").answer_cache is cache
    cache.close()


def test_rows_that_need_the_small_model_are_left_out_without_it() -> None:
    turns: list[ClosedTurn] = []
    without = possible_rows(turns, model=False, vector=True)
    assert "small" not in without and "small+vector" not in without and "rules+vector" in without
    given = possible_rows(turns, model=False, small=True)
    assert "small" in given and "small+vector" not in given
