"""What is kept of speeds, who could play which role, and which indexes are of other encoders."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assistant.errors import UsageError
from assistant.models.roles import roles, stale_indexes
from assistant.models.speed import FILE, Speed, keep_speed, measurable, role_of, speeds
from assistant.models.store import ModelStatus, ModelStore
from assistant.settings import load_settings
from tests.fast.assistant.helpers import hashed_workspace

SPEED = Speed("minilm", "embedder", "2026-11-27T20:00:00+00:00", 2, 1.5, 80.0)


def status(name: str, role: str, state: str = "installed") -> ModelStatus:
    return ModelStatus(name, role, name, "", state, 1, Path(name))  # type: ignore[arg-type]


def test_the_latest_speed_of_each_is_kept(tmp_path: Path) -> None:
    assert speeds(tmp_path) == {}
    keep_speed(tmp_path, SPEED)
    later = Speed("minilm", "embedder", "2026-11-28T20:00:00+00:00", 2, 1.5, 90.0)
    other = Speed("qwen", "answerer", "x", 2, 9.0, None, 2.0, 400, 7.5)
    keep_speed(tmp_path, later)
    keep_speed(tmp_path, other)
    assert speeds(tmp_path) == {"minilm": later, "qwen": other}
    (tmp_path / FILE).write_text('[{"name"', encoding="utf-8")
    assert speeds(tmp_path) == {}


def test_what_can_be_measured(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert measurable(store) == []
    assert role_of(store, "minilm-3") == "embedder"
    assert role_of(store, "splade-tiny") == "sparse"
    with pytest.raises(UsageError):
        role_of(store, "nothing")


def test_who_could_play_which_role(tmp_path: Path) -> None:
    settings = load_settings({"models.answerer": "mine"}, home=tmp_path, environ={})
    bare = {role.setting: role.choices for role in roles(settings, [])}
    assert bare["models.embedder"] == ("minilm",)  # what is in force, though it is missing
    assert bare["retrieval.reranker"] == ("off",)
    assert bare["answering.reader"] == ("auto", "extractive")
    models = [
        status("minilm", "embedder"),
        status("other", "embedder", "missing"),
        status("qwen2.5-1.5b", "answerer"),
    ]
    found = {role.setting: role for role in roles(settings, models)}
    assert found["models.embedder"].choices == ("minilm", "minilm-3")
    assert found["models.answerer"].choices == ("mine", "qwen2.5-1.5b")
    assert found["answering.reader"].choices == ("auto", "answerer", "small", "extractive")
    assert found["models.embedder"].encodes
    assert not found["models.answerer"].encodes
    for role in found.values():
        section, _, name = role.setting.partition(".")
        assert role.now == getattr(getattr(settings, section), name)


def test_indexes_of_other_encoders_are_found(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path / "home", {"a": "Otters sleep.", "b": "Kelp grows."})
    assert stale_indexes(workspace) == []
    encoders: Any = vars(workspace)["encoders"]
    dense, sparse = encoders.dense(), encoders.sparse()
    other = SimpleNamespace(fingerprint="another")
    vars(workspace)["encoders"] = SimpleNamespace(dense=lambda: other, sparse=lambda: sparse)
    (found,) = stale_indexes(workspace)
    assert (found.name, found.passages, found.stages) == ("notes", 2, ("dense",))
    assert dense.fingerprint != "another"
