"""Answer quality on rows like SQuAD's: reading a given passage, or one that was retrieved.

The pipeline's own evidence selection and readers are used; only the citation check and the
conversation are left out, since gold answers are phrases without citations.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.answering.evidence import Evidence, Sentence, gather_evidence
from assistant.answering.readers import NotFound, Piece, Reader, Worded
from assistant.events import FoundPassage
from assistant.workspace import Workspace
from eval.open_book import found_in, given
from eval.questions import Question
from eval.squad import Judged, judge, summarise
from indexes.progress import OnProgress, Progress

# The whole passage is shown when it is given: the question is then about reading alone.
WHOLE_PASSAGE = 4_000


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """Measures over all questions; `answers` are the texts, None where it abstained."""

    measures: dict[str, float]
    questions: int
    seconds_per_question: float
    reader: str
    answers: dict[str, str | None]


def evaluate_answers(
    workspace: Workspace,
    questions: Sequence[Question],
    reader: Reader,
    *,
    index: str | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> AnswersReport:
    """Answer every question and judge the answers.

    Args:
        index: retrieve from this index instead of reading the row's own passage.
    """
    outcomes: list[Judged] = []
    answers: dict[str, str | None] = {}
    answer = _answerer(workspace, reader, index)
    started = time.monotonic()
    for number, question in enumerate(questions, start=1):
        text = answer(question)
        answers[question.id] = text
        outcomes.append(judge(text, question.answers, answerable=question.answerable))
        seconds = time.monotonic() - started
        on_progress(Progress("answer", number, len(questions), "questions", seconds))
    seconds = time.monotonic() - started
    return AnswersReport(
        measures=summarise(outcomes),
        questions=len(questions),
        seconds_per_question=round(seconds / max(len(questions), 1), 3),
        reader=reader.kind,
        answers=answers,
    )


def _answerer(
    workspace: Workspace, reader: Reader, index: str | None
) -> Callable[[Question], str | None]:
    find = given if index is None else found_in(workspace, index)
    budget = WHOLE_PASSAGE if index is None else workspace.settings.answering.evidence_tokens
    encoder = None if reader.reads_everything else workspace.encoders.dense()

    def answer(question: Question) -> str | None:
        passages = find(question)
        evidence = gather_evidence(
            question.text, passages, encoder, everything=reader.reads_everything, budget=budget
        )
        return read(reader, question.text, evidence, passages)

    return answer


def read(
    reader: Reader,
    question: str,
    evidence: Evidence,
    passages: Sequence[FoundPassage],
    *,
    facts: Sequence[str] = (),
) -> str | None:
    """A reader's whole answer as text, or None where it abstains.

    Args:
        facts: that the reader is told beside the evidence, in words.
    """
    return joined(reader.write(question, evidence, passages, facts=facts))


def joined(pieces: Iterable[Piece]) -> str | None:
    """A reader's pieces as one text, or None where it abstains."""
    parts: list[str] = []
    for piece in pieces:
        if isinstance(piece, NotFound):
            return None
        parts.append(f"{piece.text} " if isinstance(piece, Sentence | Worded) else piece)
    return "".join(parts).strip() or None


def report_json(report: AnswersReport) -> dict[str, Any]:
    """The documented shape of `assistant eval answers --json`."""
    return {
        "measures": report.measures,
        "questions": report.questions,
        "seconds_per_question": report.seconds_per_question,
        "reader": report.reader,
    }
