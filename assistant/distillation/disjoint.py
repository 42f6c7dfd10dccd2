"""Training and reporting data may not share a passage or a question."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.distillation.examples import (
    AnyExample,
    RankExample,
    SpanExample,
    TagExample,
    TextPair,
    is_telling_answer,
)
from assistant.distillation.sources.base import json_lines
from assistant.errors import UsageError

_WORD = re.compile(r"\w+")
_LEAST_WORDS = 4  # "Who is he?" is asked of many passages


@dataclass(frozen=True, slots=True)
class Overlap:
    """What training and reporting data share: example ids of the training data.

    Of conversations, what was answered counts as a passage.
    """

    passages: tuple[str, ...]
    questions: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.passages or self.questions)


def text_key(text: str) -> str:
    """SHA-256 of the words alone, lower case: punctuation and spacing do not hide a copy."""
    return hashlib.sha256(" ".join(_WORD.findall(text.lower())).encode()).hexdigest()


def overlap(training: Sequence[AnyExample], reporting: Iterable[tuple[str, str]]) -> Overlap:
    """Compare by hashes of passages and of questions.

    Args:
        reporting: (passage, question) pairs.
    """
    passages: set[str] = set()
    questions: set[str] = set()
    for passage, question in reporting:
        passages.add(text_key(passage))
        questions.add(text_key(question))
    shared_passages, shared_questions = [], []
    for example in training:
        read, asked = _texts(example)
        if any(passage and text_key(passage) in passages for passage in read):
            shared_passages.append(example.id)
        if any(_is_telling(text) and text_key(text) in questions for text in asked):
            shared_questions.append(example.id)
    return Overlap(tuple(shared_passages), tuple(shared_questions))


def require_disjoint(training: Sequence[AnyExample], files: Sequence[Path]) -> None:
    """Refuse training data that share a passage or a question with reporting files.

    Args:
        files: JSON lines with `passage` or `text`, and `question`; or closed collections' queries,
            with `history`, `text` and `resolved`.

    Raises:
        UsageError: they share some; the first ids are named.
        ReadError: a file cannot be read.
    """
    for file in files:
        found = overlap(training, reported_pairs(file))
        if found:
            named = ", ".join((found.passages + found.questions)[:3])
            raise UsageError(
                f"the training data share {len(found.passages)} passages and "
                f"{len(found.questions)} questions with {file.name} (examples {named} …)",
                remedy="take these examples out of the training data",
            )


def reported_pairs(file: Path) -> Iterator[tuple[str, str]]:
    """(passage, question) pairs of a file that is reported on; either may be empty."""
    for _, row in json_lines(file):
        if isinstance(row.get("history"), list):
            yield from _conversation(row)
        else:
            yield _text(row, "passage", "text", "context"), _text(row, "question", "query")


def _conversation(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Its messages as questions, its answers as passages; "I don't know." is anybody's answer."""
    yield "", str(row.get("text", ""))
    yield "", str(row.get("resolved") or "")
    for said in row["history"]:
        content = str(said.get("content", ""))
        if said.get("role") == "user":
            yield "", content
        elif is_telling_answer(content):
            yield content, ""


def _text(row: dict[str, Any], *keys: str) -> str:
    return next((str(row[key]) for key in keys if row.get(key)), "")


def _is_telling(question: str) -> bool:
    return len(_WORD.findall(question)) >= _LEAST_WORDS


def _with_and_without_title(text: str) -> tuple[str, ...]:
    """A text, the same without its first line, and its last line: a title is one or more lines."""
    return text, text.partition("\n")[2], text.rpartition("\n")[2]


def _texts(example: AnyExample) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is read, and what is asked."""
    if isinstance(example, SpanExample):
        return (example.passage,), (example.question,)
    if isinstance(example, RankExample):
        return _with_and_without_title(example.passages[example.relevant[0]]), (example.query,)
    if isinstance(example, TextPair):
        return _with_and_without_title(example.passage), (example.query,)
    if isinstance(example, TagExample):
        return example.told, (example.message, example.resolved)
    return example.reads or (example.prefix,), example.asks or (example.prompt,)
