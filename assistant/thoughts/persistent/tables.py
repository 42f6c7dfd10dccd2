"""Writing the derived layer's rows: what passages say, and the names of what they name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from assistant.thoughts.persistent.rows import PassageRows, words_of_id

_MOST_MARKS = 500  # of one statement


class Tables:
    """The tables of a file that is being written; transactions are the caller's."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def drop(self, passages: Sequence[int]) -> set[int]:
        """Delete what these passages say; returns the entities they named."""
        found = self.select("SELECT entity FROM surfaces WHERE passage IN ({})", passages)
        found += self.select("SELECT entity FROM mentions WHERE passage IN ({})", passages)
        for table in ("surfaces", "mentions", "facts", "sentences"):
            self.delete(f"DELETE FROM {table} WHERE passage IN ({{}})", passages)
        return {int(entity) for (entity,) in found}

    def insert(self, passage: int, rows: PassageRows) -> set[int]:
        """Put down what a passage says; returns the entities it names."""
        ids = {identity for identity, _, _ in rows.surfaces} | set(rows.mentions)
        self._db.executemany(
            "INSERT OR IGNORE INTO entities (id, label, type) VALUES (?, '', '')",
            ((identity,) for identity in sorted(ids)),
        )
        found = self.select("SELECT id, row FROM entities WHERE id IN ({})", sorted(ids))
        entity = {str(identity): int(row) for identity, row in found}
        self._db.executemany(
            "INSERT OR IGNORE INTO words VALUES (?, ?)",
            ((word, row) for identity, row in entity.items() for word in words_of_id(identity)),
        )
        self._db.executemany(
            "INSERT INTO surfaces VALUES (?, ?, ?, ?, ?)",
            ((passage, entity[i], label, type_, n) for (i, label, type_), n in
             rows.surfaces.items()),
        )  # fmt: skip
        self._db.executemany(
            "INSERT INTO mentions VALUES (?, ?, ?)",
            ((passage, entity[i], about) for i, about in rows.mentions.items()),
        )
        for fact in rows.facts:
            (evidence,) = fact.evidence
            self._db.execute(
                "INSERT OR IGNORE INTO sentences VALUES (?, ?, ?, ?)",
                (passage, evidence.start, evidence.end, evidence.quote),
            )
            self._db.execute(
                "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    passage,
                    fact.id,
                    entity[fact.subject],
                    fact.relation,
                    entity[fact.object],
                    evidence.start,
                    evidence.end,
                    fact.confidence,
                    fact.negated,
                    fact.hedged,
                    fact.valid_from,
                    fact.valid_to,
                ),
            )
        return set(entity.values())

    def settle(self, touched: Iterable[int]) -> None:
        """Name each entity as its passages do most often; forget those that none names."""
        for part in _parts(sorted(touched)):
            votes: dict[int, list[tuple[str, str, int]]] = {row: [] for row in part}
            for entity, label, type_, count in self.select(
                "SELECT entity, label, type, sum(count) FROM surfaces WHERE entity IN ({}) "
                "GROUP BY entity, label, type",
                part,
            ):
                votes[entity].append((label, type_, count))
            named = {
                row: (_most(f, lambda v: v[0]), _most(f, lambda v: v[1]))
                for row, f in votes.items()
                if f
            }
            self._forget([row for row in part if row not in named])
            self._db.executemany(
                "UPDATE entities SET label = ?, type = ? WHERE row = ?",
                ((label, type_, row) for row, (label, type_) in named.items()),
            )

    def _forget(self, entities: Sequence[int]) -> None:
        found = self.select("SELECT row, id FROM entities WHERE row IN ({})", entities)
        self._db.executemany(
            "DELETE FROM words WHERE word = ? AND entity = ?",
            ((word, row) for row, identity in found for word in words_of_id(identity)),
        )
        self.delete("DELETE FROM entities WHERE row IN ({})", entities)

    def select(
        self, statement: str, values: Sequence[object], *more: object
    ) -> list[tuple[Any, ...]]:
        """Rows of a statement with `({})` for the values, which may be many."""
        found: list[tuple[Any, ...]] = []
        for part in _parts(values):
            marks = ",".join("?" * len(part))
            found += self._db.execute(statement.format(marks), (*part, *more)).fetchall()
        return found

    def delete(self, statement: str, values: Sequence[object]) -> None:
        """Run a statement with `({})` for the values, which may be many."""
        for part in _parts(values):
            self._db.execute(statement.format(",".join("?" * len(part))), part)


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[i : i + _MOST_MARKS] for i in range(0, len(values), _MOST_MARKS))


def _most(votes: Sequence[tuple[str, str, int]], of: Callable[[tuple[str, str, int]], str]) -> str:
    """What most have; of equally many the first by alphabet; "" only where nobody has more."""
    counts: dict[str, int] = {}
    for vote in votes:
        if of(vote):
            counts[of(vote)] = counts.get(of(vote), 0) + vote[2]
    return min(counts, key=lambda text: (-counts[text], text), default="")
