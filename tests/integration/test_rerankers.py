"""Rerankers with real models: a cross-encoder made here, late interaction of the embedder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexes.documents import Passage
from indexes.encoders.dense import SentenceTransformerEncoder
from indexes.encoders.token_vectors import EmbedderTokens
from indexes.errors import ModelCorruptError, ModelMissingError
from indexes.queries import Query
from indexes.refining.cross_encoder import CrossEncoderReranker
from indexes.refining.late_interaction import LateInteraction, max_sim
from indexes.refining.refinement import Refinement, refined
from tests.conftest import weights

pytestmark = pytest.mark.integration

WORDS = "the cat sat on a mat while dogs ran in green fields red wine south".split()


def _passages(*texts: str) -> list[Passage]:
    return [Passage(str(n), "d", text, 0, len(text)) for n, text in enumerate(texts)]


def _cross_encoder(folder: Path, outputs: int = 1) -> Path:
    """A BERT of two small layers with random weights, and a vocabulary of a few words."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    folder.mkdir()
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]), encoding="utf-8"
    )
    BertTokenizerFast(str(vocabulary)).save_pretrained(folder)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        num_labels=outputs,
        initializer_range=0.5,  # far from 0, so that pairs get scores that differ
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_cross_encoder_gives_what_the_library_gives_pair_by_pair(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    folder = _cross_encoder(tmp_path / "cross")
    passages = _passages(*(" ".join(WORDS[:n]) for n in (12, 1, 7, 3)))
    found = CrossEncoderReranker(folder, batch_size=2).scores("the cat", passages)
    library = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    expected = [float(library.predict([("the cat", p.indexed_text)])[0]) for p in passages]
    assert found == pytest.approx(expected, abs=1e-5)
    assert found.dtype == np.float32 and len(set(found.round(4).tolist())) == 4


def test_cross_encoder_orders_the_list(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(_cross_encoder(tmp_path / "cross"))
    passages = _passages("the cat sat", "red wine south", "dogs ran in fields")
    scores = reranker.scores("the cat", passages)

    class Rows:
        def by_rows(self, rows: list[int]) -> list[Passage]:
            return [passages[row] for row in rows]

    fused = {row: (1.0 - row / 10,) for row in range(3)}
    found = refined(
        [Query("the cat")], fused, Rows(), Refinement(reranker, rerank_weight=1.0), limit=3
    )
    assert [place.row for place in found] == np.argsort(-scores, kind="stable").tolist()
    assert [place.rerank.rank for place in found if place.rerank] == [1, 2, 3]


def test_cross_encoder_of_nothing_loads_nothing(tmp_path: Path) -> None:
    assert CrossEncoderReranker(tmp_path / "absent").scores("q", []).shape == (0,)


def test_missing_weights_name_the_remedy(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(tmp_path / "absent")
    with pytest.raises(ModelMissingError, match="switch reranking off"):
        reranker.scores("q", _passages("a"))


def test_broken_weights_and_several_outputs_are_refused(tmp_path: Path) -> None:
    folder = _cross_encoder(tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelCorruptError, match="cannot be loaded"):
        CrossEncoderReranker(folder).scores("q", _passages("a"))
    three = CrossEncoderReranker(_cross_encoder(tmp_path / "three", outputs=3))
    with pytest.raises(ModelCorruptError, match="3 numbers"):
        three.scores("q", _passages("a"))


def test_fingerprint_tells_settings_apart(tmp_path: Path) -> None:
    folder = _cross_encoder(tmp_path / "cross")
    assert CrossEncoderReranker(folder).fingerprint == CrossEncoderReranker(folder).fingerprint
    assert (
        CrossEncoderReranker(folder, max_length=8).fingerprint
        != CrossEncoderReranker(folder).fingerprint
    )


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(weights("minilm"))


def test_token_vectors_average_to_the_text_s_own_vector(
    embedder: SentenceTransformerEncoder,
) -> None:
    # The embedder takes the mean before the states are scaled to length 1, so the two directions
    # nearly agree but are not equal.
    texts = ["Wine is made from grapes.", "A cat", "The capital of France is Paris, a large city."]
    vectors = embedder.encode(texts)
    found = EmbedderTokens(embedder).token_vectors(texts)
    for own, tokens in zip(vectors, found, strict=True):
        assert np.linalg.norm(tokens, axis=1) == pytest.approx(1.0, abs=1e-5)
        mean = tokens.mean(axis=0)
        assert float(own @ mean / np.linalg.norm(mean)) > 0.98
    assert len(found[1]) == 4  # two words, and the marks of beginning and end
    assert EmbedderTokens(embedder).token_vectors([]) == []


def test_token_vectors_do_not_depend_on_the_batch(embedder: SentenceTransformerEncoder) -> None:
    texts = ["A cat", "The capital of France is Paris, a large city on the river Seine."]
    together = EmbedderTokens(embedder).token_vectors(texts)
    alone = [EmbedderTokens(embedder).token_vectors([text])[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_late_interaction_prefers_the_passage_that_answers(
    embedder: SentenceTransformerEncoder,
) -> None:
    passages = _passages(
        "Bread is baked from flour, water and yeast.",
        "Paris is the capital and largest city of France.",
        "The cat slept on the warm stones.",
    )
    reranker = LateInteraction(EmbedderTokens(embedder))
    scores = reranker.scores("What is the capital of France?", passages)
    assert int(scores.argmax()) == 1
    query, passage = EmbedderTokens(embedder).token_vectors(
        ["What is the capital of France?", passages[1].indexed_text]
    )
    assert scores[1] == pytest.approx(max_sim(query, passage), abs=1e-4)
