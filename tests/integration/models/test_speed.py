"""The speed of real small weights is measured and kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.cli.main import run
from assistant.models.speed import keep_speed, measurable, measure, speeds
from assistant.models.store import ModelStore
from assistant.settings import ModelSettings
from tests.conftest import MODELS, weights

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", ["minilm", "splade-tiny", "en-core-web-sm"])
def test_encoders_and_the_parser(name: str, tmp_path: Path) -> None:
    weights(name)
    told: list[int] = []
    found = measure(
        ModelStore(MODELS),
        ModelSettings(),
        name,
        seconds=0.2,
        on_progress=lambda p: told.append(p.done),
    )
    assert found.passages_per_second is not None
    assert found.passages_per_second > 0
    assert found.tokens_per_second is None
    assert told
    keep_speed(tmp_path, found)
    assert speeds(tmp_path) == {name: found}


def test_a_model_that_writes() -> None:
    weights("smollm2-135m")
    found = measure(ModelStore(MODELS), ModelSettings(), "smollm2-135m", seconds=0.5)
    assert found.first_token is not None
    assert found.first_token > 0
    assert found.tokens_per_second is not None
    assert found.passages_per_second is None


def test_the_command_keeps_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights("splade-tiny")
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)
    monkeypatch.setattr("assistant.models.speed._SECONDS", 0.2)
    (tmp_path / "models").symlink_to(MODELS, target_is_directory=True)
    assert "splade-tiny" in measurable(ModelStore(tmp_path / "models"))
    assert run(["--home", str(tmp_path), "models", "bench", "splade-tiny", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["speeds"]
    assert speeds(tmp_path)["splade-tiny"].passages_per_second == shown["passages_per_second"]
    assert run(["--home", str(tmp_path), "models", "bench", "nothing"]) == 2
