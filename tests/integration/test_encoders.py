"""The encoders on real weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from indexes.dense_encoder import SentenceTransformerEncoder
from indexes.errors import ModelCorruptError, ModelMissingError
from indexes.sparse_encoder import SpladeEncoder
from tests.conftest import weights

pytestmark = pytest.mark.integration

TEXTS = [
    "Sea otters sleep on their backs.",
    "",
    "Kelp grows half a metre a day. " * 60,  # longer than the encoder reads
    "The lease ends on 31 March 2027; the rent is 870 euros.",
    "Ναι 日本語 🦦",
]


@pytest.fixture(scope="module")
def splade() -> SpladeEncoder:
    return SpladeEncoder(weights("sparse"))


def test_dense_vectors_have_length_one_and_do_not_depend_on_the_batch() -> None:
    encoder = SentenceTransformerEncoder(weights("embedder"))
    together = encoder.encode(TEXTS)
    assert together.shape == (len(TEXTS), 384)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    alone = np.stack([encoder.encode([text])[0] for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5
    assert encoder.encode([]).shape == (0, 384)


def test_sparse_weights_equal_sentence_transformers(splade: SpladeEncoder) -> None:
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling

    folder = str(weights("sparse"))
    reference = SparseEncoder(modules=[MLMTransformer(folder), SpladePooling("max")], device="cpu")
    reference.max_seq_length = 256
    expected = reference.encode(TEXTS, convert_to_sparse_tensor=False).numpy()
    assert np.abs(splade.encode(TEXTS).toarray() - expected).max() < 1e-5


def test_sparse_weights_do_not_depend_on_the_batch(splade: SpladeEncoder) -> None:
    together = splade.encode(TEXTS).toarray()
    alone = np.vstack([splade.encode([text]).toarray() for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5
    assert (together >= 0).all()
    assert splade.encode([]).shape == (0, splade.dimensions)


def test_sparse_terms_are_readable(splade: SpladeEncoder) -> None:
    row = splade.encode(["Sea otters sleep on their backs."])
    best = row.indices[np.argsort(-row.data)[:10]]
    assert {"sea", "otter", "sleep"} & {splade.term(column) for column in best}


@pytest.mark.parametrize("encoder", [SentenceTransformerEncoder, SpladeEncoder])
def test_missing_and_damaged_weights(
    tmp_path: Path, encoder: type[SentenceTransformerEncoder] | type[SpladeEncoder]
) -> None:
    with pytest.raises(ModelMissingError):
        encoder(tmp_path)
    name = "embedder" if encoder is SentenceTransformerEncoder else "sparse"
    copy = tmp_path / "copy"
    shutil.copytree(weights(name), copy)
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelCorruptError, match="cannot be loaded"):
        encoder(copy)
