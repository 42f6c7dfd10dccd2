"""The shipped reranker and embedder, with the real weights that they build on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.cli.main import run
from assistant.models.reranker import DistilledReranker
from assistant.models.shipped import RERANKER, SMALL_EMBEDDER, shipped
from assistant.models.small_embedder import assembled
from assistant.models.store import ModelStore
from assistant.settings import load_settings
from assistant.understanding.choose import choose_understander
from assistant.understanding.types import Message
from assistant.understanding.words import simple_phrases
from assistant.workspace import Workspace
from indexes.documents import Passage
from indexes.encoders.dense import SentenceTransformerEncoder
from indexes.encoders.student import StudentEncoder
from indexes.queries import Query
from indexes.ranker import query_vectors
from tests.conftest import weights

pytestmark = pytest.mark.integration

QUESTION = "When was the lighthouse on the northern cape built?"
TEXTS = [
    "The northern cape has a harbour, a school and two bakeries.",
    "The lighthouse on the northern cape was built in 1871, of granite from the quarry nearby.",
    "A lighthouse is a tower that guides ships at night.",
    "Bread is baked from flour, water and salt.",
    "The keeper of the lighthouse on the southern cape retired last year.",
]


@pytest.fixture(scope="module")
def minilm() -> Path:
    return weights("minilm")


def passages(texts: list[str]) -> list[Passage]:
    return [Passage(str(n), "d", text, 0, len(text)) for n, text in enumerate(texts)]


def test_the_reranker_puts_the_answer_first(minilm: Path) -> None:
    reranker = DistilledReranker(lambda: shipped(RERANKER), lambda: minilm)
    scores = reranker.scores(QUESTION, passages(TEXTS))
    assert scores.shape == (5,) and scores.dtype == np.float32
    assert int(scores.argmax()) == 1


def test_early_exits_keep_the_first_place(minilm: Path) -> None:
    found = []
    for kept in (1.0, 0.4):
        reranker = DistilledReranker(lambda: shipped(RERANKER), lambda: minilm, kept=kept)
        found.append(int(reranker.scores(QUESTION, passages(TEXTS)).argmax()))
    assert found == [1, 1]


def test_the_small_embedder_is_put_together_once_and_near_its_teacher(
    minilm: Path, tmp_path: Path
) -> None:
    target = assembled(shipped(SMALL_EMBEDDER), minilm, tmp_path / "minilm-3")
    stamp = (target / "model.safetensors").stat().st_mtime_ns
    assert assembled(shipped(SMALL_EMBEDDER), minilm, target) == target
    assert (target / "model.safetensors").stat().st_mtime_ns == stamp
    small, teacher = SentenceTransformerEncoder(target), SentenceTransformerEncoder(minilm)
    assert small.dimensions == 384
    assert small.fingerprint != teacher.fingerprint
    ours, theirs = small.encode([QUESTION, *TEXTS]), teacher.encode([QUESTION, *TEXTS])
    assert (ours * theirs).sum(1).min() > 0.85
    assert int((ours[1:] @ ours[0]).argmax()) == 1


def test_a_half_made_embedder_is_made_again(minilm: Path, tmp_path: Path) -> None:
    target = tmp_path / "minilm-3"
    target.mkdir()
    (target / "config.json").write_text("{}", encoding="utf-8")
    made = assembled(shipped(SMALL_EMBEDDER), minilm, target)
    assert json.loads((made / "config.json").read_text(encoding="utf-8"))["num_hidden_layers"] == 3


def test_settings_name_both(
    minilm: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    for entry in minilm.parent.iterdir():
        if not entry.name.startswith("."):  # locks of others
            (home / "models" / entry.name).symlink_to(entry)
    (home / "models" / SMALL_EMBEDDER).unlink(missing_ok=True)
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    folder = tmp_path / "notes"
    folder.mkdir()
    for number, text in enumerate(TEXTS):
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    chosen = ["--set", f"models.embedder={SMALL_EMBEDDER}", "--set", "retrieval.reranker=distilled"]
    quick = ["--set", "thoughts.graph=off"]
    assert run([*chosen, *quick, "index", "build", "notes", "--from", str(folder)]) == 0
    capsys.readouterr()
    assert run([*chosen, "index", "search", "notes", QUESTION, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["hits"][0]
    assert "1871" in json.dumps(first)
    assert ModelStore(home / "models").is_installed(SMALL_EMBEDDER)

    # its queries are MiniLM's, and so is the vector of a message in its conversation
    small = {"models.embedder": SMALL_EMBEDDER}
    workspace = Workspace(load_settings({**small, "answering.reader": "extractive"}, home=home))
    encoder = workspace.encoders.dense()
    assert isinstance(encoder, StudentEncoder)
    assert encoder.queries.fingerprint == SentenceTransformerEncoder(minilm).fingerprint
    understander = choose_understander(workspace, simple_phrases, "notes")
    said = (Message("user", QUESTION), Message("assistant", "It was built in 1871."))
    found = understander.understand("Of what stone is it?", said)
    vector = found.queries[0].vector
    assert vector is not None and vector.space == encoder.queries.fingerprint
    asked = Query("Of what stone is it?", vector=vector)
    assert query_vectors([asked], encoder)[0] == pytest.approx(vector.values, abs=1e-6)
    result = workspace.index("notes").search([asked], limit=1, weights={"dense": 1.0})
    assert result.stages == ("dense",)
    assert "granite" in result.hits[0].passage.text
