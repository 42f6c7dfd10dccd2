"""The pages themselves, run by Streamlit's own test runner on an empty home without weights."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.server import PARTS
from assistant.pipeline import Assistant
from assistant.settings import Settings, known_keys, load_settings, save_settings
from assistant.workspace import Workspace
from tests.fast.app.pages import MAIN, VIEWS, markdown, page


@pytest.mark.parametrize(
    "name",
    [
        *("chat", "library", "retrieval", "graph", "knowledge", "evaluation", "distillation"),
        *("person", "health", "models", "settings"),
    ],
)
def test_each_page_opens_on_an_empty_home(empty_home: Path, name: str) -> None:
    assert not page(name).error


def test_navigation_opens_the_chat(empty_home: Path) -> None:
    run = AppTest.from_file(str(MAIN), default_timeout=60).run()
    assert not run.exception
    assert run.header[0].value == "Ask your documents"


def test_without_the_language_model_it_is_offered(empty_home: Path) -> None:
    labels = [button.label for button in page("chat").button]
    assert "Fetch the language model (1.1 GB)" in labels


def test_a_starter_question_is_asked(empty_home: Path) -> None:
    run = page("chat")
    button = next(b for b in run.button if b.key == "starter-0")
    button.click().run()
    assert not run.exception
    # there is no index yet: said in words, and the question is kept
    assert "starter" in run.error[0].value
    assert run.chat_message[0].markdown[0].value.startswith("How is PageRank")


def test_a_question_is_answered_with_quotations(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value("Who was the last keeper of the Kerring lighthouse?").run()
    assert not run.exception
    assert "Agnes Thorvald" in markdown(run)
    assert any("Quotations" in caption.value for caption in run.caption)
    assert any(b.label.startswith(r"\[1\] The Lighthouse of Kerring") for b in run.button)
    assert run.query_params["conversation"]


def test_what_is_not_there_is_not_answered(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value("What is the capital of Mongolia?").run()
    assert "Not in your documents" in markdown(run)


def test_a_conversation_is_renamed_and_deleted(notes: Workspace) -> None:
    list(Assistant(notes).ask("Where do sea otters sleep?"))
    (conversation,) = notes.conversations.list()
    run = AppTest.from_file(str(VIEWS / "chat.py"), default_timeout=60)
    run.query_params["conversation"] = conversation.id
    run.run()
    assert "Where do sea otters sleep" in markdown(run)
    run.text_input(key=f"title-{conversation.id}").set_value("Otters")
    next(b for b in run.button if b.label == "Save").click().run()
    assert notes.conversations.list()[0].title == "Otters"
    next(b for b in run.button if b.label == "Delete this conversation").click().run()
    assert not run.exception
    assert notes.conversations.list() == []
    assert "conversation" not in run.query_params
    next(b for b in run.button if b.label == "Undo").click().run()
    assert [c.title for c in notes.conversations.list()] == ["Otters"]


def test_a_conversation_that_is_gone_is_said(empty_home: Path) -> None:
    run = AppTest.from_file(str(VIEWS / "chat.py"), default_timeout=60)
    run.query_params["conversation"] = "nothing"
    run.run()
    assert "does not exist any more" in run.warning[0].value


def test_the_library_lists_what_there_is(notes: Workspace) -> None:
    run = page("library")
    overview, documents, *_ = run.dataframe
    assert overview.value["documents"].tolist() == [3]
    assert "The Lighthouse of Kerring" in documents.value["title"].tolist()


def test_a_wrong_place_is_refused_in_words(notes: Workspace) -> None:
    run = page("library")
    run.text_input[0].set_value("other")
    run.text_area[0].set_value("/no/such/folder")
    next(b for b in run.button if b.label == "Make the index").click().run()
    assert "/no/such/folder" in run.error[0].value.replace("\\", "")
    assert "What to do" in run.error[0].value


def test_work_that_failed_is_said_and_put_away(notes: Workspace) -> None:
    folder = notes.settings.jobs_folder / "abc"
    folder.mkdir(parents=True)
    about = {"title": "index notes", "pid": 2**22, "started": 1.0}
    (folder / "job.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "progress.json").write_text('{"ended": false, "stages": []}', encoding="utf-8")
    (folder / "log.txt").write_text("error: the $disk$ is full\n", encoding="utf-8")
    assert any(r"the \$disk\$ is full" in caption.value for caption in page("chat").caption)
    run = page("library")
    assert r"The \$disk\$ is full\." in markdown(run)
    next(b for b in run.button if b.label == "Put away").click().run()
    assert not folder.exists()


def test_an_index_is_deleted(notes: Workspace) -> None:
    run = page("library")
    next(b for b in run.button if b.label == "Delete the index").click().run()
    assert "is not 'notes'" in run.error[0].value.replace("\\", "")
    assert len(list(notes.indexes())) == 1
    name = next(field for field in run.text_input if field.label.startswith("Type its name"))
    name.set_value("notes")
    next(b for b in run.button if b.label == "Delete the index").click().run()
    assert not run.exception
    assert list(notes.indexes()) == []


def test_settings_are_saved_and_refused(empty_home: Path) -> None:
    run = page("settings")
    run.number_input(key="retrieval.passages").set_value(7)
    retrieval = list(Settings.model_fields).index("retrieval") - 1  # one tab for each section
    [b for b in run.button if b.label == "Save"][retrieval].click().run()
    assert load_settings(home=empty_home).retrieval.passages == 7
    run.number_input(key="retrieval.depth").set_value(0)
    [b for b in run.button if b.label == "Save"][retrieval].click().run()
    assert "greater than or equal to 1" in run.error[0].value
    assert load_settings(home=empty_home).retrieval.depth == 100


def test_saved_settings_are_in_force_at_once(notes: Workspace) -> None:
    home = notes.settings.home
    run = page("graph")
    assert run.selectbox(key="graph-index").value == "notes"
    assert "switched off" not in markdown(run)
    save_settings(home, {"thoughts.graph": "off"})
    assert "switched off" in markdown(run.run())


def test_every_setting_has_a_field(empty_home: Path) -> None:
    run = page("settings")
    kinds = ("text_input", "number_input", "selectbox", "checkbox")
    keys = {widget.key for kind in kinds for widget in run.get(kind)}
    assert keys >= set(known_keys()) - {"home"}


def test_damaged_settings_are_said_in_words(empty_home: Path) -> None:
    empty_home.mkdir()
    (empty_home / "config.toml").write_text("retrieval.dept = 3\n", encoding="utf-8")
    run = page("chat")
    assert "retrieval.depth" in run.error[0].value.replace("\\", "")


def test_what_the_server_imports_beforehand_is_there() -> None:
    for part in PARTS:
        assert find_spec(f"app.components.{part}") is not None
