"""The entries of one index on disk: kept, listed, corrected, forgotten."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import UnknownNameError, UsageError
from assistant.knowledge.entries import (
    TIERS,
    KnowledgeEntry,
    Tier,
    TokenProbabilities,
    entry_id,
    fingerprint,
)
from assistant.knowledge.rows import SELECT_ENTRIES, entry_of, insert, packed, unpacked
from assistant.knowledge.schema import KNOWLEDGE_FILE, note, reading, set_note, writing
from indexes.store import PassageStore, read_only

_REVISION, _PUBLISHED = "revision", "published"


@dataclass(frozen=True, slots=True)
class PassageState:
    """What became of a passage: "done" or "failed" (with the reason), by which teacher."""

    key: bytes
    passage_id: str
    document_id: str
    teacher: str
    state: str
    reason: str = ""
    tries: int = 1
    seconds: float = 0.0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is: entries by tier, passages by state, what was dropped by reason."""

    entries: dict[str, int]
    passages: dict[str, int]
    failed: dict[str, int]
    dropped: dict[str, int]
    teachers: tuple[str, ...]
    deleted: int


class KnowledgeStore:
    """The store in `folder`, the folder of an index. Each method is one transaction.

    Safe to use from several processes: SQLite serialises them.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / KNOWLEDGE_FILE

    @property
    def exists(self) -> bool:
        """Whether anything was ever written for this index."""
        return self.path.is_file()

    # -- what a build does ------------------------------------------------------------------

    def create(self) -> None:
        """Make the file where it is missing."""
        with writing(self.path, create=True):
            pass

    def add(
        self,
        state: PassageState,
        entries: Sequence[KnowledgeEntry],
        tokens: Mapping[str, Sequence[TokenProbabilities]],
        dropped: Mapping[str, int],
    ) -> None:
        """Keep what came of one passage, all or nothing; entries that are there stay.

        Args:
            tokens: the answers' tokens with their probabilities, by entry id.
            dropped: how many candidates were not kept, by reason.
        """
        with writing(self.path) as db, db:
            db.execute(
                "INSERT OR REPLACE INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(state.key, state.passage_id, state.document_id, state.teacher),
                    *(state.state, state.reason, state.tries, state.seconds, state.tokens),
                ),
            )
            for entry in entries:
                insert(db, entry)
                if told := tokens.get(entry.id):
                    db.execute(
                        "INSERT OR REPLACE INTO logprobs VALUES (?, ?)", (entry.id, packed(told))
                    )
            for reason, count in dropped.items():
                db.execute(
                    "INSERT INTO dropped VALUES (?, ?) ON CONFLICT (reason) "
                    "DO UPDATE SET count = count + excluded.count",
                    (reason, count),
                )
            if entries:
                _changed(db)

    def states(self) -> dict[bytes, PassageState]:
        """What became of the passages that were worked on, by key."""
        with reading(self.path) as db:
            rows = db.execute("SELECT * FROM passages").fetchall()
        return {bytes(row[0]): PassageState(bytes(row[0]), *row[1:]) for row in rows}

    def deleted(self) -> set[bytes]:
        """Fingerprints (`entries.fingerprint`) of what a person deleted."""
        with reading(self.path) as db:
            return {bytes(row[0]) for row in db.execute("SELECT hash FROM deleted")}

    def rewards(self) -> dict[str, tuple[int, float]]:
        """(how often it was asked for, sum of rewards) by style."""
        with reading(self.path) as db:
            return {
                str(style): (int(pulls), float(reward))
                for style, pulls, reward in db.execute("SELECT * FROM styles")
            }

    def reward(self, style: str, reward: float) -> None:
        """Note what a style brought, once."""
        with writing(self.path) as db, db:
            db.execute(
                "INSERT INTO styles VALUES (?, 1, ?) ON CONFLICT (style) DO UPDATE SET "
                "pulls = pulls + 1, reward = reward + excluded.reward",
                (style, reward),
            )

    # -- following the index ----------------------------------------------------------------

    def follow(self, store: PassageStore, generation: str) -> int:
        """Let go of all that belongs to passages which are not in `store`; how many entries went.

        Passages that only moved (the same text under another id) keep their entries.
        """
        with writing(self.path) as db:
            db.execute("ATTACH ? AS store", (read_only(store.path),))
            try:
                with db:
                    gone = db.execute(
                        "DELETE FROM entries WHERE passage NOT IN (SELECT key FROM store.passages)"
                    ).rowcount
                    db.execute("DELETE FROM logprobs WHERE entry NOT IN (SELECT id FROM entries)")
                    for table, column in (("passages", "key"), ("deleted", "passage")):
                        db.execute(
                            f"DELETE FROM {table} WHERE {column} NOT IN "
                            "(SELECT key FROM store.passages)"
                        )
                    db.execute(
                        "UPDATE passages SET id = s.id, document_id = s.document_id FROM "
                        "(SELECT key, min(id) AS id, document_id FROM store.passages GROUP BY key) "
                        "AS s WHERE s.key = passages.key AND passages.id NOT IN "
                        "(SELECT o.id FROM store.passages o WHERE o.key = passages.key)"
                    )
                    set_note(db, "generation", generation)
                    if gone:
                        _changed(db)
            finally:
                db.execute("DETACH store")
        return int(gone)

    @property
    def generation(self) -> str:
        """The generation of the index that it followed last."""
        with reading(self.path) as db:
            return note(db, "generation")

    @property
    def published(self) -> bool:
        """Whether what is searched is what the store holds."""
        with reading(self.path) as db:
            return note(db, _PUBLISHED) == note(db, _REVISION)

    @property
    def revision(self) -> str:
        """Another one after every change of what is searched."""
        with reading(self.path) as db:
            return note(db, _REVISION)

    def set_published(self, revision: str) -> None:
        """Note that what is searched is the store as it was at that revision."""
        with writing(self.path) as db, db:
            set_note(db, _PUBLISHED, revision)

    # -- reading ----------------------------------------------------------------------------

    def entries(
        self, tier: Tier | None = None, *, passage_keys: Iterable[bytes] | None = None
    ) -> list[KnowledgeEntry]:
        """Entries in the order they were written; of one tier, or of some passages, if asked."""
        with reading(self.path) as db:
            rows = db.execute(f"{SELECT_ENTRIES} ORDER BY e.row").fetchall()
        wanted = None if passage_keys is None else set(passage_keys)
        found = [entry_of(row) for row in rows]
        return [
            entry
            for entry in found
            if (tier is None or entry.tier == tier)
            and (wanted is None or entry.passage_key in wanted)
        ]

    def entry(self, wanted: str) -> KnowledgeEntry:
        """The entry whose id begins with `wanted`.

        Raises:
            UnknownNameError: there is none.
            UsageError: there are several.
        """
        with reading(self.path) as db:
            if wanted and wanted.isalnum():
                rows = db.execute(f"{SELECT_ENTRIES} WHERE e.id GLOB ?", (f"{wanted}*",)).fetchall()
            else:
                rows = []
            if not rows:
                known = [row[0] for row in db.execute("SELECT id FROM entries LIMIT 10000")]
                near = [name for name in known if name[:3] == wanted[:3]][:20]
                raise UnknownNameError("entry", wanted, near or known[:5])
        if len(rows) > 1:
            raise UsageError(
                f"{len(rows)} entries begin with '{wanted}'", remedy="give more of the id"
            )
        return entry_of(rows[0])

    def tokens(self, entry: str) -> list[TokenProbabilities]:
        """The answer's tokens with the teacher's probabilities; empty where none were kept."""
        with reading(self.path) as db:
            row = db.execute("SELECT data FROM logprobs WHERE entry = ?", (entry,)).fetchone()
        return unpacked(row[0]) if row else []

    def counts(self) -> Counts:
        """How much there is."""
        with reading(self.path) as db:
            tiers = dict(db.execute("SELECT tier, count(*) FROM entries GROUP BY tier"))
            states = dict(db.execute("SELECT state, count(*) FROM passages GROUP BY state"))
            failed = dict(
                db.execute(
                    "SELECT reason, count(*) FROM passages WHERE state = 'failed' GROUP BY reason"
                )
            )
            dropped = dict(db.execute("SELECT reason, count FROM dropped ORDER BY reason"))
            teachers = [row[0] for row in db.execute("SELECT DISTINCT teacher FROM entries")]
            (deleted,) = db.execute("SELECT count(*) FROM deleted").fetchone()
        return Counts(
            {tier: tiers.get(tier, 0) for tier in TIERS},
            states,
            failed,
            dropped,
            tuple(sorted(teachers)),
            int(deleted),
        )

    # -- what a person decides --------------------------------------------------------------

    def set_tier(self, wanted: str, tier: Tier) -> KnowledgeEntry:
        """Approve or reject an entry; returns it as it is then. Raises as `entry`."""
        entry = self.entry(wanted)
        with writing(self.path) as db, db:
            db.execute("UPDATE entries SET tier = ? WHERE id = ?", (tier, entry.id))
            _changed(db)
        return self.entry(entry.id)

    def correct(self, wanted: str, said: str) -> KnowledgeEntry:
        """Put a person's words in place of the answer (or the statement); it is approved then.

        Raises:
            UsageError: nothing is said. Else as `entry`.
        """
        words = " ".join(said.split())
        if not words:
            raise UsageError("the answer is empty", remedy="give the right words, or delete it")
        entry = self.entry(wanted)
        # What is searched names an entry: a corrected statement is another one.
        text = entry.text if entry.kind == "qa" else words
        identity = entry_id(entry.passage_key, text)
        with writing(self.path) as db, db:
            if identity != entry.id:
                db.execute("DELETE FROM entries WHERE id = ?", (identity,))
                self._forget(db, entry)
            db.execute(
                "UPDATE entries SET id = ?, answer = ?, text = ?, tier = 'approved', "
                "likelihood = NULL, teacher = 'person' WHERE id = ?",
                (identity, words if entry.kind == "qa" else "", text, entry.id),
            )
            db.execute("DELETE FROM logprobs WHERE entry = ?", (entry.id,))
            _changed(db)
        return self.entry(identity)

    def delete(self, wanted: str) -> KnowledgeEntry:
        """Take an entry out for good: it is not written again for this passage. Raises as `entry`.

        Its text is gone from the file; a hash stays, by which it is known again.
        """
        entry = self.entry(wanted)
        with writing(self.path) as db, db:
            self._forget(db, entry)
            db.execute("DELETE FROM entries WHERE id = ?", (entry.id,))
            db.execute("DELETE FROM logprobs WHERE entry = ?", (entry.id,))
            _changed(db)
        return entry

    @staticmethod
    def _forget(db: sqlite3.Connection, entry: KnowledgeEntry) -> None:
        hashed = fingerprint(entry.passage_key, entry.text)
        db.execute("INSERT OR IGNORE INTO deleted VALUES (?, ?)", (hashed, entry.passage_key))


def _changed(db: sqlite3.Connection) -> None:
    """Say, within a transaction, that what is searched is out of date."""
    set_note(db, _REVISION, secrets.token_hex(8))
