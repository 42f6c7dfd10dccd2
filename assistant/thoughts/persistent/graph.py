"""The graph of an index, for reading: what its documents say, as the person has changed it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.thoughts.extraction.types import Extraction
from assistant.thoughts.knowledge import Knowledge
from assistant.thoughts.model import Fact, Node, node_id, normal_form
from assistant.thoughts.persistent import derived
from assistant.thoughts.persistent.derived import Counts
from assistant.thoughts.persistent.layer import Overlay, overlay
from assistant.thoughts.persistent.persons import PersonsLayer
from assistant.thoughts.persistent.rows import passage_key, unpacked
from assistant.thoughts.persistent.schema import note, reading
from assistant.thoughts.ranking import Links, Mentioned
from assistant.thoughts.writing import combined
from indexes.documents import Passage


@dataclass(frozen=True, slots=True)
class EntityPage:
    """All about one entity or value.

    Attributes:
        as_subject, as_object: its facts, those said most often first, at most as many as asked for;
            obsolete ones last.
        passages: ids of the passages that name it, those about it first.
    """

    node: Node
    as_subject: tuple[Fact, ...]
    as_object: tuple[Fact, ...]
    passages: tuple[str, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        return tuple({f.id: f for f in (*self.as_subject, *self.as_object)}.values())


class KnowledgeGraph(PersonsLayer):
    """The graph in a file, with what a person changed. Safe to share between threads.

    Every call sees one state of the file; a sync at the same time keeps nobody waiting.

    Args:
        path: `…/indexes/NAME/graph.sqlite`.
        fallback: reads passages that are not in the file; without it they mention nothing.

    Raises:
        GraphError: (by each method) there is no file.
    """

    def __init__(self, path: Path, fallback: Knowledge | None = None) -> None:
        super().__init__(path)
        self._fallback = fallback
        self._lock = threading.Lock()
        self._links: tuple[str, Links] | None = None
        self._overlay: tuple[str, Overlay] | None = None

    # -- what the loop asks -----------------------------------------------------------------

    def extractions(self, passages: Sequence[Passage]) -> list[Extraction]:
        """See `assistant.thoughts.knowledge.Knowledge`."""
        found: dict[bytes, bytes] = {}
        keys = [passage_key(passage) for passage in passages]
        with reading(self.path) as db:
            for key in set(keys):
                row = db.execute(
                    "SELECT e.data FROM extractions e WHERE e.key = ? AND e.extractor = "
                    "(SELECT p.extractor FROM passages p WHERE p.key = e.key)",
                    (key,),
                ).fetchone()
                if row is not None:
                    found[key] = bytes(row[0])
        result: dict[int, Extraction] = {}
        for place, (passage, key) in enumerate(zip(passages, keys, strict=True)):
            if key in found:
                try:
                    result[place] = unpacked(found[key], passage.id)
                except ValueError:
                    continue  # of another version: read it on the spot
        missing = [place for place in range(len(passages)) if place not in result]
        if missing and self._fallback is not None:
            read = self._fallback.extractions([passages[place] for place in missing])
            result.update(zip(missing, read, strict=True))
        return [
            result.get(place, Extraction(passage.id, (), ()))
            for place, passage in enumerate(passages)
        ]

    def links(self, passages: Sequence[Passage] = ()) -> Links:
        """Who mentions what in the whole index; kept in memory until the graph changes."""
        with reading(self.path) as db:
            revision = note(db, "revision")
            with self._lock:
                if self._links is not None and self._links[0] == revision:
                    return self._links[1]
            rows = db.execute(
                "SELECT p.id, e.id, m.about FROM mentions m JOIN passages p ON p.row = m.passage "
                "JOIN entities e ON e.row = m.entity"
            )
            made = Links([Mentioned(p, e, bool(about)) for p, e, about in rows])
        with self._lock:
            self._links = (revision, made)
        return made

    # -- looking into it --------------------------------------------------------------------

    @property
    def generation(self) -> str:
        """The generation of the index that it was last made to match; "" before the first."""
        with reading(self.path) as db:
            return note(db, "generation")

    @property
    def extractor(self) -> str:
        """The fingerprint of the extractor that read the passages."""
        with reading(self.path) as db:
            return note(db, "extractor")

    def counts(self) -> Counts:
        """How much there is in the documents."""
        with reading(self.path) as db:
            return derived.counts(db)

    def entity(self, identity: str, limit: int = 100) -> EntityPage | None:
        """All about the node of that id, or the one it was merged into; None if there is none.

        Args:
            limit: of facts with it as subject, as object, and of passages, each.
        """
        with reading(self.path) as db:
            over = self._over(db)
            identity = over.standing(identity)
            (node,) = self._nodes(db, over, [identity]) or (None,)
            if node is None:
                return None
            facts = self._facts(db, over, [identity], 2 * limit)
            passages = derived.passages_of(db, over.under(identity), limit)
        return EntityPage(
            node,
            tuple(f for f in facts if f.subject == identity)[:limit],
            tuple(f for f in facts if f.object == identity)[:limit],
            tuple(passages),
        )

    def entities_named(self, name: str) -> list[Node]:
        """The nodes whose id, label or alias that is; ids are `KIND:NAME`."""
        with reading(self.path) as db:
            over = self._over(db)
            own = [name, *(node_id(kind, name) for kind in ("entity", "value") if name.strip())]
            ids = derived.named(db, own, name)
            ids += [i for i in own if i in over.merged or i in over.graph]
            ids += [n.id for n in over.graph.named(name)] if name.strip() else []
            return self._nodes(db, over, ids)

    def search(self, words: str, limit: int = 20) -> list[Node]:
        """Nodes whose names have words that begin like these; those that most passages name
        first."""
        with reading(self.path) as db:
            over = self._over(db)
            ids = derived.with_words(db, words, limit + len(over.merged))
            asked = normal_form(words).split() if words.strip() else []
            for node in over.graph.nodes():
                names = " ".join(map(normal_form, (node.label, *node.aliases))).split()
                if asked and all(any(n.startswith(word) for n in names) for word in asked):
                    ids.append(node.id)
            return self._nodes(db, over, ids)[:limit]

    def neighbourhood(self, entity_ids: Sequence[str], limit: int = 100) -> list[Fact]:
        """The facts that have one of these nodes at an end: those that count, said most often
        first."""
        with reading(self.path) as db:
            over = self._over(db)
            ids = list(dict.fromkeys(map(over.standing, entity_ids)))
            found = self._facts(db, over, ids, limit)
        return [fact for fact in found if not fact.obsolete][:limit]

    def nodes(self, ids: Sequence[str]) -> dict[str, Node]:
        """The nodes of those ids, or the ones they were merged into, by the ids asked."""
        with reading(self.path) as db:
            over = self._over(db)
            found = {node.id: node for node in self._nodes(db, over, ids)}
        standing = ((identity, over.standing(identity)) for identity in ids)
        return {identity: found[now] for identity, now in standing if now in found}

    # -- both layers together ---------------------------------------------------------------

    def _over(self, db: sqlite3.Connection) -> Overlay:
        revision = note(db, "revision")
        with self._lock:
            if self._overlay is not None and self._overlay[0] == revision:
                return self._overlay[1]
        made = overlay(db)
        with self._lock:
            self._overlay = (revision, made)
        return made

    @staticmethod
    def _nodes(db: sqlite3.Connection, over: Overlay, ids: Sequence[str]) -> list[Node]:
        standing = list(dict.fromkeys(map(over.standing, ids)))
        found = derived.nodes(db, standing)
        nodes = []
        for identity in standing:
            if identity in over.graph and identity not in over.graph.table:
                nodes.append(over.graph.node(identity))
            elif identity in found and identity not in over.begun:
                nodes.append(found[identity])
        return nodes

    @staticmethod
    def _facts(db: sqlite3.Connection, over: Overlay, ids: Sequence[str], limit: int) -> list[Fact]:
        """Facts at these standing nodes: the documents' under the person's, obsolete ones last."""
        under = [below for identity in ids for below in over.under(identity)]
        found: dict[str, Fact] = {}
        for fact in derived.facts_around(db, under, limit + len(over.graph)).values():
            if fact.id in over.graph.table:
                mine = over.graph.fact(fact.id)
                found[fact.id] = mine if fact.id in over.begun else combined(mine, fact)
            elif fact.id not in over.begun:  # else the person deleted it
                ends = (over.standing(fact.subject), over.standing(fact.object))
                found[fact.id] = replace(fact, subject=ends[0], object=ends[1])
        for mine in over.graph.facts(obsolete=True):
            if mine.subject in ids or mine.object in ids:
                found.setdefault(mine.id, mine)
        wanted = set(ids)
        there = [f for f in found.values() if f.subject in wanted or f.object in wanted]
        # Promoted facts are few and were chosen; the limit must not hide them.
        return sorted(
            there,
            key=lambda f: (bool(f.obsolete), f.id not in over.graph.table, -len(f.evidence), f.id),
        )
