"""An index as a LangChain retriever."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever

from indexes.index import Hit, Index
from indexes.refining.refinement import PLAIN
from indexes.refining.stretches import joined


class IndexRetriever(BaseRetriever):
    """`BaseRetriever` over an open `Index`: fused search, `k` passages.

    `where` (a `Filter`) restricts it to some documents, `refinement` (a `Refinement`) reranks,
    folds and diversifies, and with `join` neighbouring passages come as one text. The documents'
    metadata say where a text stands (uri, title, page, start, end, headings), its score, and its
    best passage's rank at every stage.
    """

    index: Any
    k: int = 10
    where: Any = None
    refinement: Any = PLAIN
    join: bool = False

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[LangChainDocument]:
        index: Index = self.index
        hits = index.search(
            query,
            limit=self.k if k is None else k,
            where=self.where,
            refinement=self.refinement,
        ).hits
        if not self.join:
            return [_document(hit) for hit in hits]
        found = []
        for stretch in joined([hit.passage for hit in hits], index.store):
            best = hits[min(stretch.positions)]
            document = _document(best)
            document.page_content = stretch.text
            document.metadata.update(start=stretch.start, end=stretch.end)
            found.append(document)
        return found


def _document(hit: Hit) -> LangChainDocument:
    return LangChainDocument(
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
