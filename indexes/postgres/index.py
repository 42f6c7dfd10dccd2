"""The published state of an index in PostgreSQL, searched like any other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from indexes.encoders import Encoders
from indexes.errors import IndexCorruptError, IndexNotFoundError, StorageError
from indexes.files import write_atomically
from indexes.filters import Filter
from indexes.index import Index
from indexes.manifest import Manifest
from indexes.postgres import generations, schema
from indexes.postgres.address import Address
from indexes.postgres.encodings import encoder_at
from indexes.postgres.session import Session
from indexes.postgres.stages import (
    EXACT_UP_TO,
    PostgresDense,
    PostgresLexical,
    PostgresSparse,
)
from indexes.postgres.store import PostgresStore
from indexes.ranker import Ranker

ENGINE_FILE = "engine.json"


class PostgresIndex(Index):
    """`indexes.index.Index` over a server: the same search and fusion.

    A reader holds the generation it opened by an advisory lock, so no writer removes it; the lock
    falls with the connection.

    Args:
        folder: the index's folder on this machine, which names the server.
        session: on the index's schema; the index closes it.
        generation: the one that the session holds.
    """

    explains = False

    def __init__(
        self,
        folder: Path,
        session: Session,
        generation: int,
        manifest: Manifest,
        encoders: Encoders,
        *,
        exact_up_to: int = EXACT_UP_TO,
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self._session, self._generation = session, generation
        self._masks = {}
        store: Any = PostgresStore(session, generation)
        self.store = store
        row = session.one(
            "SELECT passages, configs, dense, sparse, updated FROM generations WHERE number = %s",
            (generation,),
        )
        assert row is not None  # held, so it cannot have been removed
        size, configs, dense, sparse, self._updated = row
        lexical: Any = PostgresLexical(session, generation, list(configs), size)
        known_dense, known_sparse = encoder_at(session, dense), encoder_at(session, sparse)
        by_vectors: Any = known_dense and PostgresDense(
            session, generation, known_dense, size, exact_up_to
        )
        by_terms: Any = known_sparse and PostgresSparse(
            session, generation, known_sparse, size, exact_up_to
        )
        self.encoders = encoders
        self.lexical, self.dense, self.sparse = lexical, by_vectors, by_terms
        self._ranker = Ranker(manifest, encoders, lexical, by_vectors, by_terms)

    @classmethod
    def connect(
        cls,
        address: Address,
        name: str,
        encoders: Encoders,
        *,
        folder: Path | None = None,
        exact_up_to: int = EXACT_UP_TO,
    ) -> PostgresIndex:
        """Open the published index of that name on a server.

        Args:
            exact_up_to: passages that are all compared; above, graphs are walked.

        Raises:
            IndexNotFoundError, IndexFormatError: see the messages.
            StorageError: the server cannot be reached.
        """
        session = Session(address, schema.schema_of(name))
        try:
            schema.check(session, name)
            generation = generations.hold(session)
            manifest = generations.manifest_of(session, generation)
            if manifest is None:
                raise IndexNotFoundError(
                    f"index '{name}' at {address} is not published yet",
                    remedy="run its `assistant index build` to the end",
                )
            place = folder or Path(name)
            return cls(place, session, generation, manifest, encoders, exact_up_to=exact_up_to)
        except BaseException:
            session.close()
            raise

    @classmethod
    def open(cls, folder: Path, encoders: Encoders) -> PostgresIndex:
        """Open the index that the folder's `engine.json` names.

        Raises:
            IndexNotFoundError: there is no such file, or no index on the server.
            IndexCorruptError: the file cannot be understood.
        """
        return cls.connect(read_engine(folder), folder.name, encoders, folder=folder)

    def permitted(self, rows: Sequence[int], where: Filter) -> list[int]:
        """Those of `rows` that are of documents that pass the filter."""
        restriction: Any = self.allowed(where)
        store: Any = self.store
        return list(rows) if restriction is None else store.permitted(rows, restriction)

    @property
    def is_current(self) -> bool:
        """False once a writer has published something newer, or the connection is lost."""
        if self._session.broken:
            return False
        try:
            row = self._session.one(
                "SELECT m.current, g.updated FROM meta m JOIN generations g ON g.number = m.current"
            )
        except StorageError:  # opening again tells whether the server is back
            return False
        return row == (self._generation, self._updated)

    def close(self) -> None:
        self._session.close()


def has_engine(folder: Path) -> bool:
    """Whether the index of this folder lies on a server."""
    return (folder / ENGINE_FILE).is_file()


def read_engine(folder: Path) -> Address:
    """Where the index of a folder lies.

    Raises:
        IndexNotFoundError: there is no `engine.json`.
        IndexCorruptError: it cannot be understood.
    """
    try:
        values = json.loads((folder / ENGINE_FILE).read_text(encoding="utf-8"))
        return Address.parse(str(values["engine"]))
    except FileNotFoundError as error:
        raise IndexNotFoundError(f"there is no index '{folder.name}'") from error
    except (ValueError, KeyError, TypeError) as error:
        raise IndexCorruptError(
            f"{folder / ENGINE_FILE} is damaged",
            remedy=f'write into it: {{"engine": "postgresql://USER@HOST/DATABASE"}}, or build '
            f"'{folder.name}' again with --engine",
        ) from error


def write_engine(folder: Path, address: Address) -> None:
    """Let a folder name the server of its index; a password is not written."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / ENGINE_FILE, json.dumps({"engine": address.text}).encode())
