"""The person's layer of a graph: a log of changes over what the documents say.

The log is replayed over a small graph that begins with just those derived nodes and facts that its
changes refer to. Since the documents may have changed in between, a change is first fitted to what
is there now: "add this alias" stays that, whatever other evidence has come since.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.thoughts.changes import (
    BATCHES,
    Batch,
    Change,
    CreateEdge,
    CreateNode,
    DeleteEdge,
    DeleteNode,
    ReviseEdge,
    ReviseNode,
)
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Fact
from assistant.thoughts.persistent import derived
from assistant.thoughts.persistent.fitting import FittingGraph, begin, refers_to
from indexes.store import PassageStore


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the log makes of the derived layer.

    Attributes:
        graph: the nodes and facts that the log refers to, as they are now.
        begun: ids of the derived facts and nodes that it began with.
        merged: id of a node that is no more → id of the one that stands for it.
        batches, undone: the log: in force, and to be redone, the next first.
    """

    graph: ThoughtGraph
    begun: frozenset[str]
    merged: dict[str, str]
    batches: tuple[Batch, ...] = ()
    undone: tuple[Batch, ...] = ()

    def standing(self, identity: str) -> str:
        """The id of the node that this one is now."""
        while identity in self.merged:
            identity = self.merged[identity]
        return identity

    def under(self, identity: str) -> list[str]:
        """The ids of the nodes that this one stands for, its own first."""
        return [identity, *(i for i in self.merged if self.standing(i) == identity)]


def stored_log(db: sqlite3.Connection) -> tuple[tuple[Batch, ...], tuple[Batch, ...]]:
    """The batches in force, oldest first, and those that were undone, the next to redo first."""
    force: list[Batch] = []
    undone: list[Batch] = []
    for in_force, text in db.execute("SELECT in_force, batch FROM log ORDER BY number"):
        (force if in_force else undone).extend(BATCHES.validate_json(text))
    return tuple(force), tuple(undone)


def store_log(
    db: sqlite3.Connection, batches: Sequence[Batch], undone: Sequence[Batch] = ()
) -> None:
    """Replace the log; batches are numbered anew from 1."""
    db.execute("DELETE FROM log")
    for number, batch in enumerate((*batches, *undone), start=1):
        text = BATCHES.dump_json([replace(batch, number=number)]).decode()
        db.execute("INSERT INTO log VALUES (?, ?, ?)", (number, number <= len(batches), text))


def overlay(db: sqlite3.Connection, more: Sequence[Change] = ()) -> Overlay:
    """The log in force, replayed; ready for `more` changes, which are not applied."""
    batches, undone = stored_log(db)
    graph = begin(db, [*all_changes(batches), *more])
    begun = frozenset((*graph.table, *(node.id for node in graph.nodes())))
    for batch in batches:
        graph.fit(batch)
    return Overlay(graph, begun, _merged(graph, batches), batches, undone)


def everything(db: sqlite3.Connection, over: Overlay) -> list[Change]:
    """All derived nodes and facts; what came after a merge is put under the node that stands."""
    nodes = derived.nodes(db, [str(i) for (i,) in db.execute("SELECT id FROM entities")])
    ids = db.execute("SELECT DISTINCT id FROM facts").fetchall()
    changes: list[Change] = [CreateNode(node) for node in nodes.values()]
    for fact in derived.facts(db, [str(i) for (i,) in ids]).values():
        if fact.id not in over.begun:
            ends = (over.standing(fact.subject), over.standing(fact.object))
            fact = replace(fact, subject=ends[0], object=ends[1])
        if fact.subject in nodes and fact.object in nodes:
            changes.append(CreateEdge(fact))
    return changes


