"""From the settings to what happens to a fused list before it is read."""

from __future__ import annotations

from pathlib import Path

from assistant.models.encoders import LoadedEncoders
from assistant.settings import RetrievalSettings
from indexes.refining.refinement import Refinement
from indexes.refining.reranking import Reranker


def refinement_of(retrieval: RetrievalSettings, encoders: LoadedEncoders) -> Refinement:
    """The refinement that the settings describe; a reranker loads its weights when first asked.

    Raises:
        ModelMissingError, ModelCorruptError: late interaction without a usable embedder.
    """
    return Refinement(
        _reranker(retrieval.reranker, encoders),
        rerank_depth=retrieval.rerank_depth,
        rerank_weight=retrieval.rerank_weight,
        fold=retrieval.fold,
        diversity=retrieval.diversity,
    )


def _reranker(name: str, encoders: LoadedEncoders) -> Reranker | None:
    if name == "off":
        return None
    if name == "late-interaction":
        from indexes.encoders.token_vectors import EmbedderTokens
        from indexes.refining.late_interaction import LateInteraction

        return LateInteraction(EmbedderTokens(encoders.dense()))
    from indexes.refining.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(Path(name).expanduser())
