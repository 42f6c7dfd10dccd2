"""What `benchmarks.search` compares: our index, and the retrievers of LangChain on its passages.

The peer is what LangChain's documentation names for hybrid search: its FAISS vector store and its
BM25 retriever in an `EnsembleRetriever` with weights .5 and .5. It gets our passages, our stored
vectors and our dense encoder, so that only the engines differ.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from assistant.models.embeddings import EncoderEmbeddings
from indexes.build import IndexWriter
from indexes.corpora import open_source
from indexes.dense.index import DenseIndex
from indexes.documents import Passage
from indexes.encoders import DenseEncoder, Encoders, FloatArray
from indexes.index import Index
from indexes.lexical.index import LexicalIndex
from indexes.queries import Query
from indexes.sparse.index import SparseIndex
from indexes.sparse.postings import Terms

# Packages of the peer by the module that each brings.
PACKAGES = {
    "langchain_community": "langchain-community",
    "langchain_classic": "langchain-classic",
    "rank_bm25": "rank-bm25",
}
# How many passages each of LangChain's retrievers gives unless told otherwise.
PEER_DEFAULT = 4
LIMIT = 20
PEER_BUILD = "LangChain, FAISS and BM25"

Preprocess = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class System:
    """`search` gives the ids of at most `LIMIT` passages for a query, best first."""

    name: str
    search: Callable[[str], list[str]]


class Stopwatch:
    """Seconds spent in methods of parts of a search."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._running: set[str] = set()  # a method that calls another of its name counts once

    def watch(self, part: Any, method: str, name: str) -> None:
        """Count the time of one object's method under `name` from now on."""
        original = getattr(part, method)

        def watched(*arguments: Any, **named: Any) -> Any:
            if name in self._running:
                return original(*arguments, **named)
            self._running.add(name)
            started = time.perf_counter()
            try:
                return original(*arguments, **named)
            finally:
                self._seconds[name] += time.perf_counter() - started
                self._running.discard(name)

        setattr(part, method, watched)

    def taken(self) -> dict[str, float]:
        """What was counted since the last call."""
        seconds = dict(self._seconds)
        self._seconds.clear()
        return seconds


def ours(name: str, index: Index, depth: int, weights: Mapping[str, float]) -> System:
    """`Index.search` with plain refinement; without the stages that have no weight."""

    def search(text: str) -> list[str]:
        found = index.search([Query(text)], limit=LIMIT, depth=depth, weights=weights)
        return [hit.passage.id for hit in found.hits]

    return System(name, search)


def missing_packages() -> list[str]:
    """What the peer needs and is not installed."""
    return [package for module, package in PACKAGES.items() if find_spec(module) is None]


def peer_store(passages: Sequence[Passage], vectors: Any, encoder: DenseEncoder) -> Any:
    """LangChain's FAISS vector store of given vectors (lists of numbers, as it takes them)."""
    faiss: Any = import_module("langchain_community.vectorstores").FAISS
    texts = [passage.indexed_text for passage in passages]
    return faiss.from_embeddings(
        zip(texts, vectors, strict=True),
        EncoderEmbeddings(encoder),
        metadatas=[{"id": passage.id} for passage in passages],
    )


def peer_words(passages: Sequence[Passage], preprocess: Preprocess | None = None) -> Any:
    """LangChain's BM25 retriever; its own preprocessing cuts at white space and nothing else."""
    documents: Any = import_module("langchain_core.documents")
    return words_of(
        [documents.Document(p.indexed_text, metadata={"id": p.id}) for p in passages], preprocess
    )


def words_of(documents: Sequence[Any], preprocess: Preprocess | None = None) -> Any:
    """As `peer_words`, of LangChain's own documents."""
    retriever: Any = import_module("langchain_community.retrievers").BM25Retriever
    how = {"preprocess_func": preprocess} if preprocess else {}
    return retriever.from_documents(documents, **how)


