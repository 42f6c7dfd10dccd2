"""Conversations: marks, search, parts of long ones, deletion with a way back, none on the disk."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import UnknownNameError, UsageError
from assistant.memory.conversation_search import folded, snippet, words_of
from assistant.memory.conversations import Conversations

NOW = timedelta(0)


@pytest.fixture
def kept(tmp_path: Path) -> Conversations:
    return Conversations(tmp_path / "conversations.sqlite")


def told(kept: Conversations, *exchanges: tuple[str, str], title: str = "") -> str:
    conversation = kept.start(title)
    for number, (question, answer) in enumerate(exchanges):
        turn = f"{conversation[:8]}-{number:04}"
        kept.begin_turn(conversation, turn, question)
        kept.end_turn(turn, "done", answer, [])
    return conversation


def test_pinned_ones_come_first_and_tags_filter(kept: Conversations) -> None:
    old, new, newest = (told(kept, (f"question {n}", "")) for n in range(3))
    kept.pin(old)
    kept.tag(new, [" tax   2026", "Tax 2026", "house", ""])
    assert [c.id for c in kept.list()] == [old, newest, new]
    assert [(c.id, c.tags) for c in kept.list(tag="tax 2026")] == [(new, ("house", "tax 2026"))]
    assert kept.tags() == ["house", "tax 2026"]
    kept.pin(old, pinned=False)
    kept.tag(new, [])
    assert [c.id for c in kept.list()] == [newest, new, old]
    assert kept.tags() == []
    with pytest.raises(UsageError, match="41 characters"):
        kept.tag(new, ["x" * 41])
    with pytest.raises(UnknownNameError):
        kept.pin("none")


def test_search_finds_questions_answers_and_titles(kept: Conversations) -> None:
    kelp = told(
        kept, ("Where do otters sleep?", "In kelp, in Zürich's zoo."), ("And food?", "Fish")
    )
    other = told(kept, ("What is STRASSE?", "Eine Straße"), title="About kelp forests")
    told(kept, ("Nothing", "to see"))
    assert [(c.id, t.answer) for c, t in kept.search("ZURICH Otter")] == [
        (kelp, "In kelp, in Zürich's zoo.")
    ]
    assert {c.id for c, _ in kept.search("kelp")} == {kelp, other}
    assert [t.question for _, t in kept.search("straße")] == ["What is STRASSE?"]
    assert kept.search("otters food") == []  # not in one turn
    assert kept.search("100%") == kept.search("  ") == []
    kept.tag(kelp, ["zoo"])
    assert [c.id for c, _ in kept.search("kelp", tag="zoo")] == [kelp]
    assert len(kept.search("kelp", 1)) == 1


@given(st.text(max_size=80), st.text(max_size=3), st.text(max_size=80))
def test_a_snippet_marks_what_was_looked_for(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    words = words_of(word)
    cut = snippet(text, words)
    for start, end in cut.spans:
        assert 0 <= start < end <= len(cut.text)
        assert any(folded(cut.text[start:end]).find(w.strip()) >= 0 for w in words)
    if words:
        assert cut.spans


def test_turns_of_an_earlier_version_are_found(tmp_path: Path, kept: Conversations) -> None:
    conversation = told(kept, ("Where do otters sleep?", "In kelp."))
    kept.close()
    with sqlite3.connect(tmp_path / "conversations.sqlite") as old:
        for table in ("searched", "pins", "tags", "set_aside"):
            old.execute(f"DROP TABLE {table}")
        old.execute("DROP INDEX turns_in_order")
    again = Conversations(tmp_path / "conversations.sqlite")
    assert [c.id for c, _ in again.search("kelp")] == [conversation]
    assert [t.answer for t in again.turns(conversation)] == ["In kelp."]


def test_what_is_set_aside_comes_back_as_it_was(kept: Conversations) -> None:
    conversation = told(kept, ("Where do otters sleep?", "In kelp."))
    kept.pin(conversation)
    kept.tag(conversation, ["zoo"])
    before = (kept.list(), kept.turns(conversation), kept.search("kelp"))
    kept.set_aside(conversation)
    assert [*kept.list(), *kept.search("kelp"), *kept.tags()] == []
    assert not kept.exists(conversation)
    for call in (kept.turns, kept.get, kept.pin, kept.set_aside):
        with pytest.raises(UnknownNameError):
            call(conversation)
    with pytest.raises(UnknownNameError):
        kept.turn(f"{conversation[:8]}-0000")
    assert [c.id for c in kept.aside()] == [conversation]
    assert kept.purge() == 0
    kept.put_back(conversation)
    assert (kept.list(), kept.turns(conversation), kept.search("kelp")) == before
    with pytest.raises(UnknownNameError):
        kept.put_back(conversation)


@pytest.mark.parametrize("way", ["at once", "after a while"])
def test_what_is_deleted_is_gone_from_the_disk(tmp_path: Path, way: str) -> None:
    path = tmp_path / "conversations.sqlite"
    kept = Conversations(path)
    # Long and many: pages are filled, split and merged again.
    secret = [("Xylophonequestion " * 9, f"xylophoneanswer{n} " * 40) for n in range(60)]
    gone = told(kept, *secret, title="xylophonetitle")
    kept.tag(gone, ["xylophonetag"])
    stays = told(kept, ("Where do otters sleep?", "In kelp."))
    if way == "at once":
        kept.delete(gone)
    else:
        kept.set_aside(gone)
        assert kept.purge(NOW) == 1
    for file in tmp_path.iterdir():
        assert b"xylophone" not in file.read_bytes().lower(), file.name
    assert [c.id for c in kept.list()] == [stays]
    assert [*kept.aside(), *kept.search("xylophone")] == []


def test_opening_removes_what_was_set_aside_long_ago(tmp_path: Path, kept: Conversations) -> None:
    conversation = told(kept, ("Where?", "xylophone"))
    kept.set_aside(conversation)
    kept.close()
    path = tmp_path / "conversations.sqlite"
    assert [c.id for c in Conversations(path).aside()] == [conversation]
    with sqlite3.connect(path) as file:
        file.execute("UPDATE set_aside SET at = '2020-01-01 00:00:00.000000'")
    file.close()
    assert Conversations(path).aside() == []
    assert b"xylophone" not in path.read_bytes()


def test_a_part_of_a_long_conversation(kept: Conversations) -> None:
    conversation = told(kept, *((f"question {n}", "") for n in range(30)))
    other = told(kept, ("question 3", ""))
    assert kept.count(conversation) == 30
    assert [t.question for t in kept.part(conversation, 8, 11)] == [
        "question 8",
        "question 9",
        "question 10",
    ]
    assert kept.part(conversation, 30, 50) == []
    turns = kept.turns(conversation)
    assert [kept.place(conversation, t.id) for t in turns] == list(range(30))
    assert kept.place(other, turns[0].id) is None


def test_the_last_turns_are_read_by_an_index(tmp_path: Path, kept: Conversations) -> None:
    """Else all events of a long conversation would be read to put its turns in order."""
    told(kept, ("Where?", "there"))
    with sqlite3.connect(tmp_path / "conversations.sqlite") as file:
        plan = file.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM turns WHERE conversation_id = 'x' "
            "ORDER BY created DESC, id DESC LIMIT 20"
        ).fetchall()
    assert "turns_in_order" in str(plan) and "TEMP B-TREE" not in str(plan)


def test_deleting_while_a_turn_runs_loses_nothing_else(kept: Conversations) -> None:
    conversation = kept.start()
    kept.begin_turn(conversation, "t1", "Where?")
    kept.set_aside(conversation)
    kept.end_turn("t1", "done", "there", [])
    kept.put_back(conversation)
    assert [t.answer for t in kept.turns(conversation)] == ["there"]
    kept.delete(conversation)
    kept.end_turn("t1", "done", "too late", [])
    assert kept.search("late") == []
