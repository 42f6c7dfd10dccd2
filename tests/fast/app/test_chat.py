"""The chat's turn, run by Streamlit's own test runner without weights."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.components.reader_choice import available_readers, kind_of
from app.components.typed import read_typed
from assistant.events import TurnStopped
from assistant.memory.conversations import Turn
from assistant.models.store import ModelStatus
from assistant.options import TurnOptions
from assistant.pipeline import Assistant
from assistant.settings import load_settings
from assistant.workspace import Workspace
from tests.fast.app.pages import captions, click, markdown, page

KEEPER = "Who was the last keeper of the Kerring lighthouse?"
OTTERS = "How do sea otters sleep?"


def installed(*names: str) -> list[ModelStatus]:
    fields = ModelStatus.__dataclass_fields__
    return [
        ModelStatus(
            **{f: name if f == "name" else "installed" if f == "state" else None for f in fields}
        )  # type: ignore[arg-type]
        for name in names
    ]


def test_only_readers_that_are_there_can_be_chosen(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, environ={})
    assert available_readers(settings, []) == ["auto", "extractive"]
    models = installed("minilm", "qwen2.5-1.5b")
    assert available_readers(settings, models) == ["auto", "answerer", "small", "extractive"]
    assert kind_of(None, settings, models) == "answerer"
    assert kind_of("auto", settings, installed("minilm")) == "small"
    assert kind_of("extractive", settings, models) == "extractive"
    remote = load_settings({"models.remote_url": "http://localhost"}, home=tmp_path, environ={})
    assert "remote" in available_readers(remote, [])


def test_without_a_language_model_there_is_no_length_and_it_says_why(notes: Workspace) -> None:
    run = page("chat")
    names = [box.label for box in run.selectbox]
    assert "Reader" in names
    assert not {"Length", "Language", "Reliance on the model"} & set(names)
    assert "Length and language can be chosen where a language model answers" in captions(run)


def test_an_option_reaches_the_turn_and_is_shown(notes: Workspace) -> None:
    run = page("chat")
    run.selectbox(key="option-reader").set_value("extractive").run()
    run.chat_input[0].set_value(KEEPER).run()
    assert not run.exception
    assert "Chosen for this question: reader extractive" in captions(run).replace("\\", "")


def test_retry_makes_a_version_and_commands_choose(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value("/effort off").run()
    assert run.selectbox(key="chosen-effort-False").value == "off"
    run.chat_input[0].set_value(KEEPER).run()
    run.chat_input[0].set_value("/retry").run()
    assert not run.exception
    (conversation,) = notes.conversations.list()
    (place,) = notes.versions.places(notes.conversations.turns(conversation.id))
    assert len(place.versions) == 2
    assert place.turn.events[0].options == TurnOptions(effort="off")  # type: ignore[union-attr]
    click(run, f"beside-{place.turn.id}")
    said = captions(run).replace("\\", "")
    titles = [line for line in said.splitlines() if line.startswith("Answer ")]
    assert [title.partition(" · ")[0] for title in titles] == [
        "Answer 1",
        "Answer 2, the one that counts",
    ]
    assert all("reader: Quotations" in title for title in titles)
    assert markdown(run).count("Agnes Thorvald") >= 3  # on the page and twice in the dialog
    run.chat_input[0].set_value("/effort deep").run()
    assert "needs a language model" in run.warning[0].value
    run.chat_input[0].set_value("/index nots").run()
    assert "notes" in run.error[0].value
    run.chat_input[0].set_value("/remember I keep bees.").run()
    assert [s.text for s in notes.person.statements()] == ["I keep bees."]
    run.chat_input[0].set_value("/new").run()
    assert "conversation" not in run.query_params
    run.chat_input[0].set_value("/retry").run()
    assert "no answer" in run.warning[0].value


def test_what_is_typed_is_a_question_files_or_a_command() -> None:
    assert read_typed(None).text == ""
    assert read_typed(" Why? ").text == "Why?"
    command = read_typed("/new").command
    assert command is not None and command.name == "new"
    refused = read_typed("/nwe")
    assert refused.refused is not None and not refused.text


def test_a_deleted_conversation_takes_its_files_along(notes: Workspace) -> None:
    conversation = notes.conversations.start("rent")
    notes.attachments.add(conversation, [("rent.md", b"The rent is 870 euros.")])
    run = page("chat")
    run.query_params["conversation"] = conversation
    run.run()
    assert "1 passage, found in this conversation only" in captions(run)
    click(run, "Delete this conversation")
    assert notes.attachments.list(conversation)  # it can still be brought back
    notes.conversations.purge(timedelta(0))
    assert notes.attachments.list(conversation) == []


def test_stopping_quotations_keeps_what_was_written(notes: Workspace) -> None:
    events = Assistant(notes).ask(f"{OTTERS} What do they wrap themselves in?")
    conversation = ""
    for event in events:
        conversation = getattr(event, "conversation_id", conversation)
        if type(event).__name__ == "Token":
            break
    events.close()  # type: ignore[attr-defined]
    (turn,) = notes.conversations.turns(conversation)
    assert isinstance(turn, Turn)
    assert turn.state == "stopped"
    assert isinstance(turn.events[-1], TurnStopped)
    assert "kelp" in turn.answer
    run = page("chat")
    run.query_params["conversation"] = conversation
    run.run()
    assert "Stopped" in captions(run)
    assert turn.answer.split(".")[0] in markdown(run).replace("\\", "")


def test_options_are_as_set_where_nothing_was_chosen(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value(KEEPER).run()
    (conversation,) = notes.conversations.list()
    (turn,) = notes.conversations.turns(conversation.id)
    assert turn.events[0].options == TurnOptions()  # type: ignore[union-attr]


@pytest.mark.parametrize("rating", ["up", "down"])
def test_a_judgement_is_shown_again(notes: Workspace, rating: str) -> None:
    (started, *_) = Assistant(notes).ask(KEEPER)
    notes.feedback.give(started.turn_id, rating, "so it is")  # type: ignore[union-attr,arg-type]
    run = page("chat")
    run.query_params["conversation"] = started.conversation_id  # type: ignore[union-attr]
    run.run()
    assert not run.exception
    assert run.text_area(key=f"reason-text-{started.turn_id}-{rating}").value == "so it is"  # type: ignore[union-attr]
