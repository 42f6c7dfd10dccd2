"""What the person told: the view of it, and what the chat does with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.components.text import plain
from assistant.events import QueriesWritten, StatementsChosen
from assistant.memory.conversations import Turn
from assistant.models.encoders import LoadedEncoders
from assistant.settings import load_settings
from assistant.workspace import Workspace
from indexes.encoders import FloatArray
from tests.fast.app.pages import captions, click, labels, markdown, page

NASTY = "I like <b>peanuts</b> for $5 or $6, *salted*, [here](https://example.org)"
EMPTY = "Nothing enters by itself"
KEEPER = "Who was the last keeper of the Kerring lighthouse?"


@pytest.fixture
def opened(empty_home: Path) -> Workspace:
    return Workspace(load_settings(home=empty_home))


def texts(workspace: Workspace) -> list[str]:
    return [statement.text for statement in workspace.person.statements()]


def turns(workspace: Workspace) -> Sequence[Turn]:
    (conversation,) = workspace.conversations.list()
    return workspace.conversations.turns(conversation.id)


def test_the_empty_view_says_what_it_is_for(empty_home: Path) -> None:
    run = page("person")
    assert EMPTY in markdown(run)
    assert "Forget all of it" not in labels(run)


def test_a_statement_is_added_shown_as_text_and_forgotten(opened: Workspace) -> None:
    run = page("person")
    run.text_input(key="statement").set_value(f"  {NASTY} ")
    click(run, "Remember")
    assert texts(opened) == [NASTY]
    assert plain(NASTY) in [element.value for element in run.markdown]
    assert NASTY not in markdown(run)
    assert EMPTY not in markdown(run)
    click(run, "Forget")
    assert texts(opened) == []
    assert EMPTY in markdown(run)


def test_an_empty_statement_is_refused_in_words(opened: Workspace) -> None:
    run = page("person")
    run.text_input(key="statement").set_value(" ")
    click(run, "Remember")
    assert "nothing to remember" in run.error[0].value
    assert texts(opened) == []


def test_everything_is_forgotten_only_when_confirmed(opened: Workspace) -> None:
    opened.person.add("I live in Lyon.")
    opened.person.add("I have a cat.")
    run = page("person")
    assert "2 statements." in captions(run)
    assert texts(opened) == ["I live in Lyon.", "I have a cat."]
    click(run, "forget-all")
    assert texts(opened) == []


def test_remembering_by_a_command_is_a_plain_reply(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value("Remember that I pay $5 or $6 for <b>peanuts</b>.").run()
    assert not run.exception
    assert texts(notes) == ["I pay $5 or $6 for <b>peanuts</b>"]
    reply = run.chat_message[1]
    assert [element.value for element in reply.markdown] == [
        plain("I will remember: “I pay $5 or $6 for <b>peanuts</b>”")
    ]
    for kind in ("status", "expander", "button", "caption"):
        assert not reply.get(kind), kind


def test_a_statement_is_remembered_only_by_the_button(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value(NASTY).run()
    assert not run.exception
    assert texts(notes) == []
    click(run, "Remember this")
    assert texts(notes) == [NASTY]
    assert "Remember this" not in labels(run)
    assert "Remembered" in captions(run)


def test_a_statement_too_long_to_keep_is_said(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value(f"I like {'very ' * 100}much sugar.").run()
    click(run, "Remember this")
    assert "characters" in run.error[0].value
    assert texts(notes) == []


def test_a_question_has_no_such_button(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value(KEEPER).run()
    assert "Ask again so" in labels(run)
    assert "Remember this" not in labels(run)


def test_a_question_is_asked_again_as_it_is_meant(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value("Tell me about keeping $5 and $6.").run()
    assert "Agnes Thorvald" not in markdown(run)
    (field,) = run.text_area
    assert field.value == "Tell me about keeping $5 and $6."
    field.set_value(KEEPER)
    click(run, "Ask again so")
    assert "Agnes Thorvald" in markdown(run)
    first, second = turns(notes)
    assert first.question == second.question
    written = next(event for event in second.events if isinstance(event, QueriesWritten))
    assert (written.standalone, written.way) == (KEEPER, "person")
    assert [field.value for field in run.text_area] == [KEEPER]  # of the last turn only


def test_an_empty_field_asks_nothing(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value(KEEPER).run()
    run.text_area[0].set_value(" ")
    click(run, "Ask again so")
    assert "field is empty" in run.warning[0].value
    assert len(turns(notes)) == 1


class Letters:
    """Encodes a text as how often each of its letters occurs: statements can be compared."""

    fingerprint, dimension = "letters", 26

    def encode(self, texts: Sequence[str]) -> FloatArray:
        rows = [[text.lower().count(chr(97 + k)) + 0.01 for k in range(26)] for text in texts]
        vectors = np.asarray(rows, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(LoadedEncoders, "dense", lambda self: Letters())
    yield


def chosen(turn: Turn) -> StatementsChosen:
    return next(event for event in turn.events if isinstance(event, StatementsChosen))


def test_statements_used_are_shown_and_switched_off(notes: Workspace, near: None) -> None:
    notes.person.add("I keep a <b>lighthouse</b> for $5 or $6.")
    run = page("chat")
    run.chat_input[0].set_value(KEEPER).run()
    assert not run.exception
    shown = plain("What you told me: “I keep a <b>lighthouse</b> for $5 or $6.”")
    assert shown in captions(run)
    (box,) = run.checkbox
    assert (box.label, box.value) == (plain("I keep a <b>lighthouse</b> for $5 or $6."), True)
    box.uncheck()
    click(run, "Ask again so")
    first, second = turns(notes)
    assert len(chosen(first).statements) == 1
    assert chosen(second).statements == ()
    assert shown not in captions(run)  # the second answer stands in place of the first
    run.button_group(key=f"version-2-{second.id}").set_value(first.id).run()
    assert shown in captions(run)
    run.button_group(key=f"version-2-{first.id}").set_value(second.id).run()
    # it can be switched on again
    (box,) = run.checkbox
    assert box.value is False
    box.check()
    click(run, "Ask again so")
    assert len(chosen(turns(notes)[2]).statements) == 1
