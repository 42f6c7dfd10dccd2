"""The shipped encoder of messages, with the real embedder beside which it puts them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.cli.main import run
from assistant.distillation.message_encoder import MessageEncoder
from assistant.models.loaded import LoadedModels
from assistant.models.shipped import CONVERSATION
from assistant.models.store import ModelStore
from assistant.settings import load_settings
from indexes.encoders.dense import SentenceTransformerEncoder
from tests.conftest import MODELS, weights
from tests.integration.conversations import FOLLOW_UP, HISTORY, long_history, write_closed
from tests.integration.exports import check_adapter

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def encoder() -> MessageEncoder:
    weights("minilm")
    return LoadedModels(ModelStore(MODELS), load_settings(environ={})).message_encoder()


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(weights("minilm"), device="cpu")


def test_a_message_lies_where_its_question_does(
    encoder: MessageEncoder, embedder: SentenceTransformerEncoder
) -> None:
    assert encoder.space == embedder.fingerprint
    said = encoder.encode(FOLLOW_UP, HISTORY)
    meant, other, bare = embedder.encode(
        [
            "Is ibuprofen safe for children?",
            "Is the playground safe for children?",
            FOLLOW_UP,
        ]
    )
    assert said @ meant > 0.8 > bare @ meant
    assert said @ meant > said @ other + 0.1


def test_a_new_subject_is_left_as_it_is(
    encoder: MessageEncoder, embedder: SentenceTransformerEncoder
) -> None:
    asked = "Who painted the ceiling of the Sistine Chapel?"
    assert encoder.encode(asked, HISTORY) @ embedder.encode([asked])[0] > 0.85


def test_a_long_conversation_and_odd_messages_are_encoded(encoder: MessageEncoder) -> None:
    for message in ("Where do they sleep?", "", "?" * 2000, "なぜ?"):
        vector = encoder.encode(message, long_history())
        assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)


def test_the_export_is_small_and_whole() -> None:
    check_adapter(CONVERSATION, most=3_000_000, base="minilm")


def test_a_row_of_the_ablation(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("minilm", "splade-tiny", "en-core-web-sm"):
        weights(name)
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    children = "Small doses of ibuprofen are given from three months on."
    folder = write_closed(tmp_path / "closed", children)
    command = ["eval", "ikat", "closed", str(folder), "--rows", "raw,rules,rules+vector", "--json"]
    assert run(command) == 0
    raw, _, vector = json.loads(capsys.readouterr().out)["rows"]
    assert vector["name"] == "rules+vector" and vector["fallbacks"] == 0
    assert vector["measures_unshown"]["nDCG@5"] >= raw["measures_unshown"]["nDCG@5"]
