"""Messages in their conversations, with the question that each one means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.answering.small_forms import END, chatml
from assistant.distillation.examples import AnyExample, Example, TagExample, hash_texts
from assistant.distillation.sources.base import SOURCES, DataSource, json_lines
from assistant.errors import ReadError
from assistant.understanding.rewriting_form import REWRITING_SYSTEM, rewriting_prompt
from assistant.understanding.types import Message


@SOURCES.register("conversations")
class ConversationSource(DataSource):
    """Lines `{_id, history, text, resolved, domain}`, the form of closed collections.

    `history` is a list of `{role: user or assistant, content}`, oldest first. A line without a
    history or without `resolved` teaches nothing and is left out.
    """

    origin: str = "gold"

    def examples(self, file: Path) -> Iterator[AnyExample]:
        for number, row in json_lines(file):
            try:
                example = example_of(row, self.origin)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise ReadError(
                    f"{file}, line {number}: {type(error).__name__}: {error}",
                    remedy="a line has history (a list of role and content), text and resolved",
                ) from error
            if example is not None:
                yield example


@SOURCES.register("rewriting")
class RewritingSource(ConversationSource):
    """Lines as of `conversations`, as a prompt and the question that the message means."""

    def examples(self, file: Path) -> Iterator[AnyExample]:
        for row in super().examples(file):
            if isinstance(row, TagExample):
                yield Example(
                    id=row.id,
                    prefix="",
                    prompt=chatml(REWRITING_SYSTEM, rewriting_prompt(row.message, row.history)),
                    completion=" ".join(row.resolved.split()) + END,
                    domain=row.domain,
                    weight=row.weight,
                    origin=row.origin,
                    difficulty=row.difficulty,
                    asks=(row.message, row.resolved),
                    reads=row.told,
                )


def example_of(row: dict[str, Any], origin: str = "gold") -> TagExample | None:
    """The example of a line; None where it teaches nothing.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the line is of another form.
    """
    text, resolved = str(row["text"]), str(row.get("resolved") or "")
    history = tuple(_message(one) for one in row["history"])
    if not history or not resolved:
        return None
    return TagExample(
        id=str(row.get("_id") or hash_texts(text, *(one.content for one in history))[:24]),
        message=text,
        history=history,
        resolved=resolved,
        domain=str(row.get("domain", "")),
        weight=float(row.get("weight", 1.0)),
        origin=str(row.get("origin", origin)),
        difficulty=float(row.get("difficulty", 0.0)),
    )


def _message(value: dict[str, Any]) -> Message:
    role = value["role"]
    if role not in ("user", "assistant"):
        raise ValueError(f"no such role: {role!r}")
    return Message(role, str(value["content"]))
