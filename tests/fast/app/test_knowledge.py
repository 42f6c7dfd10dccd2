"""The knowledge page on an index that a toy teacher wrote about."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.components.teaching import teachers_there, teaching_arguments
from assistant.knowledge.store import KnowledgeStore
from assistant.settings import load_settings
from assistant.workspace import Workspace
from tests.fast.app.pages import captions, labels, markdown, page
from tests.fast.indexes.sources import HashedEncoders
from tests.fast.knowledge.teachers import Taught, WritingTeacher, about


@pytest.fixture
def taught(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Taught:
    monkeypatch.setattr(Workspace, "encoders", HashedEncoders())
    made = Taught(empty_home / "indexes" / "notes")
    (empty_home / "config.toml").write_text('retrieval.index = "notes"\n', encoding="utf-8")
    return made


def test_it_opens_on_an_empty_home(empty_home: Path) -> None:
    assert "There is no index yet" in markdown(page("knowledge"))


def test_without_entries_and_teacher_both_are_offered(taught: Taught) -> None:
    run = page("knowledge")
    assert not run.error
    assert "Nothing is prepared for this index yet" in markdown(run)
    assert labels(run) == ["Fetch the language model (1.1 GB)"]


def test_entries_are_listed_and_filtered(taught: Taught) -> None:
    taught.build(WritingTeacher(about))
    run = page("knowledge")
    assert not run.error
    assert [box.value for box in run.metric] == ["3 of 3", "6", "0", "6"]
    assert "6 entries" in captions(run)
    run.text_input(key="entries-notes-words").set_value("apple trees").run()
    assert not run.exception
    assert "2 entries" in captions(run)
    questions = run.dataframe[0].value["question or statement"].tolist()
    assert questions[0] == "How many apple trees has the garden of the house?"
    run.text_input(key="entries-notes-words").set_value("nothing like it").run()
    assert "0 entries" in captions(run)
    assert not run.dataframe


def test_many_entries_come_in_pages(taught: Taught, monkeypatch: pytest.MonkeyPatch) -> None:
    taught.build(WritingTeacher(about))
    monkeypatch.setattr("app.components.prepared_entries.PAGE", 4)
    monkeypatch.setattr("app.views.knowledge.PAGE", 4, raising=False)
    run = page("knowledge")
    assert not run.exception
    assert KnowledgeStore(taught.folder).counts().entries["generated"] == 6


def test_who_could_teach(empty_home: Path) -> None:
    settings = load_settings(
        {"models.remote_url": "http://localhost:1", "models.remote_model": "m"}, home=empty_home
    )
    there = teachers_there(settings, [])
    assert there == {"remote": "m at http://localhost:1 (passages are sent there)"}
    assert teaching_arguments("notes", "remote", "30m", 2) == [
        *("knowledge", "build", "notes", "--teacher", "remote", "--budget", "30m", "--n", "2")
    ]