def forget_lost_ground(db: sqlite3.Connection, store: PassageStore) -> int:
    """Take out of the log what refers to text that is no longer in the index.

    Evidence goes with its passage, or when the passage no longer has the quoted sentence; a fact
    that had evidence in passages and has none left goes, with the nodes made for it; so does a
    merge of a node that is no more. What can no longer be redone is forgotten.

    Returns:
        how many promoted facts went.
    """
    batches, undone = stored_log(db)
    if not batches and not undone:
        return 0
    alive = _Living(store)
    lost = {
        change.fact.id
        for change in all_changes(batches)
        if isinstance(change, CreateEdge) and not alive.holds(change.fact)
    }
    changes = list(all_changes((*batches, *undone)))
    back = _taken_back(changes)
    lost_nodes = back - set(derived.nodes(db, sorted(back)))
    stays = _stays(changes, alive.holds, lost_nodes)

    def purged(some: Sequence[Batch]) -> list[Batch]:
        made = []
        for batch in some:
            changes = tuple(alive.stripped(c) for c in batch.changes if stays(c))
            if changes:
                made.append(replace(batch, changes=changes))
        return made

    graph = begin(db, list(all_changes(purged((*batches, *undone)))))
    kept = _fitting(graph, purged(batches))
    tail = _fitting(graph, purged(undone))
    if not _same(tail, undone):
        tail = []
    if not _same(kept, batches) or not _same(tail, undone):
        store_log(db, kept, tail)
    return len(lost)


def _fitting(graph: FittingGraph, batches: Iterable[Batch]) -> list[Batch]:
    fit = [replace(batch, changes=graph.fit(batch)) for batch in batches]
    return [batch for batch in fit if batch.changes]


def _same(some: Sequence[Batch], others: Sequence[Batch]) -> bool:
    return [batch.changes for batch in some] == [batch.changes for batch in others]


class _Living:
    """Whether evidence is still in the index."""

    def __init__(self, store: PassageStore) -> None:
        self._store = store
        self._texts: dict[str, str | None] = {}

    def holds(self, fact: Fact) -> bool:
        """It was never said in a passage, or is still."""
        return not fact.passages or bool(self.strip(fact).evidence)

    def strip(self, fact: Fact) -> Fact:
        kept = tuple(
            e for e in fact.evidence if e.kind != "passage" or self._has(e.source, e.quote)
        )
        return fact if kept == fact.evidence else replace(fact, evidence=kept)

    def stripped(self, change: Change) -> Change:
        match change:
            case CreateEdge(fact):
                return CreateEdge(self.strip(fact))
            case DeleteEdge(fact):
                return DeleteEdge(self.strip(fact))
            case ReviseEdge(old, new):
                return ReviseEdge(self.strip(old), self.strip(new))
        return change

    def _has(self, passage_id: str, quote: str) -> bool:
        if passage_id not in self._texts:
            passage = self._store.passage(passage_id)
            self._texts[passage_id] = " ".join(passage.text.split()) if passage else None
        text = self._texts[passage_id]
        return text is not None and " ".join(quote.split()) in text


def _taken_back(changes: Sequence[Change]) -> set[str]:
    """Nodes of the documents that a merge deleted: making one of them again takes that back."""
    made: set[str] = set()
    deleted: set[str] = set()
    for change in changes:
        if isinstance(change, CreateNode):
            made.add(change.node.id)
        elif isinstance(change, DeleteNode) and change.node.id not in made:
            deleted.add(change.node.id)
    return deleted


def _stays(
    changes: Sequence[Change], holds: Callable[[Fact], bool], lost_nodes: Collection[str]
) -> Callable[[Change], bool]:
    """Whether a change still has its ground.

    Args:
        lost_nodes: of documents, that are in none any more.
    """
    facts = [change.fact for change in changes if isinstance(change, CreateEdge)]
    gone = {fact.id for fact in facts if not holds(fact)}
    ends = {end for fact in facts for end in (fact.subject, fact.object)}
    held = {e for fact in facts if fact.id not in gone for e in (fact.subject, fact.object)}

    def stays(change: Change) -> bool:
        if isinstance(change, CreateNode):
            of_its_own = change.node.id not in ends and change.node.id not in lost_nodes
            return of_its_own or change.node.id in held
        fact = change.fact.id if isinstance(change, CreateEdge) else refers_to(change)[0]
        return fact not in gone

    return stays


def _merged(graph: ThoughtGraph, batches: Iterable[Batch]) -> dict[str, str]:
    merged = {}
    for batch in batches:
        gone = [c.node for c in batch.changes if isinstance(c, DeleteNode)]
        for change in batch.changes:
            if isinstance(change, ReviseNode):
                added = set(change.new.aliases) - set(change.old.aliases)
                merged.update({n.id: change.new.id for n in gone if n.label in added})
    return {drop: keep for drop, keep in merged.items() if drop not in graph and drop != keep}


def all_changes(batches: Iterable[Batch]) -> Iterator[Change]:
    return (change for batch in batches for change in batch.changes)
