"""What training gave, as a way of searching that can be measured before anything is changed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant.adapting.installed import AdaptedPart
from assistant.adapting.judging import Searching
from assistant.adapting.serving import AdaptedReranker, IndexEncoders, load_embedder
from assistant.adapting.work import WorkFolder, keys_of
from indexes.dense.index import DenseIndex
from indexes.encoders import Encoders
from indexes.encoding import Encoding, encode_dense
from indexes.encodings import EncodingCache, unpack_vector
from indexes.progress import OnProgress

# Shares of the reranker that are tried on the choosing questions.
_SHARES = tuple(number / 10 for number in range(1, 11))
VECTORS = "vectors.sqlite"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Trained weights in a folder of their own, and the search with them."""

    place: Path
    part: AdaptedPart
    searching: Searching


def embedder_candidate(
    place: Path, now: Searching, common: Encoders, work: WorkFolder, on_progress: OnProgress
) -> Candidate:
    """Encode every passage with an adapted embedder, beside the index; goes on where it stopped.

    Args:
        place: its folder of sentence-transformers, named by its fingerprint.
    """
    fingerprint = place.name.removeprefix("embedder-")
    encoder = load_embedder(place, fingerprint, now.index.folder.name)
    store = now.index.store
    keys = keys_of(store)
    texts = [passage.indexed_text for passage in store.passages()]
    cache = EncodingCache(work.path / VECTORS)
    try:
        encoding = Encoding(cache, fingerprint, texts, keys, on_progress, "encode")
        encoding.run(encode_dense(encoder))
        built = work.path / "vectors"
        shutil.rmtree(built, ignore_errors=True)
        built.mkdir()
        vectors = (unpack_vector(data) for data in encoding.results())
        DenseIndex.build(vectors, encoder.dimensions, built)
    finally:
        cache.close()
    encoders = IndexEncoders(common, lambda: encoder)
    index = now.index.with_dense(DenseIndex.open(built), fingerprint, encoders)
    part = AdaptedPart(place.name, fingerprint, "")
    return Candidate(place, part, Searching(index, now.refinement))


def reranker_candidate(
    place: Path, now: Searching, measures: Mapping[str, Any], depth: int
) -> Candidate:
    """A search with an adapted reranker, at the share that was best on the choosing questions.

    Args:
        place: its folder (`weights.finished_reranker`).
        measures: of its run: `ndcg_blend0.3` and so on.
        depth: how many passages it reads.
    """
    from assistant.adapting.serving import reranker_fingerprint

    # Of equal shares the smaller one: the fused order knows what a reranker does not.
    weight = max(_SHARES, key=lambda share: (float(measures[f"ndcg_blend{share:g}"]), -share))
    part = AdaptedPart(place.name, reranker_fingerprint(place), "", weight, depth)
    reranker = AdaptedReranker(place, part, now.index.folder.name)
    refinement = replace(
        now.refinement, reranker=reranker, rerank_depth=depth, rerank_weight=weight
    )
    return Candidate(place, part, Searching(now.index, refinement))
