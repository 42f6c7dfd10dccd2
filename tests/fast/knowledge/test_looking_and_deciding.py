"""Pages of a store's entries, and decisions that what is searched follows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import UnknownNameError, UsageError
from assistant.knowledge.deciding import correct, decide
from assistant.knowledge.following import searchable_entries
from assistant.knowledge.looking import Wanted, look
from assistant.knowledge.store import KnowledgeStore
from assistant.workspace import Workspace
from tests.fast.knowledge.teachers import Taught, WritingTeacher, about


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Taught:
    made = Taught(tmp_path_factory.mktemp("taught") / "notes")
    made.build(WritingTeacher(about))
    return made


def workspace_of(taught: Taught) -> Workspace:
    made: Any = SimpleNamespace(index=lambda name: taught.index, encoders=taught.encoders)
    return cast(Workspace, made)


@given(
    st.builds(
        Wanted,
        st.sampled_from([None, "generated", "approved"]),
        st.sampled_from([None, "qa", "statement"]),
        st.sampled_from(["", "toy", "other"]),
        st.sampled_from(["", "the", "APPLE  trees", "100%", "_", "\\", "'"]),
    ),
    st.integers(1, 4),
)
def test_pages_together_are_what_was_asked_for(taught: Taught, wanted: Wanted, limit: int) -> None:
    store = KnowledgeStore(taught.folder)
    words = " ".join(wanted.words.split()).casefold()
    expected = [
        entry
        for entry in store.entries(wanted.tier)
        if wanted.kind in (None, entry.kind)
        and wanted.teacher in ("", entry.teacher)
        and words in f"{entry.question} {entry.answer} {entry.text}".casefold()
    ]
    pages = [look(store.path, wanted, offset=at, limit=limit) for at in range(0, 8, limit)]
    assert [entry for page in pages for entry in page.entries] == expected
    assert {page.total for page in pages} == {len(expected)}


def test_without_a_store_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        look(tmp_path / "knowledge.sqlite", Wanted())


def test_several_are_decided_at_once(tmp_path: Path) -> None:
    taught = Taught(tmp_path / "notes")
    taught.build(WritingTeacher(about))
    workspace, store = workspace_of(taught), KnowledgeStore(taught.folder)
    first, second, third, *_ = [entry.id for entry in store.entries()]
    assert searchable_entries(taught.folder) == 6
    decide(workspace, "notes", [first, second], "reject")
    assert searchable_entries(taught.folder) == 4
    decide(workspace, "notes", [first, second], "approve")
    assert {store.entry(one).tier for one in (first, second)} == {"approved"}
    gone = decide(workspace, "notes", [third], "delete")
    assert gone[0].id == third
    assert searchable_entries(taught.folder) == 5
    with pytest.raises(UnknownNameError):
        decide(workspace, "notes", [second, "nothing"], "reject")
    assert store.entry(second).tier == "rejected"
    assert searchable_entries(taught.folder) == 4  # what was decided before it counts
    assert store.published
    fixed = correct(workspace, "notes", first, "the first of May")
    assert (fixed.tier, fixed.teacher) == ("approved", "person")
    with pytest.raises(UsageError):
        correct(workspace, "notes", first, " ")
