"""Tasks with reference answers: a message, its conversation so far, and what a good reply says.

One JSON object a line, as in MTRAG (Katsis et al., 2025, arXiv 2501.03468): `_id`, `text`,
`history` (`role`, `content`), `answerability`, `reference_answers`, and where they exist
`question_type`, `multi_turn`, `reference_passages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.pipeline import MAX_QUESTION_CHARACTERS
from eval.collections import numbered_rows, sample

ANSWERABLE, PARTIAL, UNANSWERABLE = "ANSWERABLE", "PARTIAL", "UNANSWERABLE"
UNDERSPECIFIED, CONVERSATIONAL = "UNDERSPECIFIED", "CONVERSATIONAL"
LABELS = (ANSWERABLE, PARTIAL, UNANSWERABLE, UNDERSPECIFIED, CONVERSATIONAL)

_REQUIRED = ("_id", "text", "history", "answerability", "reference_answers")


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier message and the reply to it; `reply` is empty where there was none."""

    message: str
    reply: str


@dataclass(frozen=True, slots=True)
class ResponseTask:
    """One row. `answerability` is one of `LABELS`; passages are ids of the collection."""

    id: str
    text: str
    history: tuple[Exchange, ...]
    answerability: str
    question_types: tuple[str, ...]
    multi_turn: tuple[str, ...]
    references: tuple[str, ...]
    reference_passages: tuple[str, ...]


def load_tasks(path: Path, *, limit: int | None = None, seed: int = 0) -> list[ResponseTask]:
    """All tasks of a file in its order, or a seeded sample of `limit`.

    Raises:
        UsageError: naming file and line; the file cannot be read or has no tasks.
    """
    tasks: list[ResponseTask] = []
    known: set[str] = set()
    for number, row in numbered_rows(path, _REQUIRED):
        try:
            task = _task(row)
            if task.id in known:
                raise ValueError(f"_id {task.id!r} stands on an earlier line too")
        except ValueError as error:
            raise UsageError(
                f"{path}, line {number}: {error}", remedy="docs/responses.md describes the rows"
            ) from error
        known.add(task.id)
        tasks.append(task)
    if not tasks:
        raise UsageError(f"{path} has no tasks")
    return sample(tasks, limit, seed)


def _task(row: dict[str, Any]) -> ResponseTask:
    return ResponseTask(
        id=str(row["_id"]),
        text=_message(row["text"], "text"),
        history=_history(row["history"]),
        answerability=_label(row["answerability"]),
        question_types=_texts(row, "question_type"),
        multi_turn=_texts(row, "multi_turn"),
        references=_texts(row, "reference_answers"),
        reference_passages=tuple(dict.fromkeys(_texts(row, "reference_passages"))),
    )


def _message(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is no text")
    if len(value) > MAX_QUESTION_CHARACTERS:
        raise ValueError(f"{name} has more than {MAX_QUESTION_CHARACTERS:,} characters")
    return value


def _history(value: object) -> tuple[Exchange, ...]:
    if not isinstance(value, list):
        raise ValueError("history is no list")
    exchanges: list[Exchange] = []
    for position, message in enumerate(value, start=1):
        if not isinstance(message, dict):
            raise ValueError(f"message {position} of the history is no object")
        role, name = message.get("role"), f"content of message {position} of the history"
        if role == "user":
            exchanges.append(Exchange(_message(message.get("content"), name), ""))
        elif role == "assistant":
            if not exchanges or exchanges[-1].reply:
                raise ValueError(f"message {position} of the history replies to no message")
            content = message.get("content")
            if not isinstance(content, str) or not content.strip():
                raise ValueError(f"{name} is no text")
            exchanges[-1] = Exchange(exchanges[-1].message, content)
        else:
            raise ValueError(
                f"role of message {position} of the history is {role!r}, not user or assistant"
            )
    return tuple(exchanges)


def _label(value: object) -> str:
    labels: Sequence[object] = value if isinstance(value, list) else [value]
    if len(labels) != 1 or str(labels[0]).upper() not in LABELS:
        raise ValueError(f"answerability is {value!r}, not one of {', '.join(LABELS)}")
    return str(labels[0]).upper()


def _texts(row: dict[str, Any], name: str) -> tuple[str, ...]:
    value = row.get(name) or []
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} is no list of texts")
    return tuple(text for text in texts if text.strip())
