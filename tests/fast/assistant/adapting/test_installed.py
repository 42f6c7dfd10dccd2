"""The record of what is adapted: installed, undone to the byte, tidied."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.adapting.installed import RECORD, AdaptedPart, Installed, InstalledStore
from assistant.errors import StorageError, UsageError


def part(name: str) -> AdaptedPart:
    return AdaptedPart(name, f"of {name}", "2026-11-28T00:00:00+00:00", 0.5, 20, {"held": [1, 2]})


@given(changes=st.lists(st.sampled_from("abc"), min_size=1, max_size=6))
def test_undoing_gives_back_every_record_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, changes: list[str]
) -> None:
    store = InstalledStore(tmp_path_factory.mktemp("home") / "notes")
    records: list[bytes] = []
    for name in changes:
        file = store.folder / RECORD
        records.append(file.read_bytes() if file.exists() else b"")
        store.install(Installed(reranker=part(f"reranker-{name}")))
    while records:
        back = store.undo()
        wanted = records.pop()
        file = store.folder / RECORD
        assert (file.read_bytes() if file.exists() else b"") == wanted
        assert back == store.read()
    assert store.read() == Installed() and store.steps == 0
    store.tidy()
    assert not store.folder.exists()


def test_two_parts_of_one_adaptation_are_one_step(tmp_path: Path) -> None:
    store = InstalledStore(tmp_path)
    store.install(Installed(embedder=part("embedder-a")))
    store.install(Installed(part("embedder-a"), part("reranker-b")), step=False)
    assert store.read() == Installed(part("embedder-a"), part("reranker-b")) and store.steps == 1
    assert store.undo() == Installed()


def test_only_weights_that_nobody_names_go(tmp_path: Path) -> None:
    store = InstalledStore(tmp_path)
    for name in ("reranker-a", "reranker-b", "reranker-c"):
        (store.folder / name).mkdir(parents=True)
    store.install(Installed(reranker=part("reranker-a")))
    store.install(Installed(reranker=part("reranker-b")))
    store.tidy()
    assert {path.name for path in store.folder.glob("reranker-*")} == {"reranker-a", "reranker-b"}
    store.undo()
    store.tidy()
    assert {path.name for path in store.folder.glob("reranker-*")} == {"reranker-a"}


def test_a_damaged_record_is_told_and_can_be_undone(tmp_path: Path) -> None:
    store = InstalledStore(tmp_path / "notes")
    with pytest.raises(UsageError, match="nothing to undo"):
        store.undo()
    store.install(Installed(reranker=part("reranker-a")))
    (store.folder / RECORD).write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match="distill adapt notes --undo"):
        store.read()
    assert store.undo() == Installed() == store.read()
