"""What an adaptation would do, told without doing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.adapting.judging import Asked
from assistant.adapting.starting import require_training, starting_embedder
from assistant.adapting.work import WorkFolder
from assistant.errors import ModelRuntimeError, UsageError
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.adapting import UNJUDGED, planned
from eval.own.expectations import Expectation, Place
from eval.own.store import OwnQuestions
from tests.fast.assistant.adapting.little import COUNT, NAME, Little

ASKED = Asked(60.0, "embedder", "none")


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> Little:
    return Little(tmp_path_factory.mktemp("planned"))


def test_a_plan_has_the_questions_and_what_they_can_be_judged_by(little: Little) -> None:
    found = planned(little.workspace, NAME, ASKED, lambda progress: None)
    counts = found["questions"]["counts"]
    assert set(counts) == {"train", "choose", "held-out"}
    assert all(set(side) == {"cloze"} for side in counts.values())
    assert 40 <= sum(side["cloze"] for side in counts.values()) <= 2 * COUNT
    assert (found["kept_questions"], found["unjudged"]) == (0, UNJUDGED)
    assert found["parts"]["embedder"]["steps"] >= 1 and found["teacher"] is None
    assert not WorkFolder(little.folder).path.exists()

    uri = next(iter(little.workspace.index(NAME).store.documents())).uri
    kept = OwnQuestions(little.settings.own_folder)
    kept.add("Where does Mara live?", NAME, Expectation(cites=(Place(uri),)))
    kept.add("And Tom?", NAME, Expectation(contains=("mill",)))
    kept.close()
    found = planned(little.workspace, NAME, ASKED, lambda progress: None)
    assert (found["kept_questions"], found["unjudged"]) == (1, "")


def test_too_few_passages_are_told_before_anything_is_timed(little: Little, tmp_path: Path) -> None:
    few = little.copied(tmp_path)
    few.source.texts = dict(list(few.source.texts.items())[:5])
    few.workspace.writer(NAME).build([few.source])
    stages: list[str] = []
    with pytest.raises(UsageError, match="to learn from, 40 are needed"):
        planned(few.workspace, NAME, ASKED, lambda progress: stages.append(progress.stage))
    assert stages == []


def test_the_small_embedder_keeps_its_teacher_for_queries(tmp_path: Path) -> None:
    settings = load_settings({"models.embedder": "minilm-3"}, home=tmp_path, environ={})
    with pytest.raises(UsageError, match="MiniLM's") as raised:
        starting_embedder(Workspace(settings), tmp_path / "notes")
    assert "models.embedder=minilm" in (raised.value.remedy or "")


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require_training()
    monkeypatch.setattr(
        "assistant.adapting.starting.find_spec", lambda name: None if name == "peft" else name
    )
    with pytest.raises(ModelRuntimeError, match="not installed: peft") as raised:
        require_training()
    assert "knowledge-assistant[distill]" in raised.value.remedy
