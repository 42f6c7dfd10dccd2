"""The conversations at the left of the chat, and long ones in it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.components.earlier import AT_ONCE, Span, grown, last_span, span_around
from app.components.text import plain
from assistant.memory.archive import archived
from assistant.memory.conversations import Conversations
from assistant.workspace import Workspace
from tests.fast.app.pages import VIEWS, captions, click, labels, page


def told(kept: Conversations, *exchanges: tuple[str, str]) -> str:
    conversation = kept.start()
    for number, (question, answer) in enumerate(exchanges):
        turn = f"{conversation[:8]}-{number:04}"
        kept.begin_turn(conversation, turn, question)
        kept.end_turn(turn, "done", answer, [])
    return conversation


def chat(conversation: str = "") -> AppTest:
    run = AppTest.from_file(str(VIEWS / "chat.py"), default_timeout=60)
    if conversation:
        run.query_params["conversation"] = conversation
    run.run()
    assert not run.exception
    return run


def questions(run: AppTest) -> list[str]:
    return [m.markdown[0].value for m in run.chat_message if m.name == "user"]


def opened(run: AppTest) -> list[str]:
    return [b.label for b in run.button if str(b.key).startswith("open-")]


def test_a_new_home_offers_only_import(notes: Workspace) -> None:
    run = page("chat")
    assert "Import" in labels(run)
    assert not [t for t in run.text_input if t.label == "Search conversations"]


def test_a_conversation_is_pinned_and_tagged(notes: Workspace) -> None:
    kept = notes.conversations
    first, _ = told(kept, ("First?", "")), told(kept, ("Second?", ""))
    run = chat(first)
    assert opened(run) == [plain("Second?"), plain("First?")]
    click(run, f"pin-{first}")
    assert opened(run) == [plain("First?"), plain("Second?")]
    assert {"Pinned", "Others"} <= {c.value for c in run.caption}
    kept.tag(first, ["house & <b>garden</b>"])
    run = chat(first)
    (tags,) = run.multiselect
    tags.set_value(["house & <b>garden</b>", "tax"])
    click(run, "Save")
    assert kept.get(first).tags == ("house & <b>garden</b>", "tax")
    run = chat()
    run.pills[0].set_value("tax").run()
    assert opened(run) == [plain("First?")]
    click(chat(first), f"pin-{first}")
    assert not kept.get(first).pinned


def test_a_tag_that_is_too_long_is_refused_and_nothing_changes(notes: Workspace) -> None:
    conversation = told(notes.conversations, ("First?", ""))
    notes.conversations.tag(conversation, ["tax"])
    run = chat(conversation)
    run.multiselect[0].set_value(["x" * 41])
    run.text_input(key=f"title-{conversation}").set_value("New")
    click(run, "Save")
    assert "41 characters" in run.error[0].value
    now = notes.conversations.get(conversation)
    assert (now.title, now.tags) == ("First?", ("tax",))


def test_search_shows_where_it_is_said_and_opens_there(notes: Workspace) -> None:
    kept = notes.conversations
    long = told(kept, *((f"question {n}", "$5 or <b>6</b>" if n == 3 else "-") for n in range(60)))
    told(kept, ("Another?", "no"))
    run = chat()
    run.text_input(key="search-conversations").set_value("<B>6").run()
    (found,) = [b for b in run.button if str(b.key).startswith("found-")]
    assert found.key == f"found-{long}"
    (told_,) = [c.value for c in run.caption if "question 3" in c.value]
    assert ":yellow-background[" in told_ and "<b>" not in told_
    found.click().run()
    assert run.query_params["conversation"] == long
    assert questions(run)[2] == "question 3" and len(questions(run)) == AT_ONCE
    run.text_input(key="search-conversations").set_value("zeppelin").run()
    assert "Nothing has “zeppelin”" in captions(run)


def test_a_long_conversation_opens_with_its_end(notes: Workspace) -> None:
    conversation = told(notes.conversations, *((f"question {n}", "-") for n in range(45)))
    run = chat(conversation)
    assert questions(run) == [f"question {n}" for n in range(25, 45)]
    assert "Show earlier questions (25)" in labels(run)
    click(run, "show-earlier")
    assert questions(run)[0] == "question 5"
    click(run, "show-earlier")
    assert questions(run) == [f"question {n}" for n in range(45)]
    assert not [label for label in labels(run) if label.startswith("Show ")]


def test_asking_in_the_middle_of_a_long_one_goes_to_its_end(notes: Workspace) -> None:
    conversation = told(notes.conversations, *((f"question {n}", "-") for n in range(60)))
    run = chat()
    run.text_input(key="search-conversations").set_value("question 3").run()
    click(run, f"found-{conversation}")
    run.text_input(key="search-conversations").set_value("").run()
    run.chat_input[0].set_value("Where do sea otters sleep?").run()
    assert not run.exception
    assert questions(run)[-1] == plain("Where do sea otters sleep?")


@given(st.integers(0, 5000), st.integers(0, 5000), st.lists(st.booleans(), max_size=12))
def test_a_span_stays_inside_and_reaches_all(total: int, place: int, steps: list[bool]) -> None:
    span = span_around(min(place, total), total) if total else last_span(total)
    for earlier in steps:
        before = span
        span = grown(span, total, earlier=earlier)
        assert span.start <= before.start
    stop = total if span.stop is None else span.stop
    assert 0 <= span.start <= max(0, total - 1) or total == 0
    assert stop <= total
    if total:
        assert span.start <= min(place, total - 1) < max(stop, span.start + 1)
    assert last_span(total) == Span(max(0, total - AT_ONCE))


def test_what_was_deleted_can_be_removed_at_once(notes: Workspace) -> None:
    kept = notes.conversations
    gone = told(kept, ("First?", "xylophone"))
    run = chat(gone)
    click(run, f"delete-{gone}")
    assert "Deleted" in captions(run)
    click(run, f"remove-{gone}")
    assert kept.aside() == []
    assert "Deleted" not in captions(run)


def test_an_undo_that_comes_too_late_is_said(notes: Workspace) -> None:
    kept = notes.conversations
    gone = told(kept, ("First?", ""))
    run = chat(gone)
    click(run, f"delete-{gone}")
    kept.purge(timedelta(0))
    click(run, f"undo-{gone}")
    assert "unknown deleted conversation" in run.error[0].value.casefold()


def test_the_exported_file_is_offered(notes: Workspace) -> None:
    conversation = told(notes.conversations, ("First?", ""))
    run = chat(conversation)
    offered = [b.label for b in run.get("download_button")]
    assert {"Export all conversations", "Export this conversation"} <= set(offered)
    assert json.loads(archived(notes.conversations))["conversations"][0]["id"] == conversation


@pytest.mark.parametrize("count", [29, 31])
def test_many_conversations_are_listed_in_parts(notes: Workspace, count: int) -> None:
    for number in range(count):
        told(notes.conversations, (f"question {number}", ""))
    run = chat()
    assert len(opened(run)) == min(count, 30)
    if count > 30:
        click(run, "more-conversations")
        assert len(opened(run)) == count
