"""Names of readers in evaluations, and the systems they make."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.answering.readers import ExtractiveReader
from assistant.distillation.spans.asking import Asked
from assistant.errors import ModelMissingError, UnknownNameError
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.reader_names import reader_setting
from eval.systems import RememberedSpans, make_system, system_names
from tests.fast.assistant.spans import TellingSpans


def test_teacher_and_student_are_settings_by_other_names() -> None:
    names = ["teacher", "student", "auto", "small", "answerer", "remote", "extractive", "x", None]
    assert [reader_setting(name) for name in names] == [
        *("answerer", "small", "auto", "small", "answerer", "remote", "extractive", "x", None)
    ]
    for name in ("teacher", "student"):
        load_settings({"answering.reader": reader_setting(name)}, environ={})  # a known value


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(load_settings(home=tmp_path, environ={}))


def test_systems_by_name(workspace: Workspace) -> None:
    system = make_system(workspace, "extractive+knowledge")
    assert isinstance(system.reader, ExtractiveReader)
    assert (system.name, system.worded) == ("extractive+knowledge", False)
    assert {"teacher", "untrained", "student", "student-words"} < set(system_names())
    with pytest.raises(UnknownNameError, match="student"):
        make_system(workspace, "studnet")


@pytest.mark.parametrize("name", ["teacher", "untrained", "teacher-words"])
def test_missing_weights_are_told(workspace: Workspace, name: str) -> None:
    with pytest.raises(ModelMissingError):
        make_system(workspace, name)


def test_remembered_spans_ask_once() -> None:
    told = TellingSpans({"half a metre": 1.0})
    spans = RememberedSpans(told)
    asked = [Asked("How much?", "Kelp", "Kelp grows half a metre a day.")]
    first = spans.find(asked, n_best=3)
    assert spans.find(list(asked), n_best=3) == first and told.calls == 1
    assert spans.find(asked, n_best=1) == first and told.calls == 2
    other = [Asked("How much?", "Kelp", "Nothing.")]
    assert spans.find(other, n_best=1) == [[]] and told.calls == 3
    assert spans.find(asked, n_best=1) == first and told.calls == 4
