"""Filling the store: what is kept, what fails, what a kill leaves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from langchain_core.outputs import ChatResult

from assistant.errors import ModelRuntimeError
from assistant.knowledge.building import BuildOptions, KnowledgeBuilder
from assistant.knowledge.store import KnowledgeStore
from assistant.knowledge.teacher import Teacher
from tests.fast.knowledge.teachers import GOOD, TEXTS, Taught, WritingTeacher, about, pair


@pytest.fixture
def taught(tmp_path: Path) -> Taught:
    return Taught(tmp_path / "notes")


def _texts(taught: Taught) -> set[str]:
    return {entry.text for entry in KnowledgeStore(taught.folder).entries()}


def test_every_passage_gets_its_entries_with_provenance(taught: Taught) -> None:
    report = taught.build(WritingTeacher(about))
    assert (report.passages, report.entries, report.given_up) == (3, 6, 0)
    store, passages = KnowledgeStore(taught.folder), taught.index.store
    for entry in store.entries():
        passage = passages.passage(entry.passage_id)
        assert passage is not None and passage.document_id == entry.document_id
        name = passage.uri
        assert entry.text in (GOOD[name][0], GOOD[name][2])
        assert entry.likelihood == pytest.approx(-0.1)
        assert (entry.teacher, entry.tier) == ("toy", "generated")
    assert taught.build(WritingTeacher(about)).passages == 0  # nothing is left to do


def test_a_stopped_build_goes_on_where_it_stopped(taught: Taught) -> None:
    assert taught.build(WritingTeacher(about), passages=1).passages == 1
    before = _texts(taught)
    second = WritingTeacher(about)
    report = taught.build(second)
    assert (report.passages, second.calls) == (2, 2)
    assert before < _texts(taught)


def test_what_was_written_before_a_crash_is_kept(taught: Taught) -> None:
    def crash(prompt: str, times: int) -> Any:
        if "garden" in prompt:
            time.sleep(0.2)  # the others are done by then
            return KeyboardInterrupt()
        return about(prompt)

    with pytest.raises(KeyboardInterrupt):
        taught.build(WritingTeacher(crash), slots=1)
    kept = _texts(taught)
    done = [s for s in KnowledgeStore(taught.folder).states().values() if s.state == "done"]
    assert len(kept) == 2 * len(done)
    model = WritingTeacher(about)
    taught.build(model)
    assert model.calls == 3 - len(done)
    assert len(_texts(taught)) == 6


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("", "empty output"),
        ('{"pairs": [], "statements": []}', "empty output"),
        ("I'm sorry, I cannot help with that.", "refused"),
        ('{"pairs": [{"quest', "no JSON"),
        ("[1, 2]", "not in the form asked for"),
    ],
)
def test_a_passage_that_fails_is_asked_once_more_then_left(
    taught: Taught, output: str, reason: str
) -> None:
    model = WritingTeacher(lambda prompt, times: output if "boiler" in prompt else about(prompt))
    report = taught.build(model)
    assert (report.passages, report.given_up) == (2, 1)
    assert report.failed == {reason: 2}
    assert KnowledgeStore(taught.folder).counts().failed == {reason: 1}
    again = WritingTeacher(about)
    assert taught.build(again).passages == 0 and again.calls == 0
    another = WritingTeacher(about)  # another teacher may try
    assert taught.build(another, name="other").passages == 1 and another.calls == 1


def test_a_slow_machine_is_not_held_against_a_passage(taught: Taught) -> None:
    model = WritingTeacher(about)
    index = taught.index
    teacher = Teacher(model, "toy", questions=1, statements=1, seconds=-1.0)
    builder = KnowledgeBuilder(
        taught.folder, index.store, teacher, None, BuildOptions(samples=1, slots=1)
    )
    report = builder.run(iter([0, 1]))
    assert report.failed == {"took too long": 2}
    assert KnowledgeStore(taught.folder).states() == {}


def test_the_second_try_can_help(taught: Taught) -> None:
    model = WritingTeacher(lambda prompt, times: about(prompt) if times else "")
    report = taught.build(model)
    assert (report.passages, report.given_up) == (3, 0)
    assert report.failed == {"empty output": 3}


def test_a_teacher_that_runs_away_is_counted(taught: Taught) -> None:
    report = taught.build(WritingTeacher(about, finish="length"))
    assert (report.passages, report.given_up) == (0, 3)
    assert report.failed == {"ran away": 6}
    assert not (taught.folder / "knowledge" / "manifest.json").exists()


def test_identical_output_for_different_passages_is_refused(taught: Taught) -> None:
    same = about("lease")
    report = taught.build(WritingTeacher(lambda prompt, times: same))
    assert report.passages <= 1
    assert report.failed["identical output"] >= 2
    assert all(entry.passage_id for entry in KnowledgeStore(taught.folder).entries())


def test_a_teacher_that_is_gone_stops_the_build_and_blames_no_passage(tmp_path: Path) -> None:
    texts: dict[str, str | None] = {f"d{i}": f"Text number {i} " * 8 for i in range(12)}
    taught = Taught(tmp_path / "notes", texts)
    model = WritingTeacher(lambda prompt, times: ConnectionError("no route"))
    with pytest.raises(ModelRuntimeError, match=r"failed \d times in a row.*no route"):
        taught.build(model)
    assert model.calls < 12
    assert KnowledgeStore(taught.folder).states() == {}


def test_an_endpoint_that_refuses_to_tell_log_probabilities_can_teach(taught: Taught) -> None:
    class Refusing(WritingTeacher):
        def _generate(self, messages: Any, *args: Any, **options: Any) -> ChatResult:
            if "logprobs" in options:
                raise ValueError("400: unknown option logprobs")
            made = super()._generate(messages, *args, **options)
            made.generations[0].message.response_metadata = {"finish_reason": "stop"}
            return made

    model = Refusing(about)
    assert taught.build(model, slots=1).entries == 6
    assert model.calls == 3
    assert all(entry.likelihood is None for entry in KnowledgeStore(taught.folder).entries())


def test_the_best_of_several_samples_is_kept(taught: Taught) -> None:
    def write(prompt: str, times: int) -> Any:
        if times == 0:  # an answer and a statement that are not in the passage
            return {
                "pairs": [pair(f"Who painted it? {prompt[9:60]}", "Pablo Picasso")],
                "statements": ["The lease of the flat costs money for Peter Panther Tiger."],
            }
        return about(prompt)

    report = taught.build(WritingTeacher(write), samples=2)
    assert {GOOD[name][0] for name in GOOD} <= _texts(taught)
    assert report.dropped["not in the passage"] == 6


def test_the_time_is_kept(taught: Taught) -> None:
    model = WritingTeacher(about)
    report = taught.build(model, seconds=0.0)
    assert (model.calls, report.stopped) == (0, "the time was used up")


def test_a_passage_too_short_to_ask_about_is_not_asked_about(tmp_path: Path) -> None:
    taught = Taught(tmp_path / "notes", {"a": "Yes.", "lease": TEXTS["lease"]})
    model = WritingTeacher(about)
    report = taught.build(model)
    assert model.calls == 1
    assert report.failed == {"too short to ask about": 1}
