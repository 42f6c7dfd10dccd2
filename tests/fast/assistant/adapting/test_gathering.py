"""A language model writes the questions that are missing, apart from what is searched."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from assistant.adapting.gathering import (
    ENOUGH,
    FEWEST,
    gather,
    read_questions,
    stored_questions,
    teacher_of,
)
from assistant.adapting.judging import Asked
from assistant.adapting.work import WorkFolder
from assistant.errors import ModelMissingError, UnknownNameError
from assistant.knowledge.store import KnowledgeStore
from assistant.workspace import Workspace
from indexes.progress import Progress
from tests.fast.assistant.helpers import hashed_workspace
from tests.fast.knowledge.teachers import WritingTeacher, pair

_SYLLABLES = ["bar", "len", "mok", "tis", "rud", "fen", "gol", "sap", "wix", "yer", "don", "hul"]


def _name(number: int) -> str:
    first, second = divmod(number, len(_SYLLABLES))
    return (_SYLLABLES[first] + _SYLLABLES[second]).title()


TEXTS = {
    f"d{n}": f"{_name(n)} bought the {_name(n + 1)} of {_name((7 * n) % 140)} from a {_name((5 * n) % 143)} "
    f"in the year {1850 + n}, which nobody in the town had expected."
    for n in range(140)
}  # fmt: skip


def _write(prompt: str, times: int) -> dict[str, Any]:
    found = re.findall(r"(\w+) bought the (\w+) of (\w+) from a (\w+) in the year (\d+)", prompt)
    who, what, of, source, _ = found[-1]
    question = f"Who bought the {what} of {of} from a {source}?"
    return {"pairs": [pair(question, who)], "statements": []}


@pytest.fixture
def notes(tmp_path: Path) -> Workspace:
    return hashed_workspace(tmp_path / "home", TEXTS)


def test_the_teacher_writes_apart_and_goes_on_where_it_stopped(notes: Workspace) -> None:
    index = notes.index("notes")
    work = WorkFolder(index.folder)
    model = WritingTeacher(_write)
    asked = Asked(seconds=600.0, teacher="answerer")

    class StopError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.done >= 20:
            raise StopError

    with pytest.raises(StopError):
        gather(notes, index, asked, work, lambda wanted: (model, "toy"), stop)
    written = len(KnowledgeStore(work.taught).states())
    assert 20 <= written < 140
    told = gather(notes, index, asked, work, lambda wanted: (model, "toy"), lambda progress: None)
    assert model.calls <= 140 + 4  # what was under way when it stopped is asked for again
    assert told["teacher"] == "toy"
    assert all(set(counts) == {"model"} for counts in told["counts"].values())
    assert told["notes"] == []
    # what is searched is as it was
    assert not KnowledgeStore(index.folder).exists
    assert notes.prepared("notes") is None

    sides = read_questions(work)
    assert all(len(sides[side]) >= least for side, least in FEWEST.items())
    for one in sides["train"]:
        passage = index.store.passage(one.passage_id)
        assert passage is not None and one.answers[0] in passage.text
    # asked again, nothing is written anew
    calls = model.calls
    again = gather(notes, index, asked, work, lambda wanted: (model, "toy"), lambda progress: None)
    assert again == told and model.calls == calls


def test_a_slow_teacher_goes_on_until_its_questions_tell_something(
    notes: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = notes.index("notes")
    work = WorkFolder(index.folder)
    clock = itertools.count(step=10.0)  # its share is over after three passages
    monkeypatch.setattr("assistant.adapting.gathering.monotonic", lambda: next(clock))
    model = WritingTeacher(_write)
    asked = Asked(seconds=100.0, teacher="answerer")
    told = gather(notes, index, asked, work, lambda wanted: (model, "toy"), lambda progress: None)
    assert told["notes"] == []  # no sentences were needed
    assert ENOUGH <= stored_questions(index, work) <= ENOUGH + 4  # but it did not go on for more


def test_without_a_model_sentences_stand_for_questions_and_that_is_said(tmp_path: Path) -> None:
    texts = {
        uri: f"{text} {text.upper()} It was {text[:40].lower()}." for uri, text in TEXTS.items()
    }
    workspace = hashed_workspace(tmp_path, texts)
    index = workspace.index("notes")
    asked = Asked(seconds=600.0)
    told = gather(workspace, index, asked, WorkFolder(index.folder), _nobody, lambda progress: None)
    assert told["teacher"] is None
    assert all(set(counts) == {"cloze"} for counts in told["counts"].values())
    assert "tells little about what people ask" in told["notes"][0]


def test_who_teaches(notes: Workspace) -> None:
    assert teacher_of(notes, "none") is None
    assert teacher_of(notes, "auto") is None  # no weights in this home
    assert teacher_of(notes, "remote") == "remote"
    with pytest.raises(ModelMissingError):
        teacher_of(notes, "smollm2-135m")
    with pytest.raises(UnknownNameError):
        teacher_of(notes, "smollm")


def _nobody(wanted: str) -> Any:
    raise AssertionError(wanted)
