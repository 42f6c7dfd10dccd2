"""Answer quality on rows like SQuAD's: reading a given passage, or one that was retrieved.

The pipeline's own evidence selection and readers are used; only the citation check and the
conversation are left out, since gold answers are phrases without citations.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.answering.evidence import Evidence, Sentence, select_evidence
from assistant.answering.readers import NotFound, Reader
from assistant.events import FoundPassage
from assistant.retrieving import found_passages
from assistant.workspace import Workspace
from eval.collections import read_rows, sample
from eval.squad import Judged, judge, summarise
from indexes.progress import OnProgress, Progress

# The whole passage is shown when it is given: the question is then about reading alone.
_WHOLE_PASSAGE = 4_000


@dataclass(frozen=True, slots=True)
class Question:
    """A row of the file; `answers` is empty where the passage does not answer."""

    id: str
    passage: str
    title: str
    text: str
    answers: tuple[str, ...]
    answerable: bool


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """Measures over all questions; `answers` are the texts, None where it abstained."""

    measures: dict[str, float]
    questions: int
    seconds_per_question: float
    reader: str
    answers: dict[str, str | None]


def load_questions(path: Path, *, limit: int | None = None, seed: int = 0) -> list[Question]:
    """Rows with `passage`, `question`, `answers`, `answerable`; a seeded sample of `limit`.

    Raises:
        UsageError: naming file and line.
    """
    rows = [
        Question(
            str(row.get("_id", number)),
            str(row["passage"]),
            str(row.get("title", "")),
            str(row["question"]),
            tuple(str(answer) for answer in row["answers"]),
            bool(row.get("answerable", bool(row["answers"]))),
        )
        for number, row in enumerate(read_rows(path, ("passage", "question", "answers")))
    ]
    return sample(rows, limit, seed)


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
    encoder = workspace.encoders.dense()
    settings = workspace.settings

    def answer(question: Question) -> str | None:
        if index is None:
            passages: tuple[FoundPassage, ...] = (given_passage(question),)
            budget = _WHOLE_PASSAGE
        else:
            result = workspace.search(index, question.text)
            passages = found_passages(result.hits)
            budget = settings.answering.evidence_tokens
        evidence = select_evidence(question.text, passages, encoder, budget=budget)
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
    parts: list[str] = []
    for piece in reader.write(question, evidence, passages, facts=facts):
        if isinstance(piece, NotFound):
            return None
        parts.append(f"{piece.text} " if isinstance(piece, Sentence) else piece)
    return "".join(parts).strip() or None


def given_passage(question: Question) -> FoundPassage:
    """The row's passage, as if it had been found first."""
    return FoundPassage(
        number=1,
        passage_id=question.id,
        document_id=question.id,
        title=question.title,
        uri="",
        text=question.passage,
        start=0,
        end=len(question.passage),
        page=None,
        headings=(),
        score=1.0,
        stages=(),
    )


def report_json(report: AnswersReport) -> dict[str, Any]:
    """The documented shape of `assistant eval answers --json`."""
    return {
        "measures": report.measures,
        "questions": report.questions,
        "seconds_per_question": report.seconds_per_question,
        "reader": report.reader,
    }
