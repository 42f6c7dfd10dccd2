"""What a person does to the graph of an index: apply, promote, undo, redo, revert. All logged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from assistant.errors import GraphError
from assistant.thoughts.changes import (
    Author,
    Batch,
    Change,
    CreateEdge,
    CreateNode,
    DeleteNode,
    RestoreEdge,
    ReviseEdge,
)
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.persistent.fitting import FittingGraph
from assistant.thoughts.persistent.layer import Overlay, everything, overlay, store_log
from assistant.thoughts.persistent.schema import reading, revise, writing
from assistant.thoughts.writing import combined

_Make = Callable[[Overlay], list[Change]]


class PersonsLayer:
    """The log of a person's changes over a graph in a file. Each method is one transaction.

    Args:
        path: of the file. It must be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def log(self) -> tuple[Batch, ...]:
        """The batches in force, oldest first, numbered from 1."""
        return self.changed_graph().log

    def changed_graph(self) -> ThoughtGraph:
        """What the log refers to and has made, as a graph; its `start` is the documents' part.

        It is a copy: what happens to it happens to nothing else.
        """
        with reading(self.path) as db:
            return overlay(db).graph

    def whole_graph(self) -> ThoughtGraph:
        """All of the documents' nodes and facts with the log on top, as one graph in memory.

        Its first batch is what the documents say; the person's follow. For export: a large index
        has tens of thousands of facts.
        """
        with reading(self.path) as db:
            over = overlay(db)
            start = everything(db, over)
            graph = FittingGraph()
            if start:
                graph.apply(start, author="rule", reason="read in the documents")
            for batch in over.batches:
                graph.fit(batch)
            return graph

    def apply(self, changes: Sequence[Change], *, author: Author, reason: str) -> Batch:
        """Make changes together. They may refer to what the documents say, as they say it now.

        Raises:
            GraphError: one of them does not fit the graph; nothing has changed.
        """
        return self._change(lambda over: list(changes), changes, author, reason)

    def promote(self, facts: Iterable[Fact], nodes: Iterable[Node], reason: str) -> Batch:
        """Keep facts of a conversation with the index, as the person's.

        Args:
            nodes: the facts' ends.

        Raises:
            GraphError: an end is missing, or all is known already; nothing has changed.
        """
        chosen = [fact for fact in facts if not fact.obsolete]
        by_id = {node.id: node for node in nodes}

        def made(over: Overlay) -> list[Change]:
            changes: list[Change] = []
            ids = {over.standing(end) for f in chosen for end in (f.subject, f.object)}
            known = {over.standing(identity): node for identity, node in by_id.items()}
            for identity in sorted(ids):
                if identity not in over.graph:
                    if identity not in known:
                        raise GraphError(f"the fact's end {identity[:80]!r} is not given")
                    changes.append(CreateNode(replace(known[identity], id=identity)))
            for fact in chosen:
                ends = (over.standing(fact.subject), over.standing(fact.object))
                changes += _keeping(over.graph, replace(fact, subject=ends[0], object=ends[1]))
            return changes

        return self._change(made, (), "person", reason)

    def undo(self) -> Batch:
        """Take back the last batch; `redo` brings it back.

        Raises:
            GraphError: there is none.
        """
        with writing(self.path) as db, db:
            db.execute("BEGIN IMMEDIATE")
            over = overlay(db)
            if not over.batches:
                raise GraphError("there is nothing to undo")
            store_log(db, over.batches[:-1], (over.batches[-1], *over.undone))
            revise(db)
            return over.batches[-1]

    def redo(self) -> Batch:
        """Apply again what was undone last.

        Raises:
            GraphError: there is none.
        """
        with writing(self.path) as db, db:
            db.execute("BEGIN IMMEDIATE")
            over = overlay(db)
            if not over.undone:
                raise GraphError("there is nothing to redo")
            store_log(db, (*over.batches, over.undone[0]), over.undone[1:])
            revise(db)
            return over.undone[0]

    def revert(self, number: int) -> Batch:
        """Take back one batch in the middle, as a new batch.

        Raises:
            GraphError: there is no such batch, or later changes build on it; nothing has changed.
        """
        log = self.log()
        if not 1 <= number <= len(log):
            raise GraphError(
                f"there is no change {number} in force", remedy="list them: assistant graph log"
            )
        old = log[number - 1]
        inverse = [change.inverse() for change in reversed(old.changes)]

        def made(over: Overlay) -> list[Change]:
            # A node made for a fact stays where other facts need it by now.
            own = {c.fact.id for c in old.changes if isinstance(c, CreateEdge)}
            others = (f for f in over.graph.facts(obsolete=True) if f.id not in own)
            used = {end for f in others for end in (f.subject, f.object)}
            return [c for c in inverse if not (isinstance(c, DeleteNode) and c.node.id in used)]

        try:
            return self._change(made, inverse, "person", f"takes back {number}: {old.reason}")
        except GraphError as error:
            raise GraphError(
                f"change {number} cannot be taken back alone: {error.message}",
                remedy="undo what came after it first: assistant graph undo",
            ) from error

    def _change(
        self, make: _Make, refers_to: Sequence[Change], author: Author, reason: str
    ) -> Batch:
        with writing(self.path) as db, db:
            db.execute("BEGIN IMMEDIATE")
            over = overlay(db, refers_to)
            graph = over.graph
            changes = make(over)
            batch = graph.apply(changes, author=author, reason=reason)
            store_log(db, (*over.batches, batch))
            revise(db)
            return batch


def _keeping(graph: ThoughtGraph, fact: Fact) -> list[Change]:
    if fact.id not in graph:
        return [CreateEdge(fact)]
    old = graph.fact(fact.id)
    changes: list[Change] = []
    if old.obsolete:  # a person says it again
        changes.append(RestoreEdge(old.id, old.obsolete))
        old = replace(old, obsolete="")
    more = combined(old, fact)
    return [*changes, ReviseEdge(old, more)] if more != old else changes
