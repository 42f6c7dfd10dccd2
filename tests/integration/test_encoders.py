"""The encoders on real weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from indexes.encoders.dense import SentenceTransformerEncoder
from indexes.encoders.sparse import SpladeEncoder
from indexes.errors import (
    ModelCorruptError,
    ModelMissingError,
    ModelRuntimeError,
    UnknownNameError,
)
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


PASSAGES = [
    "Sea otters hold hands while they sleep so that they do not drift apart. " * repeat
    for repeat in (1, 3, 9, 2, 30, 5)
] + TEXTS


def test_screening_in_bfloat16_misses_no_term_and_changes_no_weight() -> None:
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    from indexes.encoders.splade import SpladeModel

    folder = str(weights("sparse"))
    ids = AutoTokenizer.from_pretrained(folder)(PASSAGES, truncation=True, max_length=64)
    screened, whole = (
        SpladeModel(AutoModelForMaskedLM.from_pretrained(folder).eval(), 0, screen=screen).weights(
            ids["input_ids"]
        )
        for screen in (True, False)
    )
    sure = whole[2] > 1e-5  # what lies nearer to 0 may fall to either side
    found = dict(zip(zip(*screened[:2], strict=True), screened[2], strict=True))
    for row, column, weight in zip(*(part[sure] for part in whole), strict=True):
        assert found[row, column] == pytest.approx(weight, abs=1e-5)
    assert len(found) <= len(whole[2]) + (~sure).sum() + 5


def test_a_saved_sparse_encoder_takes_the_fast_way_and_equals_the_library(tmp_path: Path) -> None:
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling

    folder = str(weights("sparse"))
    library = SparseEncoder(modules=[MLMTransformer(folder), SpladePooling("max")], device="cpu")
    library.max_seq_length = 128
    library.save(str(tmp_path / "saved"))
    encoder = SpladeEncoder(tmp_path / "saved", device="cpu")
    assert encoder._splade is not None
    expected = library.encode(PASSAGES, convert_to_sparse_tensor=False).numpy()
    assert np.abs(encoder.encode(PASSAGES).toarray() - expected).max() < 1e-5
    assert np.abs(encoder.encode_queries(PASSAGES).toarray() - expected).max() < 1e-5


def test_other_architectures_are_encoded_by_the_library(tmp_path: Path) -> None:
    from sentence_transformers import SparseEncoder
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sparse_encoder.modules import (
        MLMTransformer,
        SparseStaticEmbedding,
        SpladePooling,
    )
    from transformers import AutoTokenizer

    folder = str(weights("sparse"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    router = Router.for_query_document(
        query_modules=[SparseStaticEmbedding(tokenizer=tokenizer, frozen=True)],
        document_modules=[MLMTransformer(folder), SpladePooling("max")],
    )
    library = SparseEncoder(modules=[router], device="cpu")
    library.save(str(tmp_path / "saved"))
    encoder = SpladeEncoder(tmp_path / "saved", device="cpu")
    assert encoder._splade is None
    for ours, theirs in (
        (encoder.encode, library.encode_document),
        (encoder.encode_queries, library.encode_query),
    ):
        expected = theirs(PASSAGES, convert_to_sparse_tensor=False).numpy()
        assert np.abs(ours(PASSAGES).toarray() - expected).max() < 1e-5
    assert encoder.term(int(tokenizer.convert_tokens_to_ids("sea"))) == "sea"


def test_dense_vectors_equal_sentence_transformers() -> None:
    from sentence_transformers import SentenceTransformer

    folder = weights("embedder")
    encoder = SentenceTransformerEncoder(folder, device="cpu")
    assert encoder._fast
    library = SentenceTransformer(str(folder), device="cpu")
    expected = library.encode(PASSAGES, normalize_embeddings=True)
    assert np.abs(encoder.encode(PASSAGES) - expected).max() < 1e-5


def test_quantised_vectors_are_near_and_have_a_fingerprint_of_their_own() -> None:
    folder = weights("embedder")
    plain = SentenceTransformerEncoder(folder, device="cpu")
    quantised = SentenceTransformerEncoder(folder, device="cpu", int8=True)
    assert plain.fingerprint != quantised.fingerprint
    agreement = (plain.encode(PASSAGES) * quantised.encode(PASSAGES)).sum(axis=1)
    assert agreement.min() > 0.9


def test_a_backend_that_is_not_installed_names_its_extra() -> None:
    import importlib.util

    if importlib.util.find_spec("openvino") is not None:
        pytest.skip("the backend is installed")
    with pytest.raises(ModelRuntimeError, match="openvino"):
        SentenceTransformerEncoder(weights("embedder"), device="cpu", backend="openvino")
    with pytest.raises(UnknownNameError, match="onnx"):
        SentenceTransformerEncoder(weights("embedder"), backend="onx")
