"""The tables of one index: a PostgreSQL schema of its own.

A document or passage is valid from the generation `since` until, not including, the generation
`until`; a reader of generation g sees what is valid at g. So an update writes only what changed,
and a reader keeps what it opened while the next generation is being staged beside it. What is
staged has the number after the published one and is seen by nobody until the number is published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from indexes.errors import IndexFormatError, IndexNotFoundError
from indexes.manifest import check_name
from indexes.postgres.address import Address
from indexes.postgres.session import Session

FORMAT = 1
PREFIX = "ka_"
FOREVER = 2_147_483_647
"""`until` of what has not ended."""

HASHES = 2**29
"""Dimensions that lexemes are hashed to; pgvector's limit is 10⁹. Two lexemes of one query and one
passage meet with a chance below one in a million."""

_LONGEST = 63  # characters of a name in PostgreSQL

_TABLES = (
    "CREATE TABLE meta (format int NOT NULL, name text NOT NULL, current int NOT NULL, "
    "created timestamptz NOT NULL DEFAULT now())",
    # `dense` and `sparse` are the encoders whose encodings are complete.
    "CREATE TABLE generations (number int PRIMARY KEY, documents bigint NOT NULL, "
    "passages bigint NOT NULL, configs text[] NOT NULL, dense int, "
    "sparse int, sources jsonb NOT NULL, excluded jsonb NOT NULL, failures jsonb NOT NULL, "
    "chunker text NOT NULL, updated timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE encoders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "stage text NOT NULL, fingerprint text NOT NULL, dimensions int NOT NULL, "
    "UNIQUE (stage, fingerprint))",
    "CREATE TABLE documents (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "id text NOT NULL, uri text NOT NULL, uri_key bytea NOT NULL, title text NOT NULL, "
    "media_type text NOT NULL, fingerprint text NOT NULL, modified float8, source text NOT NULL, "
    "language text NOT NULL, chunker text NOT NULL, text text NOT NULL, pages jsonb NOT NULL, "
    f"since int NOT NULL, until int NOT NULL DEFAULT {FOREVER})",
    f"CREATE UNIQUE INDEX documents_live ON documents (id) WHERE until = {FOREVER}",
    "CREATE INDEX documents_id ON documents (id)",
    "CREATE INDEX documents_uri ON documents (uri_key)",
    f"CREATE INDEX documents_ended ON documents (until) WHERE until < {FOREVER}",
    "CREATE TABLE passages (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "id text NOT NULL, document bigint NOT NULL REFERENCES documents ON DELETE CASCADE, "
    'start int NOT NULL, "end" int NOT NULL, page int, headings jsonb NOT NULL, '
    "key bytea NOT NULL, "
    f"since int NOT NULL, until int NOT NULL DEFAULT {FOREVER})",
    "CREATE INDEX passages_id ON passages (id)",
    "CREATE INDEX passages_document ON passages (document)",
    "CREATE INDEX passages_key ON passages (key)",
    f"CREATE INDEX passages_ended ON passages (until) WHERE until < {FOREVER}",
    # Apart from the passages, whose rows stay narrow for searches by vector. Rows stay whole on
    # their page (`toast_tuple_target`): a search reads many.
    "CREATE TABLE lexical (passage bigint PRIMARY KEY REFERENCES passages ON DELETE CASCADE, "
    "config text NOT NULL, words tsvector NOT NULL, "
    f"weights sparsevec({HASHES}) NOT NULL) WITH (toast_tuple_target = 8160)",
    "ALTER TABLE lexical ALTER COLUMN words SET STORAGE MAIN, "
    "ALTER COLUMN weights SET STORAGE MAIN",
    "CREATE INDEX lexical_words ON lexical USING gin (words)",
    # In how many passages a lexeme stands at generation g: the sum of the changes up to g.
    "CREATE TABLE frequencies (lexeme text, since int, change bigint NOT NULL, "
    "PRIMARY KEY (lexeme, since))",
    "CREATE TABLE batches (id bigint PRIMARY KEY, encoder int NOT NULL, texts int NOT NULL, "
    "worker text, lease timestamptz, attempts int NOT NULL DEFAULT 0, done timestamptz)",
    "CREATE TABLE queue (encoder int NOT NULL, key bytea NOT NULL, batch bigint NOT NULL, "
    "PRIMARY KEY (encoder, key))",
    "CREATE INDEX queue_batch ON queue (batch)",
)


def schema_of(name: str, prefix: str = PREFIX) -> str:
    """The PostgreSQL schema of the index, or other collection, of that name.

    Raises:
        UsageError: it cannot be an index's name.
    """
    plain = prefix + check_name(name)
    if len(plain) <= _LONGEST:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{plain[: _LONGEST - len(digest) - 1]}~{digest}"


def lock_key(schema: str) -> int:
    """The number under which an index's advisory locks are known: a signed 32-bit integer."""
    return int.from_bytes(hashlib.sha256(schema.encode()).digest()[:4], "big", signed=True)


def exists(session: Session) -> bool:
    """Whether the session's schema holds an index."""
    return bool(
        session.value(
            "SELECT true FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = 'meta'",
            (session.schema,),
        )
    )


def create(session: Session, name: str) -> None:
    """Make the tables of an index that is not there yet."""
    if exists(session):
        return
    quoted = quote(session.schema or "")
    with session.transaction():
        # Of two processes that make it at once, the second finds it made.
        session.rows("SELECT pg_advisory_xact_lock(%s, -1)", (lock_key(session.schema or ""),))
        if exists(session):
            return
        session.run(f"CREATE SCHEMA IF NOT EXISTS {quoted}")
        for statement in _TABLES:
            session.run(statement)
        session.run("INSERT INTO meta VALUES (%s, %s, 0)", (FORMAT, name))


def check(session: Session, name: str) -> None:
    """Make sure that the session's schema holds an index of this format.

    Raises:
        IndexNotFoundError: there is none.
        IndexFormatError: it is of another format.
    """
    if not exists(session):
        raise IndexNotFoundError(
            f"there is no index '{name}' at {session.address}",
            remedy=f"build it: assistant index build {name} --from FOLDER "
            f"--engine {session.address}",
        )
    version = session.value("SELECT format FROM meta")
    if version != FORMAT:
        raise IndexFormatError(
            f"index '{name}' at {session.address} has format {version}, this version reads "
            f"{FORMAT}",
            remedy=f"delete it and build it anew: assistant index delete {name}",
        )


def names(address: Address) -> list[str]:
    """The names of all indexes in a database."""
    session = Session(address)
    try:
        return sorted(_names(session))
    finally:
        session.close()


def _names(session: Session) -> Iterator[str]:
    for (schema,) in session.rows(
        "SELECT n.nspname FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid "
        "WHERE starts_with(n.nspname, %s) AND c.relname = 'meta' AND c.relkind = 'r'",
        (PREFIX,),
    ):
        name = session.value(f"SELECT name FROM {quote(schema)}.meta")
        if name:
            yield str(name)


def quote(name: str) -> str:
    """A name as an identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'
