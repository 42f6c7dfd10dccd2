"""The shipped rewriter, with the real encoder that it builds on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.cli.main import run
from assistant.distillation.tags.model import TagModel
from assistant.errors import ModelCorruptError
from assistant.models.loaded import LoadedModels
from assistant.models.shipped import REWRITER, shipped
from assistant.models.store import ModelStore
from assistant.settings import load_settings
from assistant.understanding.distilled import DistilledUnderstander
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.words import simple_phrases
from tests.conftest import MODELS, weights
from tests.integration.conversations import FOLLOW_UP, HISTORY, long_history, write_closed
from tests.integration.exports import check_adapter

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def rewriter() -> DistilledUnderstander:
    weights("minilm")
    loaded = LoadedModels(ModelStore(MODELS), load_settings(environ={}))
    return DistilledUnderstander(loaded.tag_model, RuleUnderstander(simple_phrases))


def test_what_a_follow_up_leaves_unsaid_is_found(rewriter: DistilledUnderstander) -> None:
    found = rewriter.understand(FOLLOW_UP, HISTORY)
    assert found.way == "distilled" and found.fallback == ""
    assert "ibuprofen" in " ".join(found.carried)
    assert "ibuprofen" in found.standalone and "ibuprofen" in found.queries[1].text


def test_a_question_about_something_else_takes_nothing_over(
    rewriter: DistilledUnderstander,
) -> None:
    found = rewriter.understand("Who painted the ceiling of the Sistine Chapel?", HISTORY)
    assert found.carried == ()


def test_a_long_conversation_is_understood(rewriter: DistilledUnderstander) -> None:
    assert rewriter.understand("Where do they sleep?", long_history()).way == "distilled"


def test_the_export_is_small_and_whole() -> None:
    check_adapter(REWRITER, most=5_000_000, base="minilm")


def test_another_base_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "minilm"
    other.mkdir()
    for file in weights("minilm").iterdir():
        if file.is_file() and file.suffix != ".safetensors":
            (other / file.name).write_bytes(file.read_bytes())
    (other / "model.safetensors").write_bytes(b"another model")
    with pytest.raises(ModelCorruptError, match="is not the model that the export builds on"):
        TagModel.load(shipped(REWRITER), base=other)


def test_a_row_of_the_ablation(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("minilm", "splade-tiny", "en-core-web-sm"):
        weights(name)
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)
    monkeypatch.setenv("ASSISTANT_HOME", str(home))
    children = "Ibuprofen is safe for children from three months on, in small doses."
    folder = write_closed(tmp_path / "closed", children)
    command = ["eval", "ikat", "closed", str(folder), "--rows", "rules,distilled"]
    assert run([*command, "--against", "rules", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["against"] == "rules"
    first, second = found["rows"]
    assert first["p"] is None and second["p"] is not None
    assert second["measures_unshown"]["nDCG@5"] == 1.0 and second["fallbacks"] == 0
    assert run([*command, "--against", "human"]) == 2
