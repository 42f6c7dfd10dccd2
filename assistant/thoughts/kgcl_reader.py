"""Reads KGCL text (see `kgcl`): batches of statements, each applied to the graph so far."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, get_args

from assistant.errors import GraphError, KnowledgeAssistantError, UsageError
from assistant.thoughts.changes import Author, Batch, Change, ReviseEdge, ReviseNode
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.kgcl_statements import Statement
from assistant.thoughts.kgcl_words import split, unescaped

BY_HAND = "written as KGCL"  # the reason of statements that stand under no batch

_BATCH = re.compile(
    rf"#\s*batch (\d{{1,15}}) by ({'|'.join(get_args(Author))}) at step (-?\d{{1,15}}): '(.*)'\s*"
)
_BATCH_LIKE = re.compile(r"#\s*batch \d")


def from_kgcl(text: str, base: ThoughtGraph | None = None) -> list[Batch]:
    """The log that the text describes.

    Statements under no `# batch` line are one batch of the person's; other comments are skipped.

    Args:
        base: the graph that the statements are to change; it stays as it is. Default: empty.

    Raises:
        UsageError: a line that is no statement; the message has its number and what is expected.
        GraphError: a statement that does not fit the graph so far, with its line's number.
    """
    graph = ThoughtGraph.replay(base.log if base is not None else ())
    reader = _Reader(graph, number=len(graph.log))
    for position, line in enumerate(text.split("\n"), start=1):
        try:
            reader.line(line)
        except KnowledgeAssistantError as error:
            kind = GraphError if isinstance(error, GraphError) else UsageError
            raise kind(f"line {position}: {error.message}", remedy=error.remedy) from error
    return reader.finish()


class _Reader:
    """Lines in, batches out."""

    def __init__(self, graph: ThoughtGraph, number: int) -> None:
        self._graph = graph
        self._batches: list[Batch] = []
        self._open: Batch | None = None
        self._changes: list[Change] = []
        self._number = number

    def line(self, line: str) -> None:
        if found := _BATCH.fullmatch(line.strip()):
            self.finish()
            number, author, step, reason = found.groups()
            self._begin(int(number), author, unescaped(reason), int(step))
            return
        if _BATCH_LIKE.match(line.strip()):
            raise UsageError(
                "the line of a batch is incomplete",
                remedy="expected: # batch NUMBER by rule|model|person at step NUMBER: 'REASON'",
            )
        words, notes = split(line)
        if not words:
            return
        if self._open is None:
            self._begin(self._number + 1, "person", BY_HAND, 0)
        joined = notes.pop("joined", False)
        change = Statement(words, notes, self._graph).change()
        if joined:
            self._join(change)
        else:
            self._changes.append(change)
        self._graph.apply([change], author="person", reason=BY_HAND)

    def finish(self) -> list[Batch]:
        if self._open is not None:
            if not self._changes:
                raise GraphError(f"batch {self._open.number} has no statements")
            self._batches.append(replace(self._open, changes=tuple(self._changes)))
        self._open, self._changes = None, []
        return self._batches

    def _begin(self, number: int, author: Any, reason: str, step: int) -> None:
        self._open = Batch(number, author, reason, step, ())
        self._number = number

    def _join(self, change: Change) -> None:
        last = self._changes[-1] if self._changes else None
        match last, change:
            case ReviseNode(old, before), ReviseNode(after, new) if before == after:
                self._changes[-1] = ReviseNode(old, new)
            case ReviseEdge(old_fact, before), ReviseEdge(after, new_fact) if before == after:
                self._changes[-1] = ReviseEdge(old_fact, new_fact)
            case _:
                raise UsageError(
                    "nothing that it could be joined to stands above it",
                    remedy='leave out "joined", or put it below a change of the same thing',
                )
