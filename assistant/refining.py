"""From the settings to what happens to a fused list before it is read."""

from __future__ import annotations

from pathlib import Path

from assistant.models.encoders import LoadedEncoders
from assistant.models.reranker import DistilledReranker
from assistant.models.shipped import RERANKER, shipped
from assistant.settings import RetrievalSettings
from indexes.refining.refinement import Refinement
from indexes.refining.reranking import Reranker


def refinement_of(retrieval: RetrievalSettings, encoders: LoadedEncoders) -> Refinement:
    """The refinement that the settings describe; a reranker loads its weights when first asked.

    Raises:
        ModelMissingError, ModelCorruptError: late interaction without a usable embedder.
    """
    return Refinement(
        reranker_named(retrieval.reranker, encoders),
        rerank_depth=retrieval.rerank_depth,
        rerank_weight=retrieval.rerank_weight,
        fold=retrieval.fold,
        diversity=retrieval.diversity,
    )


def reranker_named(name: str, encoders: LoadedEncoders) -> Reranker | None:
    """What `retrieval.reranker` names; None is `off`.

    Raises:
        ModelMissingError, ModelCorruptError: late interaction without a usable embedder.
    """
    if name == "off":
        return None
    if name == "late-interaction":
        from indexes.encoders.token_vectors import EmbedderTokens
        from indexes.refining.late_interaction import LateInteraction

        return LateInteraction(EmbedderTokens(encoders.dense()))
    if name == "distilled":
        return DistilledReranker(lambda: shipped(RERANKER), encoders.base)
    from indexes.refining.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(Path(name).expanduser())