def peer(name: str, store: Any, words: Any, k: int = PEER_DEFAULT) -> System:
    """Both in an `EnsembleRetriever`, each giving `k` passages."""
    ensemble: Any = import_module("langchain_classic.retrievers").EnsembleRetriever
    both = [store.as_retriever(search_kwargs={"k": k}), words.model_copy(update={"k": k})]
    retriever = ensemble(retrievers=both, weights=[0.5, 0.5])

    def search(text: str) -> list[str]:
        return [str(found.metadata["id"]) for found in retriever.invoke(text)][:LIMIT]

    return System(name, search)


def stemmed(text: str) -> list[str]:
    """Words as bm25s cuts them for English: lower case, without stop words, stemmed."""
    from benchmarks.lexical import tokenized

    return tokenized([text])[0]


class _Replayed:
    """An encoder that gives for known texts what was encoded before."""

    def __init__(self, fingerprint: str, dimensions: int, known: Mapping[str, Any]) -> None:
        self.fingerprint, self.dimensions = fingerprint, dimensions
        self._known = known


class _ReplayedDense(_Replayed):
    def encode(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([self._known[text] for text in texts])


class _ReplayedSparse(_Replayed):
    def encode(self, texts: Sequence[str]) -> sp.csr_matrix:
        rows: list[Terms] = [self._known[text] for text in texts]
        starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([columns for columns, _ in rows])
        values = np.concatenate([weights for _, weights in rows])
        return sp.csr_matrix((values, columns, starts), shape=(len(rows), self.dimensions))

    def term(self, column: int) -> str:
        raise NotImplementedError


class ReplayedEncoders:
    """Encoders that know the passages of an index, so that building costs no encoding."""

    def __init__(self, index: Index, encoders: Encoders, passages: Sequence[Passage]) -> None:
        assert index.dense is not None
        assert index.sparse is not None
        texts = [passage.indexed_text for passage in passages]
        self.texts = texts
        self.vectors = index.dense.vectors(range(len(texts)))
        self.terms = [index.sparse.weights_of(row) for row in range(len(texts))]
        dense, sparse = encoders.dense(), encoders.sparse()
        self.sparse_dimensions = sparse.dimensions
        by_text = dict(zip(texts, self.vectors, strict=True))
        self._dense = _ReplayedDense(dense.fingerprint, dense.dimensions, by_text)
        terms = dict(zip(texts, self.terms, strict=True))
        self._sparse = _ReplayedSparse(sparse.fingerprint, sparse.dimensions, terms)

    def dense(self) -> _ReplayedDense:
        return self._dense

    def sparse(self) -> _ReplayedSparse:
        return self._sparse


def builders(
    collection: Path, passages: Sequence[Passage], given: ReplayedEncoders, encoder: DenseEncoder
) -> dict[str, Callable[[Path], object]]:
    """By name, what builds something into an empty folder; the peer's BM25 stays in memory."""

    def two_stages(place: Path) -> None:
        DenseIndex.build(given.vectors, None, place / "dense")
        LexicalIndex.build(given.texts, place / "lexical")

    def third_stage(place: Path) -> None:
        SparseIndex.build(given.terms, given.sparse_dimensions, place / "sparse")

    def whole(place: Path) -> None:
        writer = IndexWriter(place / "index", given)
        writer.build([open_source(f"beir:{collection}")])

    found: dict[str, Callable[[Path], object]] = {
        "ours, dense and lexical stage": two_stages,
        "ours, sparse stage": third_stage,
        "ours, all: reading, cutting, passages, three stages": whole,
    }
    if not missing_packages():
        vectors = given.vectors.tolist()

        def store(place: Path) -> None:
            peer_store(passages, vectors, encoder).save_local(str(place / "faiss"))

        def both(place: Path) -> None:
            store(place)
            peer_words(passages)

        def both_stemmed(place: Path) -> None:
            store(place)
            peer_words(passages, stemmed)

        found[PEER_BUILD] = both
        found["LangChain, stemmed"] = both_stemmed
    return found
