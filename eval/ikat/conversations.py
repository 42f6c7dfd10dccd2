"""Closed collections of conversations: each turn with the messages before it.

FOLDER is a collection in BEIR's layout whose queries.jsonl has `history`, and optionally `resolved`
(a human's rewrite), `ptkb` and `relevant_ptkb` (the person's statements, and those that matter).
`resolved` and `relevant_ptkb` are gold: they measure headroom and are no input of the system.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.understanding.statements import Statement
from assistant.understanding.types import Message
from eval.collections import Collection, load_collection, read_rows, sample


@dataclass(frozen=True, slots=True)
class ClosedTurn:
    """One turn. `statements` have ids from "1"; `relevant` are ids; `resolved` may be empty."""

    id: str
    text: str
    history: tuple[Message, ...]
    resolved: str
    statements: tuple[Statement, ...]
    relevant: tuple[str, ...]

    @property
    def said(self) -> tuple[str, ...]:
        """The answers that were given before."""
        return tuple(m.content for m in self.history if m.role == "assistant")


def load_conversations(
    folder: Path, *, only: str = "", limit: int | None = None, seed: int = 0
) -> tuple[Collection, list[ClosedTurn]]:
    """The collection, and its judged turns that something was said before.

    Args:
        only: keep turns whose id begins so.
        limit: a sample of so many turns, in their order.

    Raises:
        UsageError: a file or key is missing or of the wrong type, with file and turn; no turn left.
    """
    collection = load_collection(folder)
    path = folder / "queries.jsonl"
    turns = []
    for row in read_rows(path, ("_id", "text", "history")):
        turn = _turn(path, row)
        if turn.id in collection.qrels and turn.history and turn.id.startswith(only):
            turns.append(turn)
    if not turns:
        named = f" whose id begins with '{only}'" if only else ""
        raise UsageError(
            f"{path} has no judged turn with a history{named}",
            remedy="each row needs `history`, a list of {role, content}",
        )
    return collection, [turns[place] for place in sorted(sample(range(len(turns)), limit, seed))]


def _turn(path: Path, row: dict[str, Any]) -> ClosedTurn:
    identity = str(row["_id"])
    try:
        history = tuple(_message(message) for message in row["history"])
        texts = [str(text) for text in row.get("ptkb") or []]
        statements = tuple(Statement(str(n), text) for n, text in enumerate(texts, start=1))
        wanted = set(row.get("relevant_ptkb") or [])
        relevant = tuple(s.id for s in statements if s.text in wanted)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{path}, turn {identity}: {error}",
            remedy="history is a list of {role: user or assistant, content}; ptkb a list of texts",
        ) from error
    text = str(row["text"])
    return ClosedTurn(identity, text, history, str(row.get("resolved") or ""), statements, relevant)


def _message(value: dict[str, Any]) -> Message:
    role, content = value["role"], value["content"]
    if role not in ("user", "assistant"):
        raise ValueError(f"no such role: {role!r}")
    if not isinstance(content, str):
        raise ValueError("a message's content is text")
    return Message(role, content)
