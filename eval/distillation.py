"""Teacher, untrained student, student and others on the same questions.

Every system answers through the product's own reader, with the passage given (reading alone) and,
where an index is named, with the passages that the assistant finds in it. Seconds are those from
the passages to the finished answer: what all systems share (searching before it, checking the
citations after it) is not in them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.answering.evidence import gather_evidence
from assistant.answering.readers import Piece
from assistant.answering.small_reader import SmallReader
from assistant.events import FoundPassage
from assistant.workspace import Workspace
from eval.answers import WHOLE_PASSAGE, joined
from eval.citations import CitationsJudged, checked, judge_citations
from eval.open_book import Finder, given, is_right
from eval.questions import Question
from eval.squad import Judged, f1, judge
from eval.systems import KNOWLEDGE, System
from indexes.encoders import DenseEncoder
from indexes.progress import OnProgress, Progress

Setting = Literal["given", "retrieved"]
SETTINGS: tuple[Setting, ...] = ("given", "retrieved")


@dataclass(frozen=True, slots=True)
class Answer:
    """A system's answer to one question.

    Attributes:
        text: None where it abstained.
        cpu_seconds: of this process, all its threads: what does not depend on other work.
        score: of the best words found, in logits, if the system has one.
        forced: F1 of these words as if it had to answer, 0 where there is no answer.
        citations: of a worded answer; None for a phrase, or where it abstained.
    """

    text: str | None
    seconds: float
    cpu_seconds: float
    judged: Judged
    score: float | None = None
    forced: float = 0.0
    citations: CitationsJudged | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A system's answers in one setting, by question id."""

    system: str
    worded: bool
    setting: Setting
    answers: dict[str, Answer]


def run_system(
    workspace: Workspace,
    system: System,
    questions: Sequence[Question],
    passages: Mapping[str, tuple[FoundPassage, ...]],
    setting: Setting,
    *,
    earlier: Mapping[str, Answer] | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> Run:
    """Answer every question; the first one is answered once before, untimed, to load the models.

    Args:
        passages: that the reader is shown, by question id.
        earlier: answers that are taken over, by question id, their seconds too.
    """
    taken = {q.id: earlier[q.id] for q in questions if earlier and q.id in earlier}
    if len(taken) == len(questions):
        return Run(system.name, system.worded, setting, taken)
    budget = WHOLE_PASSAGE if setting == "given" else workspace.settings.answering.evidence_tokens
    needs_encoder = system.worded or not system.reader.reads_everything
    encoder = workspace.encoders.dense() if needs_encoder else None
    answers: dict[str, Answer] = {}
    started = time.monotonic()
    for question in [q for q in questions if q.id not in taken][:1]:
        answer_question(system, question, passages[question.id], encoder, budget)
    for number, question in enumerate(questions, start=1):
        answers[question.id] = taken.get(question.id) or answer_question(
            system, question, passages[question.id], encoder, budget
        )
        seconds = time.monotonic() - started
        stage = f"{system.name}, {setting}"
        on_progress(Progress(stage, number, len(questions), "questions", seconds))
    return Run(system.name, system.worded, setting, answers)


def answer_question(
    system: System,
    question: Question,
    passages: Sequence[FoundPassage],
    encoder: DenseEncoder | None,
    budget: int,
) -> Answer:
    """One answer, judged."""
    reader = system.reader
    started, worked = time.perf_counter(), time.process_time()
    evidence = gather_evidence(
        question.text, passages, encoder, everything=reader.reads_everything, budget=budget
    )
    pieces: list[Piece] = list(reader.write(question.text, evidence, passages))
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    text: str | None
    citations: CitationsJudged | None = None
    if system.worded:
        sentences = checked(pieces, passages, evidence, encoder)
        text = " ".join(sentence.text for sentence in sentences) or None
        if sentences:
            citations = judge_citations(sentences, passages, question.answers)
    else:
        text = joined(pieces)
    score, forced = _pointed(reader, question, passages)
    return Answer(
        text=text,
        seconds=seconds,
        cpu_seconds=cpu,
        judged=judge(text, question.answers, answerable=question.answerable),
        score=score,
        forced=forced,
        citations=citations,
    )


def _pointed(
    reader: object, question: Question, passages: Sequence[FoundPassage]
) -> tuple[float | None, float]:
    """The small reader's best score, and F1 of its words; its spans are remembered."""
    if not isinstance(reader, SmallReader):
        return None, 0.0
    found = reader.point(question.text, passages)
    if not found:
        return None, 0.0
    return found[0].score, f1(found[0].words, question.answers) if question.answerable else 0.0


def passages_for(
    questions: Sequence[Question],
    find: Finder,
    *,
    on_progress: OnProgress = lambda progress: None,
) -> dict[str, tuple[FoundPassage, ...]]:
    """What is found for each question, by its id."""
    found: dict[str, tuple[FoundPassage, ...]] = {}
    started = time.monotonic()
    for number, question in enumerate(questions, start=1):
        found[question.id] = find(question)
        seconds = time.monotonic() - started
        if find is not given:
            on_progress(Progress("search", number, len(questions), "questions", seconds))
    return found


def recall(
    questions: Sequence[Question], passages: Mapping[str, tuple[FoundPassage, ...]]
) -> dict[str, float]:
    """Share of the answerable questions with a right passage among the first 1, 5 and 10 found."""
    wanted = [q for q in questions if q.answerable]
    ranks = [next((p.number for p in passages[q.id] if is_right(q, p)), None) for q in wanted]
    return {
        f"R@{depth}": round(
            sum(rank is not None and rank <= depth for rank in ranks) / max(len(ranks), 1), 4
        )
        for depth in (1, 5, 10)
    }


def retention(questions: Sequence[Question], oracle: Run, retrieved: Run) -> dict[str, float | int]:
    """What becomes of answers when the passages have to be found.

    `oracle`: exact match over the answerable questions with the passage given. `retained`: of those
    answered rightly, the share that is right with retrieved passages as well.
    """
    asked = [
        q.id
        for q in questions
        if q.answerable and q.id in oracle.answers and q.id in retrieved.answers
    ]
    known = [name for name in asked if oracle.answers[name].judged.em == 1.0]
    kept = [name for name in known if retrieved.answers[name].judged.em == 1.0]
    return {
        "questions": len(asked),
        "oracle": round(len(known) / len(asked), 4) if asked else 0.0,
        "retained": round(len(kept) / len(known), 4) if known else 0.0,
    }


def uses_knowledge(system: str) -> bool:
    """Whether its passages are to be found with the knowledge store."""
    return system.endswith(KNOWLEDGE)
