"""One cold start of `benchmarks.search`: from nothing to the first result, in a process of its own.

    python -m benchmarks.search_worker whole INDEX QUERY       the index with both encoders
    python -m benchmarks.search_worker lexical INDEX QUERY     the index alone, no weights
    python -m benchmarks.search_worker peer FOLDER QUERY       LangChain's retrievers, our embedder

INDEX is a name in the home folder; FOLDER holds what LangChain's FAISS store saved. As soon as
there is a result, prints one JSON object: the peak of resident memory in MB (Linux), and hits.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from assistant.settings import load_settings
from indexes.encoders import DenseEncoder, SparseEncoder
from indexes.errors import ModelMissingError


class _NoEncoders:
    """None are loaded: what is not lexical fails."""

    def dense(self) -> DenseEncoder:
        raise ModelMissingError("not loaded")

    def sparse(self) -> SparseEncoder:
        raise ModelMissingError("not loaded")


def peak() -> float:
    """The most resident memory this process ever had, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return float("nan")


def lexical(name: str, query: str) -> int:
    """Hits of the index alone."""
    from indexes.index import Index
    from indexes.queries import Query

    index = Index.open(load_settings().indexes_folder / name, _NoEncoders())
    return len(index.search([Query(query)], weights={"lexical": 1.0}).hits)


def whole(name: str, query: str) -> int:
    """Hits of all stages."""
    from assistant.workspace import Workspace
    from indexes.queries import Query

    found = Workspace(load_settings()).search(name, [Query(query)])
    if found.missing:
        raise ModelMissingError(f"not all stages took part: {found.missing}")
    return len(found.hits)


def peer(folder: str, query: str) -> int:
    """Hits of LangChain's retrievers; their BM25 cannot be saved, so it is made again."""
    from assistant.models.embeddings import EncoderEmbeddings
    from assistant.workspace import Workspace
    from benchmarks import search_systems as systems

    embeddings = EncoderEmbeddings(Workspace(load_settings()).encoders.dense())
    faiss: Any = import_module("langchain_community.vectorstores").FAISS
    store = faiss.load_local(folder, embeddings, allow_dangerous_deserialization=True)
    documents = store.get_by_ids(list(store.index_to_docstore_id.values()))
    return len(systems.peer("LangChain", store, systems.words_of(documents)).search(query))


if __name__ == "__main__":
    task, place, asked = sys.argv[1:]
    hits = {"whole": whole, "lexical": lexical, "peer": peer}[task](place, asked)
    print(json.dumps({"peak": peak(), "hits": hits}), flush=True)
