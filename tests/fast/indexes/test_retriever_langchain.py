"""The public LangChain suite for retrievers."""

from __future__ import annotations

import tempfile
from pathlib import Path

from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

from indexes.build import IndexWriter
from indexes.index import Index
from indexes.retriever import IndexRetriever
from tests.fast.indexes.sources import HashedEncoders, MemorySource


class TestIndexRetriever(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return IndexRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, object]:
        folder = Path(tempfile.mkdtemp()) / "notes"
        texts = {str(n): f"Note {n} about kelp and otters." for n in range(12)}
        IndexWriter(folder, HashedEncoders()).build([MemorySource(dict(texts))])
        return {"index": Index.open(folder, HashedEncoders())}

    @property
    def retriever_query_example(self) -> str:
        return "otters in kelp"
