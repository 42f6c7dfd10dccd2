"""A reranker as LangChain's `BaseDocumentCompressor`, for any retriever of that library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import Callbacks
from langchain_core.documents import Document as LangChainDocument
from langchain_core.documents.compressor import BaseDocumentCompressor

from indexes.documents import Passage
from indexes.refining.reranking import Reranker, scores_for_queries


class RerankCompressor(BaseDocumentCompressor):
    """The `top_n` documents that any `Reranker` scores highest, best first.

    Each document comes back as a copy with its score in `metadata["rerank_score"]`; equal scores
    keep the order given.
    """

    reranker: Any
    top_n: int | None = None

    def compress_documents(
        self,
        documents: Sequence[LangChainDocument],
        query: str,
        callbacks: Callbacks | None = None,
    ) -> list[LangChainDocument]:
        """Documents in their new order.

        Raises:
            ModelMissingError, ModelCorruptError: as the reranker says.
        """
        if not documents:
            return []
        reranker: Reranker = self.reranker
        passages = [_passage(document, number) for number, document in enumerate(documents)]
        scores = scores_for_queries(reranker, {query: 1.0}, passages)
        order = sorted(range(len(documents)), key=lambda position: -scores[position])
        return [
            documents[position].model_copy(
                update={
                    "metadata": {**documents[position].metadata, "rerank_score": scores[position]}
                }
            )
            for position in order[: self.top_n]
        ]


def _passage(document: LangChainDocument, number: int) -> Passage:
    """A document of any retriever as a passage; of this project's with its title and headings."""
    known = document.metadata
    return Passage(
        id=document.id or str(number),
        document_id=str(known.get("document_id", "")),
        text=document.page_content,
        start=0,
        end=len(document.page_content),
        title=str(known.get("title") or ""),
        headings=tuple(map(str, known.get("headings") or ())),
    )
