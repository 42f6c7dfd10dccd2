"""Any dense encoder of an index as LangChain `Embeddings`."""

from __future__ import annotations

from langchain_core.embeddings import Embeddings

from indexes.encoders import DenseEncoder, of_queries


class EncoderEmbeddings(Embeddings):
    """`langchain_core` embeddings over a `DenseEncoder`; vectors have length 1."""

    def __init__(self, encoder: DenseEncoder) -> None:
        self._encoder = encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        vectors: list[list[float]] = self._encoder.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text, near those of the passages that answer it."""
        vector: list[float] = of_queries(self._encoder).encode([text])[0].tolist()
        return vector
