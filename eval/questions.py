"""Questions about passages whose answers are known: JSON lines like SQuAD's, or SQuAD's own files.

A SQuAD file (v1.1, which XQuAD uses, or 2.0) is one JSON object: `data`, a list of articles with
`title` and `paragraphs`; a paragraph has `context` and `qas`; a question has `id`, `question`,
`answers` with `text`, and in 2.0 `is_impossible`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.distillation.preparing import read_squad
from assistant.errors import ReadError, UsageError
from assistant.events import FoundPassage
from eval.collections import read_rows, sample


@dataclass(frozen=True, slots=True)
class Question:
    """A row of the file; `answers` is empty where the passage does not answer."""

    id: str
    passage: str
    title: str
    text: str
    answers: tuple[str, ...]
    answerable: bool


def load_questions(path: Path, *, limit: int | None = None, seed: int = 0) -> list[Question]:
    """The questions of a file; a seeded sample of `limit`.

    A file that ends in `.json` is read as SQuAD's own; any other as JSON lines with `passage`,
    `question`, `answers`, `answerable` and `title`.

    Raises:
        UsageError: naming the file and what is wrong in it.
    """
    rows = list(_squad(path) if path.suffix == ".json" else _lines(path))
    return sample(rows, limit, seed)


def given_passage(question: Question) -> FoundPassage:
    """The row's passage, as if it had been found first."""
    return numbered_passage(question, 1)


def numbered_passage(question: Question, number: int) -> FoundPassage:
    """The row's passage, as if it had been found in that place."""
    return FoundPassage(
        number=number,
        passage_id=question.id,
        document_id=question.id,
        title=question.title,
        uri="",
        text=question.passage,
        start=0,
        end=len(question.passage),
        page=None,
        headings=(),
        score=1.0 / number,
        stages=(),
    )


def _lines(path: Path) -> Iterator[Question]:
    for number, row in enumerate(read_rows(path, ("passage", "question", "answers"))):
        yield Question(
            str(row.get("_id", number)),
            str(row["passage"]),
            str(row.get("title", "")),
            str(row["question"]),
            tuple(str(answer) for answer in row["answers"]),
            bool(row.get("answerable", bool(row["answers"]))),
        )


def _squad(path: Path) -> Iterator[Question]:
    try:
        for row in read_squad(path):
            yield Question(
                row["_id"],
                row["passage"],
                row["title"],
                row["question"],
                tuple(row["answers"]),
                row["answerable"],
            )
    except ReadError as error:
        raise UsageError(
            error.message,
            remedy="a .json file has data, paragraphs and qas; JSON lines end in .jsonl",
        ) from error
