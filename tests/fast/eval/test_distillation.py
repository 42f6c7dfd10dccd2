"""Systems on the same questions, with told spans and scripted models, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.answering.readers import ExtractiveReader, NotFound, Piece
from assistant.answering.small_reader import SmallReader
from assistant.errors import UsageError
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.distillation import Answer, Run, recall, retention
from eval.distillation_report import (
    answers_json,
    by_domain,
    compared,
    measured,
    report,
    speed,
)
from eval.distillation_runs import Plan, evaluate
from eval.open_book import given
from eval.questions import Question, given_passage
from eval.reader_memory import Memory
from eval.squad import judge
from eval.systems import RememberedSpans, System
from tests.fast.assistant.helpers import KELP, OTTERS, passage
from tests.fast.assistant.spans import TellingSpans
from tests.fast.indexes.sources import HashedEncoders

ROWS = [
    Question("k1", KELP, "Kelp", "How much does kelp grow a day?", ("half a metre",), True),
    Question("k2", KELP, "Kelp", "How deep does kelp grow?", (), False),
    Question("o1", OTTERS, "Otters", "Where do otters sleep?", ("on their backs",), True),
]


class Telling:
    """Answers by question; None refuses."""

    kind = "answerer"
    reads_everything = True

    def __init__(self, says: dict[str, str | None]) -> None:
        self.says, self.asked = says, []

    def write(
        self, question, evidence, passages, about_person=(), facts=(), prepared=()
    ) -> Iterator[Piece]:
        self.asked.append(question)
        text = self.says[question]
        yield NotFound("told so") if text is None else text


def telling(*says: str | None) -> Telling:
    return Telling({q.text: text for q, text in zip(ROWS, says, strict=True)})


SPANS = {"half a metre": 3.0, "sleep on their backs": -1.0}


def make(workspace: Workspace, name: str) -> System:
    small = SmallReader(RememberedSpans(TellingSpans(SPANS)), None, threshold=0.0, short=True)
    worded = SmallReader(TellingSpans(SPANS), None, threshold=0.0)
    readers = {
        "teacher": telling("half a metre", "deep", "on their backs"),
        "untrained": telling("the", "the", None),
        "student": small,
        "student+knowledge": small,
        "student-words": worded,
        "extractive": ExtractiveReader(1, threshold=0.0),
    }
    return System(name, readers[name], name.endswith("words"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    opened = Workspace(load_settings(home=tmp_path, environ={}))
    vars(opened)["encoders"] = HashedEncoders()
    return opened


def test_measures_by_hand(workspace: Workspace) -> None:
    seen = []
    plan = Plan(["teacher", "student", "student-words"], calibration=ROWS)
    found = evaluate(workspace, ROWS, plan, make, on_progress=seen.append)
    teacher, student, words = found.of("given")
    # the student answers k1 rightly, k2 wrongly, and abstains on o1, of which it had the words
    assert {k: a.text for k, a in student.answers.items()} == {
        "k1": "half a metre",
        "k2": "half a metre",
        "o1": None,
    }
    assert [student.answers[k].score for k in ("k1", "k2", "o1")] == [3.0, 3.0, -1.0]
    assert [round(student.answers[k].forced, 4) for k in ("k1", "k2", "o1")] == [
        *(1.0, 0.0, 0.8571)  # 3 of 4 words, 3 of 3: 6/7
    ]
    row = measured(student, ROWS)
    assert row["answerable_em"]["mean"] == row["answerable_f1"]["mean"] == 0.5
    assert row["f1"]["mean"] == pytest.approx(1 / 3, abs=1e-4)
    assert row["abstain_recall"]["mean"] == row["abstain_precision"]["mean"] == 0.0
    assert (row["questions"], row["abstained"]) == (3, 1)
    assert measured(teacher, ROWS)["abstain_precision"] is None  # it never abstained
    assert measured(teacher, ROWS)["answerable_f1"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    worded = measured(words, ROWS)
    assert worded["citations"] == {"valid": 1.0, "precision": 0.5, "recall": 0.5, "said": 0.5}
    assert "f1" not in worded
    assert words.answers["k1"].text == "Kelp grows half a metre a day."
    assert [p.stage for p in seen][-1] == "student-words, given"
    assert set(found.fitted) == {"student", "student-words"}


def test_the_slow_answer_a_sample_and_comparisons_pair(workspace: Workspace) -> None:
    plan = Plan(["teacher", "untrained", "student"], slow_limit=2, seed=1)
    found = evaluate(workspace, ROWS, plan, make)
    teacher, untrained, student = found.runs
    assert list(teacher.answers) == list(untrained.answers) and len(teacher.answers) == 2
    assert len(student.answers) == 3
    rows = compared(found.runs)
    assert {(r["system"], r["against"]) for r in rows} == {
        ("untrained", "teacher"),
        ("student", "teacher"),
        ("student", "untrained"),
    }
    assert all(r["questions"] <= 2 for r in rows)
    assert all(r["p"] <= r["p_holm"] <= 1 for r in rows)


def answer(f1: float | None, seconds: float = 1.0, *, answerable: bool = True) -> Answer:
    """An answer with EM = (F1 is 1); None abstains."""
    gold = ["w x y z"]
    text = {None: None, 1.0: "w x y z", 0.0: "v"}.get(f1, "w x")
    return Answer(text, seconds, seconds / 2, judge(text, gold, answerable=answerable))


def run(system: str, *answers: Answer, setting="given") -> Run:
    return Run(system, False, setting, {f"q{n}": one for n, one in enumerate(answers)})


def test_speed_is_of_common_questions() -> None:
    teacher = run("teacher", answer(1.0, 4.0), answer(1.0, 2.0))
    student = run("student", answer(1.0, 0.5), answer(1.0, 1.0), answer(1.0, 100.0))
    assert speed(student, teacher) == {
        "questions": 2,
        "times_teacher": 4.0,
        "times_teacher_cpu": 4.0,
    }


def test_comparison_by_hand() -> None:
    student = run("student", *[answer(1.0)] * 12)
    untrained = run("untrained", *[answer(0.0)] * 12)
    both = [r for r in compared([untrained, student]) if r["measure"] == "f1"]
    (row,) = both
    assert (row["value"], row["baseline"], row["difference"]) == (1.0, 0.0, 1.0)
    assert (row["low"], row["high"]) == (1.0, 1.0)
    # of 2^12 sign flips two are as extreme: p is near .0005
    assert row["p"] == pytest.approx(2 / 2**12, abs=5e-4)
    assert row["p_holm"] == row["p"]


def questions(*titles: str) -> list[Question]:
    return [Question(f"q{n}", "P", t, "?", ("w x y z",), True) for n, t in enumerate(titles)]


def test_domains_largest_first() -> None:
    asked = questions("B", "A", "A")
    found = by_domain([run("student", answer(1.0), answer(0.5), answer(0.0))], asked)
    assert list(found) == ["A", "B"]
    assert found["A"]["student"]["questions"] == 2
    assert found["A"]["student"]["f1"] == pytest.approx(1 / 3, abs=1e-4)  # 2/3 and 0
    assert found["B"]["student"]["f1"] == 1.0


def test_retention_and_recall_by_hand() -> None:
    asked = questions("A", "A", "A")
    oracle = run("student", answer(1.0), answer(1.0), answer(0.5))
    later = run("student", answer(1.0), answer(None), answer(1.0), setting="retrieved")
    assert retention(asked, oracle, later) == {"questions": 3, "oracle": 0.6667, "retained": 0.5}
    assert retention(asked, run("student"), later)["questions"] == 0
    kelp, otters = ROWS[0], ROWS[2]
    passages = {
        "k1": (passage(1, OTTERS), passage(2, KELP)),
        "o1": (passage(1, OTTERS),),
        "k2": (passage(1, OTTERS),),
    }
    assert recall(ROWS, passages) == {"R@1": 0.5, "R@5": 1.0, "R@10": 1.0}
    assert recall([kelp, otters], {"k1": (), "o1": ()})["R@10"] == 0.0


def test_retrieved_beside_given(workspace: Workspace) -> None:
    seen: list[bool] = []

    def finder(knowledge: bool):
        seen.append(knowledge)
        if knowledge:
            return given
        return lambda q: (passage(1, OTTERS, title="Otters"), *_renumbered(q))

    plan = Plan(["student", "student+knowledge", "student-words"], finder=finder)
    found = evaluate(workspace, ROWS, plan, make)
    assert seen == [False, True]
    assert [(r.system, r.setting) for r in found.runs] == [
        ("student", "given"),
        ("student-words", "given"),
        ("student", "retrieved"),
        ("student-words", "retrieved"),
        ("student+knowledge", "retrieved"),
    ]
    shown = report(found, {"student": Memory(521.04, 200.0)})
    assert shown["recall"]["passages"]["R@1"] == 0.5
    assert shown["recall"]["with knowledge"]["R@1"] == 1.0
    assert set(shown["retention"]) == {"student", "student+knowledge"}
    assert shown["retention"]["student"]["oracle"] == 0.5
    assert shown["megabytes"] == {"student": {"peak": 521.0, "reader": 321.0}}
    assert (shown["questions"], shown["answerable"]) == (3, 2)
    assert "auroc" in shown["settings"]["given"]["calibration"]["student"]
    every = answers_json(found)
    assert every[0]["given"]["student"]["text"] == "half a metre"
    assert every[0]["retrieved"]["student-words"]["citations"]["valid"] is True


def _renumbered(question: Question):
    own = given_passage(question)
    return () if own.text == OTTERS else (passage(2, own.text, title=own.title),)


def test_what_cannot_be_evaluated(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="same id"):
        evaluate(workspace, [ROWS[0], ROWS[0]], Plan(["student"]), make)
    with pytest.raises(UsageError, match="need passages that are found"):
        evaluate(workspace, ROWS, Plan(["student+knowledge"]), make)
