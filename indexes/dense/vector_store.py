"""LangChain's `VectorStore` over the dense index: documents with vectors, added and deleted freely.

What was saved is a `DenseIndex` of whatever kind its size asks for; what was added since lies in
memory beside it and is searched exactly. A search asks both and puts their hits in one order, which
is well defined since both score by the stored vectors. Deleted rows are filtered out inside the
search. Saving carries the rows over into a new index, as an update of an index does.

    FOLDER/current.json       which generation is in force; replaced in one step
    FOLDER/g000001/           documents.jsonl and the files of a dense index
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from indexes.carried import Allowed
from indexes.dense.index import DenseIndex
from indexes.dense.kinds import DenseChoice
from indexes.dense.vector_store_files import Saved, read_saved, write_saved
from indexes.encoders import FloatArray
from indexes.errors import UsageError
from indexes.ranking import IntArray

Filter = Mapping[str, Any] | Callable[[Document], bool]


class FaissVectorStore(VectorStore):
    """Documents found by the cosine of their vectors, best first; equal ones: oldest first.

    A filter is applied inside the search: a mapping of metadata names to the value that they must
    have, or to a list, tuple or set of values, one of which they must have; or a function of a
    document. One object may be used by several threads.

    Args:
        embedding: makes vectors of texts; they are scaled to length 1.
        choice: kind and settings of what is saved; None: by size.
    """

    def __init__(self, embedding: Embeddings, *, choice: DenseChoice | None = None) -> None:
        self._embedding, self._choice = embedding, choice
        self._lock = threading.RLock()
        self._saved: Saved | None = None
        self._start_from([], None)

    def _start_from(self, documents: list[Document], index: DenseIndex | None) -> None:
        self._index = index
        self._documents: list[Document | None] = list(documents)  # None: deleted
        self._rows = {str(document.id): row for row, document in enumerate(documents)}
        self._added = np.zeros((0, 0), dtype=np.float32)  # room for what was added, half empty
        self._recent: DenseIndex | None = None

    @property
    def embeddings(self) -> Embeddings:
        return self._embedding

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def _old(self) -> int:
        """Rows of the saved index; those added since are numbered on from there."""
        return self._index.size if self._index is not None else 0

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add texts, as `add_documents` does."""
        several = list(texts)
        if ids is not None and len(ids) != len(several):
            raise UsageError(f"{len(ids)} ids for {len(several)} documents")
        return super().add_texts(several, metadatas, ids=ids, **kwargs)

    def add_documents(
        self, documents: list[Document], ids: Sequence[str | None] | None = None, **kwargs: Any
    ) -> list[str]:
        """Add documents; one whose id is known takes the place of the former.

        Args:
            ids: instead of the documents' own; those without get one.

        Raises:
            UsageError: ids do not match, or the vectors have other dimensions than the store's.
        """
        if ids is not None and len(ids) != len(documents):
            raise UsageError(f"{len(ids)} ids for {len(documents)} documents")
        if not documents:
            return []
        vectors = self._unit(
            self._embedding.embed_documents([document.page_content for document in documents])
        )
        own = ids if ids is not None else [document.id for document in documents]
        names = [name or str(uuid.uuid4()) for name in own]
        with self._lock:
            self._append(vectors)
            for name, document in zip(names, documents, strict=True):
                self._remove(name)
                self._rows[name] = len(self._documents)
                self._documents.append(document.model_copy(update={"id": name}, deep=True))
        return names

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Delete documents; None: all. Ids that are not there are passed over."""
        with self._lock:
            for name in list(self._rows) if ids is None else ids:
                self._remove(name)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents of those ids that are there, in the order of `ids`."""
        with self._lock:
            return [self._document(self._rows[name]) for name in ids if name in self._rows]

    def similarity_search(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """The `k` nearest documents that pass the filter."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """As `similarity_search`, with cosines: higher is nearer."""
        found = self._search(self._embedding.embed_query(query), k, filter)
        return [(document, score) for document, score, _ in found]

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """The `k` documents nearest to a vector."""
        return [document for document, _, _ in self._search(embedding, k, filter)]

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """`k` of the `fetch_k` nearest, each unlike those before it.

        Args:
            lambda_mult: 1 looks at nearness only, 0 at difference only.
        """
        vector = self._embedding.embed_query(query)
        found = self._search(vector, fetch_k, filter)
        if not found:
            return []
        chosen = maximal_marginal_relevance(
            self._unit([vector])[0], [own.tolist() for _, _, own in found], lambda_mult, k
        )
        return [found[position][0] for position in chosen]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: (1.0 + cosine) / 2.0

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> FaissVectorStore:
        """A store of these texts; further arguments go to the constructor."""
        store = cls(embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def save(self, folder: Path) -> None:
        """Write the store to `folder` in one step; the store goes on from what was written.

        Raises:
            UsageError: metadata that JSON has no form for.
            StorageError: no space, no rights.
            IndexLockedError: another process is saving there.
        """
        with self._lock:
            rows = np.fromiter(self._rows.values(), dtype=np.int64, count=len(self._rows))
            rows.sort()
            documents = [self._document(int(row)) for row in rows]
            recent = self._added[rows[rows >= self._old] - self._old]
            origin = np.where(rows < self._old, rows, -1)
            self._saved = write_saved(folder, documents, recent, origin, self._saved, self._choice)
            self._start_from(self._saved.documents, self._saved.index)

    @classmethod
    def load(
        cls, folder: Path, embedding: Embeddings, *, choice: DenseChoice | None = None
    ) -> FaissVectorStore:
        """The store that was saved to `folder`.

        Raises:
            IndexNotFoundError: nothing was saved there.
            IndexCorruptError: a file is missing or damaged.
        """
        store = cls(embedding, choice=choice)
        store._saved = read_saved(folder)
        store._start_from(store._saved.documents, store._saved.index)
        return store

    def _document(self, row: int) -> Document:
        document = self._documents[row]
        assert document is not None
        return document.model_copy(deep=True)

    def _remove(self, name: str) -> None:
        row = self._rows.pop(name, None)
        if row is not None:
            self._documents[row] = None

    def _unit(self, embeddings: list[list[float]]) -> FloatArray:
        vectors = np.asarray(embeddings, dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)

    def _append(self, vectors: FloatArray) -> None:
        used, dimensions = len(self._documents) - self._old, vectors.shape[1]
        known = self._added.shape[1]
        if self._index is not None and self._index.size:
            known = self._index.description.dimensions
        if known not in (0, dimensions):
            raise UsageError(
                f"vectors of {dimensions} dimensions for a store of {known}",
                remedy="use the embedding that the store was made with",
            )
        if used + len(vectors) > len(self._added):
            room = np.zeros((2 * (used + len(vectors)), dimensions), dtype=np.float32)
            if used:
                room[:used] = self._added[:used]
            self._added = room
        self._added[used : used + len(vectors)] = vectors
        self._recent = DenseIndex.exact(self._added[: used + len(vectors)])

    def _search(
        self, embedding: list[float], k: int, filter: Filter | None
    ) -> list[tuple[Document, float, FloatArray]]:
        query = self._unit([embedding])[0]
        with self._lock:
            allowed = self._allowed(filter)
            found: list[tuple[float, int, FloatArray]] = []
            for index, start in ((self._index, 0), (self._recent, self._old)):
                if index is None or not index.size:
                    continue
                ranking = index.search(query, k, allowed[start : start + index.size])
                vectors = index.vectors(ranking.rows)
                rows: IntArray = ranking.rows + start
                found += zip(ranking.scores.tolist(), rows.tolist(), vectors, strict=True)
            found.sort(key=lambda hit: (-hit[0], hit[1]))
            return [(self._document(row), score, own) for score, row, own in found[:k]]

    def _allowed(self, filter: Filter | None) -> Allowed:
        test = filter if callable(filter) else _equals(filter or {})
        return np.fromiter(
            (document is not None and test(document) for document in self._documents),
            dtype=np.bool_,
            count=len(self._documents),
        )


def _equals(wanted: Mapping[str, Any]) -> Callable[[Document], bool]:
    several = {
        name: tuple(value) if isinstance(value, (list, tuple, AbstractSet)) else (value,)
        for name, value in wanted.items()
    }
    return lambda document: all(
        name in document.metadata and document.metadata[name] in values
        for name, values in several.items()
    )
