"""Reading the derived layer: nodes and facts as the documents give them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.thoughts.model import Evidence, Fact, Node
from assistant.thoughts.persistent.rows import words_of
from assistant.thoughts.writing import combined

_MOST_MARKS = 500  # of one statement


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is: passages, entities and values, distinct facts, mentions."""

    passages: int
    entities: int
    facts: int
    mentions: int


def counts(db: sqlite3.Connection) -> Counts:
    """Of the whole layer."""
    tables = ("count(*) FROM passages", "count(*) FROM entities", "count(DISTINCT id) FROM facts")
    found = [db.execute(f"SELECT {t}").fetchone()[0] for t in (*tables, "count(*) FROM mentions")]
    return Counts(*map(int, found))


def nodes(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Node]:
    """Those nodes that there are, by id, in the order asked."""
    rows = _select(db, "SELECT id, label, type FROM entities WHERE id IN ({})", ids)
    made = (_node(identity, label, type_) for identity, label, type_ in rows)
    found = {node.id: node for node in made if node is not None}
    return {identity: found[identity] for identity in ids if identity in found}


def facts(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Fact]:
    """Those facts that there are, by id, in the order asked, each with all its evidence."""
    found: dict[str, Fact] = {}
    for row in _select(
        db,
        'SELECT f.id, s.id, f.relation, o.id, p.id, t.quote, f.start, f."end", f.confidence, '
        "f.negated, f.hedged, f.valid_from, f.valid_to FROM facts f "
        "JOIN entities s ON s.row = f.subject JOIN entities o ON o.row = f.object "
        "JOIN passages p ON p.row = f.passage JOIN sentences t "
        'ON t.passage = f.passage AND t.start = f.start AND t."end" = f."end" '
        "WHERE f.id IN ({}) ORDER BY p.id",
        ids,
    ):
        fact = _fact(row)
        old = found.get(fact.id)
        if old is not None:
            fact = combined(old, fact)
        found[fact.id] = fact
    return {identity: found[identity] for identity in ids if identity in found}


def facts_around(db: sqlite3.Connection, node_ids: Sequence[str], limit: int) -> dict[str, Fact]:
    """The facts that have one of these nodes at an end: those said most often first."""
    rows = [row for (row,) in _select(db, "SELECT row FROM entities WHERE id IN ({})", node_ids)]
    said: dict[str, int] = {}
    for end in ("subject", "object"):
        for identity, count in _select(
            db,
            f"SELECT id, count(*) FROM facts WHERE {end} IN ({{}}) GROUP BY id "
            f"ORDER BY count(*) DESC, id LIMIT {int(limit)}",
            rows,
        ):
            said[identity] = max(count, said.get(identity, 0))
    best = sorted(said, key=lambda identity: (-said[identity], identity))[:limit]
    return facts(db, best)


def passages_of(db: sqlite3.Connection, node_ids: Sequence[str], limit: int) -> list[str]:
    """Ids of the passages that name one of these nodes; those that are about it first."""
    rows = _select(
        db,
        "SELECT p.id, max(coalesce(m.about, 0)) FROM entities e "
        "JOIN surfaces s ON s.entity = e.row JOIN passages p ON p.row = s.passage "
        "LEFT JOIN mentions m ON m.passage = s.passage AND m.entity = s.entity "
        "WHERE e.id IN ({}) GROUP BY p.id",
        node_ids,
    )
    about: dict[str, int] = {}
    for identity, is_about in rows:
        about[identity] = max(int(is_about), about.get(identity, 0))
    return sorted(about, key=lambda identity: (-about[identity], identity))[:limit]


def named(db: sqlite3.Connection, ids: Sequence[str], label: str) -> list[str]:
    """Ids of nodes with one of these ids or that label."""
    rows = _select(db, "SELECT id FROM entities WHERE id IN ({})", ids)
    rows += db.execute("SELECT id FROM entities WHERE label = ?", (label,)).fetchall()
    return list(dict.fromkeys(str(identity) for (identity,) in rows))


def with_words(db: sqlite3.Connection, text: str, limit: int) -> list[str]:
    """Ids of nodes whose names have words that begin as these do: those with most of them first,
    then those that most passages name."""
    scores: dict[int, int] = {}
    for word in sorted(words_of(text)):
        found = db.execute(
            "SELECT DISTINCT entity FROM words WHERE word >= ? AND word < ?",
            (word, word + "\U0010ffff"),
        )
        for (entity,) in found:
            scores[entity] = scores.get(entity, 0) + 1
    if not scores:
        return []
    most = max(scores.values())
    best = [entity for entity, score in scores.items() if score == most]
    rows = _select(
        db,
        "SELECT e.id, e.label, count(DISTINCT s.passage) FROM entities e "
        "JOIN surfaces s ON s.entity = e.row WHERE e.row IN ({}) GROUP BY e.row",
        best,
    )
    ranked = sorted(rows, key=lambda row: (-row[2], len(row[1]), row[0]))
    return [str(identity) for identity, _, _ in ranked[:limit]]


def _node(identity: str, label: str, type_: str) -> Node | None:
    kind: Literal["value", "entity"] = "value" if identity.startswith("value:") else "entity"
    if not label.strip() or identity == f"{kind}:":
        return None
    return Node(identity, kind, label, type_)


def _fact(row: Sequence[object]) -> Fact:
    identity, subject, relation, object_, passage, quote, start, end, *rest = row
    confidence, negated, hedged, valid_from, valid_to = rest
    evidence = Evidence("passage", str(passage), str(quote), int(str(start)), int(str(end)))
    return Fact(
        id=str(identity),
        subject=str(subject),
        relation=str(relation),
        object=str(object_),
        evidence=(evidence,),
        confidence=float(str(confidence)),
        valid_from=str(valid_from),
        valid_to=str(valid_to),
        negated=bool(negated),
        hedged=bool(hedged),
    )


def _select(
    db: sqlite3.Connection, statement: str, values: Sequence[object]
) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for part in _parts(values):
        found += db.execute(statement.format(",".join("?" * len(part))), part).fetchall()
    return found


def _parts(values: Sequence[object]) -> Iterator[Sequence[object]]:
    return (values[i : i + _MOST_MARKS] for i in range(0, len(values), _MOST_MARKS))
