"""A LangChain vector store in PostgreSQL, written and searched by any number of processes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from langchain_core.documents import Document as LangChainDocument
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from indexes.errors import UsageError
from indexes.postgres.address import Address
from indexes.postgres.characters import cleaned, cleaned_json
from indexes.postgres.encodings import half_vector
from indexes.postgres.schema import quote, schema_of
from indexes.postgres.session import Row, Session

_PREFIX = "kav_"
_COLUMNS = "id, content, metadata"
_WIDEST = 1000


class PostgresVectorStore(VectorStore):
    """`VectorStore` over pgvector: texts with metadata, found by the cosine of their vectors.

    Exact until `build_graph` is called; from then on an HNSW graph is walked, and what is added
    later enters it. A filter, `{"key": value, …}`, is a condition inside the search: the metadata
    must contain it, nested values too.

    Args:
        name: the collection's; others of the same database are not seen.
        dimensions: of the vectors; None asks the embedding once.

    Raises:
        ModelRuntimeError: the extra `postgres` is not installed.
        StorageError: the server cannot be reached.
        UsageError: the collection holds vectors of another length.
    """

    def __init__(
        self,
        address: Address | str,
        name: str,
        embedding: Embeddings,
        *,
        dimensions: int | None = None,
    ) -> None:
        where = Address.parse(address) if isinstance(address, str) else address
        self._embedding = embedding
        self._session = Session(where, schema_of(name, _PREFIX))
        self._dimensions = dimensions or len(embedding.embed_query("dimensions"))
        self._create()

    def _create(self) -> None:
        session = self._session
        with session.transaction():
            session.rows("SELECT pg_advisory_xact_lock(hashtext(%s))", (session.schema,))
            session.run(f"CREATE SCHEMA IF NOT EXISTS {quote(session.schema or '')}")
            session.run(
                "CREATE TABLE IF NOT EXISTS vectors (id text PRIMARY KEY, content text NOT NULL, "
                "metadata jsonb NOT NULL, "
                f"embedding halfvec({self._dimensions:d}) NOT NULL, "
                "added bigint GENERATED ALWAYS AS IDENTITY)"
            )
        kind = session.value(
            "SELECT atttypmod FROM pg_attribute "
            "WHERE attrelid = 'vectors'::regclass AND attname = 'embedding'"
        )
        if kind != self._dimensions:
            session.close()
            raise UsageError(
                f"this collection holds vectors of {kind} dimensions, not {self._dimensions}",
                remedy="give the embedding that it was made with, or another name",
            )

    @property
    def embeddings(self) -> Embeddings:
        """The embedding in use."""
        return self._embedding

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def drop(self) -> None:
        """Remove the collection from the server."""
        self._session.run(f"DROP SCHEMA IF EXISTS {quote(self._session.schema or '')} CASCADE")

    def build_graph(self, memory: str = "1GB") -> None:
        """Build the HNSW graph: worth it from some 50,000 vectors on."""
        with self._session.transaction():
            self._session.run("SELECT set_config('maintenance_work_mem', %s, true)", (memory,))
            self._session.run(
                "CREATE INDEX IF NOT EXISTS vectors_hnsw ON vectors "
                "USING hnsw (embedding halfvec_cosine_ops)"
            )

    # -- writing ------------------------------------------------------------------------------

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add texts, as a whole or not at all; a text whose id exists replaces it."""
        contents = [cleaned(text) for text in texts]
        given = list(ids) if ids is not None else [None] * len(contents)
        data = metadatas if metadatas is not None else [{} for _ in contents]
        if not len(contents) == len(given) == len(data):
            raise UsageError("texts, metadatas and ids are not of one length")
        names = [name or uuid.uuid4().hex for name in given]
        vectors = self._embedding.embed_documents(contents) if contents else []
        rows = zip(names, contents, data, vectors, strict=True)
        with self._session.transaction():
            self._session.many(
                "INSERT INTO vectors (id, content, metadata, embedding) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (id) DO UPDATE SET content = EXCLUDED.content, "
                "metadata = EXCLUDED.metadata, embedding = EXCLUDED.embedding",
                (
                    (cleaned(name), text, _json(meta), half_vector(np.asarray(vector)))
                    for name, text, meta, vector in rows
                ),
            )
        return names

    def add_documents(self, documents: list[LangChainDocument], **kwargs: Any) -> list[str]:
        """Add documents; ids that are given as an argument win over the documents' own."""
        ids = kwargs.pop("ids", None) or [document.id for document in documents]
        return self.add_texts(
            [document.page_content for document in documents],
            [document.metadata for document in documents],
            ids=ids,
            **kwargs,
        )

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Delete by id; ids that are not here are no error. None deletes nothing."""
        if ids:
            self._session.run("DELETE FROM vectors WHERE id = ANY(%s)", (list(ids),))
        return True

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        address: Address | str = "",
        name: str = "vectors",
        **kwargs: Any,
    ) -> Self:
        """A store at `address` with these texts in it."""
        store = cls(address, name, embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    # -- reading ------------------------------------------------------------------------------

    def get_by_ids(self, ids: Sequence[str], /) -> list[LangChainDocument]:
        """The documents with these ids, in their order; ids that are not here are left out."""
        rows = self._session.rows(
            f"SELECT {_COLUMNS} FROM vectors WHERE id = ANY(%s)", (list(ids),)
        )
        by_id = {row[0]: _document(row) for row in rows}
        return [by_id[name] for name in dict.fromkeys(ids) if name in by_id]

    def similarity_search(
        self, query: str, k: int = 4, *, filter: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[LangChainDocument]:
        """The `k` documents nearest to a text."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter)]

    def similarity_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        *,
        filter: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> list[LangChainDocument]:
        """The `k` documents nearest to a vector."""
        return [_document(row) for row in self._nearest(embedding, k, filter)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """The `k` nearest documents with their cosines, highest first."""
        rows = self._nearest(self._embedding.embed_query(query), k, filter)
        return [(_document(row), float(row[3])) for row in rows]

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> list[LangChainDocument]:
        """Documents near a text that are unlike each other (Carbonell and Goldstein, 1998)."""
        vector = self._embedding.embed_query(query)
        rows = self._nearest(vector, fetch_k, filter)
        vectors = [row[4].to_numpy().astype(np.float32) for row in rows]
        if not vectors:
            return []
        asked = np.asarray(vector, dtype=np.float32)
        chosen = maximal_marginal_relevance(asked, vectors, lambda_mult=lambda_mult, k=k)
        return [_document(rows[position]) for position in chosen]

    def _select_relevance_score_fn(self) -> Any:
        return lambda cosine: (cosine + 1) / 2

    def _nearest(
        self, vector: Sequence[float], k: int, wanted: Mapping[str, Any] | None
    ) -> list[Row]:
        if k <= 0:
            return []
        if wanted is not None and not isinstance(wanted, Mapping):
            raise UsageError("a filter is a mapping of metadata keys to values")
        condition, values = ("true", ())
        if wanted:
            condition, values = "metadata @> %s::jsonb", (_json(wanted),)  # type: ignore[assignment]
        asked = half_vector(np.asarray(vector, dtype=np.float32))
        with self._session.alone():
            self._session.rows(
                "SELECT set_config('hnsw.ef_search', %s, false), "
                "set_config('hnsw.iterative_scan', 'strict_order', false)",
                (str(min(max(2 * k, 100), _WIDEST)),),
            )
            return self._session.rows(
                f"SELECT {_COLUMNS}, 1 - (embedding <=> %s), embedding FROM vectors "
                f"WHERE {condition} ORDER BY embedding <=> %s LIMIT %s",
                (asked, *values, asked, k),
            )


def _document(row: Row) -> LangChainDocument:
    return LangChainDocument(id=row[0], page_content=row[1], metadata=row[2])


def _json(metadata: Mapping[str, Any]) -> str:
    try:
        return json.dumps(cleaned_json(dict(metadata)), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"metadata that is no JSON: {error}", remedy="use texts, numbers, lists and mappings"
        ) from error
