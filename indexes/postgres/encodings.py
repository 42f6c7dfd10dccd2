"""What was encoded, by encoder and text: a table for each encoder, searched by pgvector.

Dense vectors are kept in half precision (`halfvec`), learned sparse weights as `sparsevec`. A text
is known by its SHA-256, so that passages with the same text share one encoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from indexes.encoders import DenseEncoder, FloatArray, SparseEncoder
from indexes.errors import ModelRuntimeError
from indexes.postgres.session import Session

# HNSW's usual parameters; more of either costs build time and memory for little recall.
_LINKS, _BUILD_WIDTH = 16, 64
# pgvector cannot build a graph over rows with more non-zero elements, or over longer vectors.
MOST_GRAPH_TERMS, MOST_GRAPH_DIMENSIONS = 1000, 4000


@dataclass(frozen=True, slots=True)
class KnownEncoder:
    """An encoder that an index knows."""

    id: int
    stage: str
    fingerprint: str
    dimensions: int

    @property
    def table(self) -> str:
        return f"encodings_{self.id:d}"

    @property
    def graph(self) -> str:
        """The name of the HNSW index."""
        return f"{self.table}_hnsw"

    @property
    def kind(self) -> str:
        return "halfvec" if self.stage == "dense" else "sparsevec"


def known_encoders(session: Session) -> list[KnownEncoder]:
    """Every encoder that the index has encodings of, or is getting them."""
    rows = session.rows("SELECT id, stage, fingerprint, dimensions FROM encoders ORDER BY id")
    return [KnownEncoder(*row) for row in rows]


def encoder_at(session: Session, identity: int | None) -> KnownEncoder | None:
    """The encoder with that number."""
    return next((known for known in known_encoders(session) if known.id == identity), None)


def register(session: Session, stage: str, fingerprint: str, dimensions: int) -> KnownEncoder:
    """The encoder of that fingerprint, with its table; made when it is new."""
    with session.transaction():
        session.run(
            "INSERT INTO encoders (stage, fingerprint, dimensions) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            (stage, fingerprint, dimensions),
        )
        row = session.one(
            "SELECT id, stage, fingerprint, dimensions FROM encoders "
            "WHERE stage = %s AND fingerprint = %s",
            (stage, fingerprint),
        )
        assert row is not None
        known = KnownEncoder(*row)
        if known.dimensions != dimensions:
            raise ModelRuntimeError(
                f"two {stage} encoders call themselves {fingerprint}",
                remedy="give one of them another fingerprint",
            )
        # Rows stay whole on their page: a search over all of them would otherwise fetch each
        # encoding from somewhere else.
        session.run(
            f"CREATE TABLE IF NOT EXISTS {known.table} (key bytea PRIMARY KEY, "
            f"encoding {known.kind}({known.dimensions:d}) NOT NULL) "
            "WITH (toast_tuple_target = 8160)"
        )
        session.run(f"ALTER TABLE {known.table} ALTER COLUMN encoding SET STORAGE MAIN")
    return known


def packed(known: KnownEncoder, encoder: DenseEncoder | SparseEncoder, texts: Sequence[str]) -> Any:
    """The encodings of texts, as values for the encoder's table."""
    encoded = encoder.encode(texts)
    if known.stage == "dense":
        return [half_vector(vector) for vector in encoded]  # type: ignore[union-attr]
    matrix = sp.csr_matrix(encoded)
    return [sparse_vector(matrix[row], known.dimensions) for row in range(matrix.shape[0])]


def half_vector(vector: FloatArray) -> Any:
    """A vector as the server takes it."""
    from pgvector.halfvec import HalfVector

    return HalfVector(np.asarray(vector, dtype=np.float16))


def sparse_vector(row: sp.csr_matrix, dimensions: int) -> Any:
    """A row of shape (1, V) as the server takes it; V may be below `dimensions`."""
    from pgvector.sparsevec import SparseVector

    pairs = zip(row.indices.tolist(), row.data.tolist(), strict=True)
    return SparseVector({column: weight for column, weight in pairs if weight}, dimensions)


def has_graph(session: Session, known: KnownEncoder) -> bool:
    """Whether searches can go by an HNSW graph."""
    return bool(
        session.value(
            "SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass(%s)",
            (known.graph,),
        )
    )


def build_graph(session: Session, known: KnownEncoder, memory: str) -> bool:
    """Build the HNSW graph of an encoder; later encodings are added to it as they come.

    Args:
        memory: `maintenance_work_mem` for the build; a graph that does not fit is built slowly.

    Returns:
        False where pgvector cannot build one: vectors too long, or passages with too many terms.
    """
    if has_graph(session, known):
        return True
    if known.stage == "dense" and known.dimensions > MOST_GRAPH_DIMENSIONS:
        return False
    if known.stage == "sparse" and session.value(
        f"SELECT true FROM {known.table} "
        # The text form is {term:weight,…}/dimensions: one colon for each term.
        "WHERE length(encoding::text) - length(replace(encoding::text, ':', '')) > %s LIMIT 1",
        (MOST_GRAPH_TERMS,),
    ):
        return False
    with session.transaction():
        session.run("SELECT set_config('maintenance_work_mem', %s, true)", (memory,))
        session.run(
            f"CREATE INDEX {known.graph} ON {known.table} USING hnsw "
            f"(encoding {known.kind}_ip_ops) WITH (m = {_LINKS}, ef_construction = {_BUILD_WIDTH})"
        )
    return True
