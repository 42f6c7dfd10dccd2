"""Adapting the reranker and the embedder to one index (docs/adapting.md)."""
