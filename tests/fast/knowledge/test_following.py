"""Entries go with their passage, and what a person decides stays decided."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from assistant.errors import UnknownNameError, UsageError
from assistant.knowledge.following import adopt_store, publish_entries, searchable_entries
from assistant.knowledge.store import KnowledgeStore
from tests.fast.knowledge.teachers import GOOD, Taught, WritingTeacher, about


@pytest.fixture
def taught(tmp_path: Path) -> Taught:
    made = Taught(tmp_path / "notes")
    made.build(WritingTeacher(about))
    return made


def _on_disk(folder: Path, *texts: str) -> list[Path]:
    wanted = [text.encode() for text in texts]
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and any(text in path.read_bytes() for text in wanted)
    ]


def test_entries_leave_with_their_document_and_leave_nothing_on_the_disk(taught: Taught) -> None:
    question, answer, statement = GOOD["boiler"]
    assert _on_disk(taught.folder, question, statement, answer)
    result = taught.writer.delete_documents(["boiler"])
    assert result.notes == ("2 prepared questions and statements left with their passages",)
    assert _on_disk(taught.folder, question, statement, answer) == []
    assert searchable_entries(taught.folder) == 4
    store = KnowledgeStore(taught.folder)
    assert {entry.passage_id for entry in store.entries()} <= {
        passage.id for passage in taught.index.store.passages()
    }
    assert len(store.states()) == 2


def test_a_changed_passage_is_taught_anew_and_others_stay(taught: Taught) -> None:
    taught.source.texts["boiler"] = "The boiler was replaced in 2024 by a heat pump of Warm & Co."
    taught.writer.build([taught.source])
    store = KnowledgeStore(taught.folder)
    assert len(store.entries()) == 4
    model = WritingTeacher(
        lambda prompt, times: {
            "pairs": [{"question": "What replaced the boiler in 2024?", "answer": "a heat pump"}],
            "statements": ["The boiler was replaced in 2024 by a heat pump."],
        }
    )
    assert taught.build(model).passages == 1
    assert model.calls == 1
    assert len(store.entries()) == 6


def test_a_passage_that_moves_keeps_its_entries(taught: Taught) -> None:
    before = {entry.id for entry in KnowledgeStore(taught.folder).entries()}
    text = taught.source.texts.pop("lease")
    # The title is part of what is indexed, so the file keeps its name and moves by its uri only.
    taught.source.texts["lease"] = text
    taught.source.texts["another"] = "Something else entirely, long enough to be a passage."
    taught.writer.build([taught.source])
    store = KnowledgeStore(taught.folder)
    assert {entry.id for entry in store.entries()} == before
    for entry in store.entries():
        assert taught.index.store.passage(entry.passage_id) is not None


def test_what_a_killed_process_left_searchable_goes_at_the_next_change(taught: Taught) -> None:
    store = KnowledgeStore(taught.folder)
    victim = next(entry for entry in store.entries() if entry.text == GOOD["garden"][0])
    store.delete(victim.id)  # killed here: not published
    assert not store.published and searchable_entries(taught.folder) == 6
    taught.writer.build([taught.source])
    assert store.published and searchable_entries(taught.folder) == 5
    assert _on_disk(taught.folder, victim.text) == []


def test_what_a_person_deleted_does_not_come_back(taught: Taught) -> None:
    store = KnowledgeStore(taught.folder)
    victim = next(entry for entry in store.entries() if entry.text == GOOD["garden"][0])
    store.delete(victim.id[:6])
    publish_entries(taught.folder, taught.encoders)
    assert _on_disk(taught.folder, victim.text) == []
    assert taught.build(WritingTeacher(about)).passages == 0
    # Even where the passage is worked on again: by another teacher, in another spelling.
    with sqlite3.connect(store.path) as db:
        db.execute("DELETE FROM passages WHERE id = ?", (victim.passage_id,))
        db.execute("DELETE FROM entries WHERE passage = ?", (victim.passage_key,))

    def shout(prompt: str, times: int) -> dict[str, object]:
        made = about(prompt)
        made["pairs"][0]["question"] = made["pairs"][0]["question"].upper()
        return made

    report = taught.build(WritingTeacher(shout), name="other")
    assert report.dropped["deleted by a person"] == 1
    assert victim.text.casefold() not in {e.text.casefold() for e in store.entries()}


def test_rejected_entries_are_not_searched_and_block_their_like(taught: Taught) -> None:
    store = KnowledgeStore(taught.folder)
    entry = store.entries()[0]
    assert store.set_tier(entry.id, "rejected").tier == "rejected"
    assert publish_entries(taught.folder, taught.encoders) == 5
    assert [e.id for e in store.entries("rejected")] == [entry.id]
    store.set_tier(entry.id, "approved")
    assert publish_entries(taught.folder, taught.encoders) == 6


def test_a_correction_is_the_persons(taught: Taught) -> None:
    store = KnowledgeStore(taught.folder)
    pair = next(entry for entry in store.entries() if entry.kind == "qa")
    fixed = store.correct(pair.id, "  1 April\n2027 ")
    assert (fixed.id, fixed.answer, fixed.tier) == (pair.id, "1 April 2027", "approved")
    assert (fixed.teacher, fixed.likelihood) == ("person", None)
    stated = next(entry for entry in store.entries() if entry.kind == "statement")
    other = store.correct(stated.id, "Something else is true.")
    assert other.id != stated.id and other.text == "Something else is true."
    publish_entries(taught.folder, taught.encoders)
    assert _on_disk(taught.folder, stated.text) == []
    with pytest.raises(UsageError, match="empty"):
        store.correct(pair.id, "  ")


def test_unknown_entries_are_named(taught: Taught) -> None:
    with pytest.raises(UnknownNameError):
        KnowledgeStore(taught.folder).entry("zzz")
    with pytest.raises(UnknownNameError):
        KnowledgeStore(taught.folder).entry("*")


def test_an_index_without_a_store_gets_none(tmp_path: Path) -> None:
    taught = Taught(tmp_path / "notes")
    assert not KnowledgeStore(taught.folder).exists
    assert not (taught.folder / "knowledge").exists()
    with pytest.raises(UsageError, match="no knowledge store"):
        KnowledgeStore(taught.folder).entries()


def test_a_file_that_was_only_begun_is_no_store_yet(tmp_path: Path) -> None:
    taught = Taught(tmp_path / "notes")
    store = KnowledgeStore(taught.folder)
    store.path.touch()  # killed before the tables were there
    with pytest.raises(UsageError, match="no knowledge store"):
        store.entries()
    assert taught.writer.build([taught.source]).notes == ()
    assert taught.build(WritingTeacher(about)).entries == 6


def test_with_the_last_document_the_last_entry_goes(taught: Taught) -> None:
    taught.writer.delete_documents(["boiler", "garden", "lease"])
    assert KnowledgeStore(taught.folder).entries() == []
    assert searchable_entries(taught.folder) == 0
    assert _on_disk(taught.folder, *(text for good in GOOD.values() for text in good)) == []


def test_a_store_can_be_taken_over_by_an_index_of_the_same_texts(
    taught: Taught, tmp_path: Path
) -> None:
    texts = {name: text for name, text in taught.source.texts.items() if name != "garden"}
    other = Taught(tmp_path / "copy", {**texts, "more": "A text that nobody has written about."})
    count = adopt_store(
        other.folder, other.index.manifest, KnowledgeStore(taught.folder).path, other.encoders
    )
    assert count == 4
    assert searchable_entries(other.folder) == 4
    assert _on_disk(other.folder, GOOD["garden"][0]) == []
