"""An index as a LangChain retriever."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever

from indexes.index import Index


class IndexRetriever(BaseRetriever):
    """`BaseRetriever` over an open `Index`: fused search, `k` passages.

    The documents' metadata say where a passage stands (uri, title, page, start, end, headings),
    its score, and its rank at every stage.
    """

    index: Any
    k: int = 10

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[LangChainDocument]:
        index: Index = self.index
        result = index.search(query, limit=self.k if k is None else k)
        return [
            LangChainDocument(
                id=hit.passage.id,
                page_content=hit.passage.text,
                metadata={
                    "document_id": hit.passage.document_id,
                    "title": hit.passage.title,
                    "uri": hit.passage.uri,
                    "page": hit.passage.page,
                    "start": hit.passage.start,
                    "end": hit.passage.end,
                    "headings": list(hit.passage.headings),
                    "score": hit.score,
                    "ranks": {stage: place.rank for stage, place in hit.stages.items()},
                },
            )
            for hit in result.hits
        ]
