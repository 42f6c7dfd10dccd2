"""Questions about passages in the form of SQuAD 2.0, one JSON object a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from assistant.distillation.examples import AnyExample, SpanExample, hash_texts
from assistant.distillation.sources.base import SOURCES, DataSource, json_lines
from assistant.errors import ReadError

_WORD = re.compile(r"\w+")
_AROUND = 100  # characters on each side of an answer that tell its occurrences apart


@SOURCES.register("squad")
class SquadSource(DataSource):
    """Lines `{passage, question, answers, answerable, title, answer_start?}`.

    Where `answer_start` is missing, the answer's place is found: of several occurrences the one
    whose surroundings share most words with the question. An answer that does not stand in its
    passage is left out with its question (`on_missing: null` keeps that as unanswerable). Of
    several answers the first is learnt; all count in an evaluation.
    """

    origin: Literal["gold", "teacher", "student"] = "gold"
    title: bool = True
    on_missing: Literal["skip", "null", "fail"] = "skip"

    def examples(self, file: Path) -> Iterator[AnyExample]:
        for number, row in json_lines(file):
            try:
                example = self._example(row)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise ReadError(
                    f"{file}, line {number}: {type(error).__name__}: {error}",
                    remedy="a line has passage, question, answers and answerable",
                ) from error
            if example is not None:
                yield example

    def _example(self, row: dict[str, Any]) -> SpanExample | None:
        passage, question = str(row["passage"]), str(row["question"]).strip()
        answers = tuple(dict.fromkeys(str(answer) for answer in row.get("answers") or ()))
        start = end = -1
        if row.get("answerable", bool(answers)) and answers:
            start = int(row.get("answer_start", -1))
            if start < 0 or not passage.startswith(answers[0], start):
                start = place_of(answers[0], passage, question)
            if start < 0 and self.on_missing == "fail":
                raise ValueError(f"the answer '{answers[0]}' does not stand in the passage")
            if start < 0 and self.on_missing == "skip":
                return None
            end = start + len(answers[0]) if start >= 0 else -1
        return SpanExample(
            id=str(row.get("_id") or row.get("id") or hash_texts(question, passage)[:24]),
            question=question,
            title=str(row.get("title", "")) if self.title else "",
            passage=passage,
            start=start,
            end=end,
            answers=answers if start >= 0 else (),
            domain=str(row.get("domain") or row.get("title") or ""),
            weight=float(row.get("weight", 1.0)),
            origin=str(row.get("origin", self.origin)),
            difficulty=float(row.get("difficulty", 0.0)),
        )


def place_of(answer: str, passage: str, question: str) -> int:
    """Where the answer stands in the passage, −1 if nowhere.

    Occurrences that are whole words come before others; among them the one whose surroundings
    share most words with the question, the first of equals.
    """
    if not answer:
        return -1
    asked = set(_WORD.findall(question.lower()))
    best, best_key = -1, (-1, -1)
    at = passage.find(answer)
    while at >= 0:
        end = at + len(answer)
        whole = not _inside_word(passage, at) and not _inside_word(passage, end)
        around = passage[max(0, at - _AROUND) : end + _AROUND].lower()
        key = (int(whole), len(asked.intersection(_WORD.findall(around))))
        if key > best_key:
            best, best_key = at, key
        at = passage.find(answer, at + 1)
    return best


def _inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()
