"""The person's own questions: kept, judged, run again, compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import StorageError, UnknownNameError, UsageError
from assistant.events import (
    AnswerDone,
    Citation,
    Event,
    PassagesFound,
    SentenceChecked,
    TurnFailed,
)
from eval.own.changes import changes, settings_changed, since
from eval.own.expectations import Expectation, Judged, Place, fingerprint, judge
from eval.own.running import run_own, settings_mark, settings_that_matter
from eval.own.store import FILE, OwnQuestions
from tests.fast.assistant.helpers import hashed_workspace, passages

QUOTE = "Sea otters sleep on their backs."
OTTERS = Place("/notes/1.md", "Otters", quote=QUOTE)
TEXTS = {
    "otters": "Sea otters sleep on their backs in kelp beds near the coast.",
    "lamp": "The lamp of the lighthouse was lit for the last time in 1974 by Agnes.",
}


def answer(*, abstained: bool = False, text: str = QUOTE) -> list[Event]:
    citation = Citation(1, "p1", 100, 132, QUOTE, 1.0, True)
    sentence = SentenceChecked(0, text, "supported", 1.0, (citation,))
    done = AnswerDone(f"{text} [1]", (sentence,), "small", False, abstained, "", ())
    return [PassagesFound(passages(), ("lexical",), (), 0.0), done]


def judged(passed: bool, text: str = "x") -> Judged:
    return Judged(passed, (), text, (), "small", False, 0.1)


def test_an_answer_that_is_as_expected_passes() -> None:
    expected = Expectation((OTTERS,), ("on their  BACKS",))
    found = judge(expected, answer(), 0.5)
    assert found.passed
    assert found.sources == ("Otters",)
    assert [check.what for check in found.checks] == [
        f"cites Otters, “{QUOTE}”",
        "contains “on their  BACKS”",
    ]


@pytest.mark.parametrize(
    "expected",
    [
        Expectation((Place("/notes/2.md"),)),
        Expectation((Place("/notes/1.md", page=3),)),
        Expectation((Place("/notes/1.md", quote="It was farmed in Japan."),)),
        Expectation(contains=("kelp",)),
        Expectation(not_there=True),
    ],
)
def test_an_answer_that_is_otherwise_fails(expected: Expectation) -> None:
    assert not judge(expected, answer(), 0.5).passed


def test_what_is_not_there_has_to_be_said() -> None:
    assert judge(Expectation(not_there=True), answer(abstained=True), 0.5).passed
    # What is quoted while abstaining is no answer.
    assert not judge(Expectation(contains=("otters",)), answer(abstained=True), 0.5).passed
    failed: list[Event] = [TurnFailed("the disk is full", "")]
    found = judge(Expectation(not_there=True), failed, 0.5)
    assert (found.passed, found.error) == (False, "the disk is full")


@pytest.mark.parametrize(
    "wrong",
    [
        Expectation(),
        Expectation(contains=("  ",)),
        Expectation(contains=("x",), not_there=True),
        Expectation(contains=tuple(map(str, range(21)))),
        Expectation(contains=("x" * 2_001,)),
    ],
)
def test_what_cannot_be_expected_is_refused(wrong: Expectation, tmp_path: Path) -> None:
    kept = OwnQuestions(tmp_path)
    with pytest.raises(UsageError):
        kept.add("Where?", "notes", wrong)
    assert kept.questions() == []


_TEXT = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip()))
_PLACES = st.builds(Place, _TEXT, st.text(max_size=9), st.none() | st.integers(1, 9), st.text())


@given(st.builds(Expectation, st.lists(_PLACES, max_size=3).map(tuple), st.tuples(_TEXT)))
def test_an_expectation_is_read_back_as_it_was(expected: Expectation) -> None:
    assert Expectation.from_json(expected.to_json()) == expected
    tidied = expected.checked()
    assert tidied.checked() == tidied
    assert fingerprint("q", tidied) == fingerprint("q", Expectation.from_json(tidied.to_json()))


def test_questions_are_changed_and_deleted_with_their_results(tmp_path: Path) -> None:
    kept = OwnQuestions(tmp_path)
    first = kept.add(" Where? ", "notes", Expectation(contains=("kelp",)), turn="t1")
    second = kept.add("When?", "notes", Expectation(not_there=True))
    assert [q.question for q in kept.questions()] == ["Where?", "When?"]
    assert [q.id for q in kept.of_turn("t1")] == [first.id]
    run = kept.begin(2, {"a": 1}, "mark")
    for question in (first, second):
        kept.keep(run, question, "g1", judged(True))
    changed = kept.change(first.id, "Where, then?", "other", Expectation(contains=("x",)))
    assert (kept.get(first.id), changed.created) == (changed, first.created)
    kept.delete(first.id)
    kept.keep(run, first, "g1", judged(False))  # it was being asked when it was deleted
    assert [r.question for r in kept.results(run)] == ["When?"]
    assert b"Where" not in (tmp_path / FILE).read_bytes()
    for call in (kept.get, kept.delete):
        with pytest.raises(UnknownNameError):
            call(first.id)


def test_changes_are_told_against_the_latest_result_before(tmp_path: Path) -> None:
    kept = OwnQuestions(tmp_path)
    expected = Expectation(contains=("x",))
    a, b, c, d = (kept.add(name, "notes", expected) for name in "abcd")
    first = kept.begin(3, {"reader": "small", "depth": 1}, "one")
    for question, passed in ((a, True), (b, False), (c, True)):
        kept.keep(first, question, "g1", judged(passed))
    kept.end(first)
    c = kept.change(c.id, "c?", "notes", expected)
    skipped = kept.begin(4, {"reader": "small"}, "one")  # stopped before its first question
    second = kept.begin(4, {"reader": "big", "depth": 1}, "two")
    for question, passed in ((a, False), (b, True), (c, True), (d, True)):
        kept.keep(second, question, "g2", judged(passed, "y"))
    found = changes(kept.results(second), kept.before(second))
    kinds = {change.now.question_id: change.kind for change in found}
    assert kinds == {a.id: "newly failing", b.id: "newly passing", c.id: "edited", d.id: "new"}
    assert found[0].kind == "newly failing"
    assert found[0].other_answer
    runs = kept.runs()
    assert [(r.id, r.done, r.passed) for r in runs] == [
        (first, 3, 2),
        (skipped, 0, 0),
        (second, 4, 3),
    ]
    assert runs[0].ended and not runs[1].ended
    assert settings_changed(runs[0].settings, runs[2].settings) == {"reader": ("small", "big")}


def test_what_changed_since_a_run_is_a_reason_to_ask_again(tmp_path: Path) -> None:
    kept = OwnQuestions(tmp_path)
    question = kept.add("a", "notes", Expectation(contains=("x",)))
    run = kept.begin(1, {"answering.reader": "small", "depth": 1}, "one")
    kept.keep(run, question, "g1", judged(True))
    results = kept.results(run)
    same = {"answering.reader": "auto", "depth": 1}
    assert since(kept.runs()[0].settings, results, same, {"notes": "g1"}) == []
    assert since(kept.runs()[0].settings, results, {"depth": 2}, {"notes": "g2"}) == [
        "depth was changed",
        "the index notes was rebuilt",
    ]
    assert since(same, results, same, {}) == ["the index notes is gone"]


def test_a_damaged_file_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, " * 100)
    with pytest.raises(StorageError, match="damaged"):
        OwnQuestions(tmp_path)


def test_all_are_asked_and_kept(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path / "home", TEXTS)
    kept = OwnQuestions(workspace.settings.home)
    good = kept.add("Where do sea otters sleep?", "notes", Expectation(contains=("backs",)))
    bad = kept.add("Who lit the lamp?", "notes", Expectation(contains=("Napoleon",)))
    lost = kept.add("Where?", "gone", Expectation(not_there=True))
    seen: list[tuple[int, int | None]] = []
    run = run_own(workspace, kept, on_progress=lambda p: seen.append((p.done, p.total)))
    results = {result.question_id: result for result in kept.results(run)}
    assert results[good.id].judged.passed
    assert results[good.id].generation == workspace.index("notes").manifest.generation
    assert not results[bad.id].judged.passed
    assert "gone" in results[lost.id].judged.error
    assert seen[-1] == (3, 3)
    assert workspace.conversations.list() == []
    assert kept.runs()[0].settings["answering.reader"] == "extractive"
    again = run_own(workspace, kept, only=[lost.id], index="notes")
    assert [r.index for r in kept.results(again)] == ["notes"]


def test_nothing_to_ask_is_said(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path / "home", TEXTS)
    kept = OwnQuestions(workspace.settings.home)
    with pytest.raises(UsageError):
        run_own(workspace, kept)
    question = kept.add("Where?", "gone", Expectation(not_there=True))
    with pytest.raises(UnknownNameError):
        run_own(workspace, kept, only=["nothing"])
    with pytest.raises(Exception, match="every question failed"):
        run_own(workspace, kept)
    assert not kept.results(kept.runs()[0].id)[0].judged.passed
    assert question.id == kept.questions()[0].id


def test_the_mark_follows_what_answers_depend_on(tmp_path: Path) -> None:
    settings = hashed_workspace(tmp_path / "home", TEXTS).settings
    values = settings_that_matter(settings)
    assert "models.remote_key" not in values
    other = settings.model_copy(update={"home": tmp_path})
    assert settings_mark(settings_that_matter(other)) == settings_mark(values)
    assert settings_mark({**values, "retrieval.depth": 7}) != settings_mark(values)
