"""A few real steps of adapting MiniLM and the shipped reranker to an index, and back."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from assistant.adapting.flow import Adaptation
from assistant.adapting.gathering import read_questions
from assistant.adapting.installed import InstalledStore
from assistant.adapting.judging import Asked, Searching
from assistant.adapting.swapping import undo
from assistant.adapting.work import WorkFolder
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.adapting import MEASURES, JudgedQuestions, SearchJudge
from tests.conftest import weights
from tests.fast.assistant.adapting.little import Always
from tests.fast.indexes.sources import MemorySource

pytestmark = pytest.mark.integration

_PEOPLE = ["Agnes", "Bruno", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Henrik"]
_PLACES = ["harbour", "bakery", "library", "station", "brewery", "orchard", "foundry"]


def _notes(count: int = 52) -> dict[str, str | None]:
    draw = random.Random(0)
    return {
        f"note {number}": f"{draw.choice(_PEOPLE)} opened the {draw.choice(_PLACES)} in {1900 + number}. "
        f"It stands beside the {draw.choice(_PLACES)} of the northern town. "
        f"The former owner {draw.choice(_PEOPLE)} still works there as a painter."
        for number in range(count)
    }  # fmt: skip


def test_real_models_are_adapted_measured_and_put_back(home: Path) -> None:
    for name in ("minilm", "splade-tiny"):
        weights(name)
    workspace = Workspace(load_settings({"thoughts.graph": "off"}, home=home, environ={}))
    workspace.writer("notes").build([MemorySource(_notes())])
    folder = workspace.index_folder("notes")
    question = "who opened the brewery"

    def found() -> list[tuple[str, float]]:
        hits = workspace.search("notes", question, limit=5).hits
        return [(hit.passage.id, hit.score) for hit in hits]

    before, index = found(), workspace.index("notes")
    judge = Always("embedder", "reranker")
    report = Adaptation(
        workspace,
        "notes",
        Asked(seconds=6.0, teacher="none"),
        judge=judge,
        teaching=lambda wanted: pytest.fail(f"{wanted} was asked for"),
    ).run()
    assert [part["installed"] for part in report["parts"].values()] == [True, True]

    old, now = index.dense, workspace.index("notes").dense
    assert old is not None and now is not None
    # a few steps, held to the old vectors: near them, and not the same
    cosines = (old.vectors(range(52)) * now.vectors(range(52))).sum(1)
    assert cosines.min() > 0.9 and not np.array_equal(old.vectors([0]), now.vectors([0]))
    hits = workspace.search("notes", question, limit=5).hits
    assert all(hit.rerank is not None for hit in hits)
    names = {path.name.partition("-")[0] for path in WorkFolder(folder).runs.glob("*-*")}
    assert names == {"embedder", "reranker"}

    # the real judge on what is in force now, and on what was before the reranker
    (_, first, _, count), (_, second, _, _) = judge.shown
    assert count >= 25
    third = Searching(workspace.index("notes"), workspace.refinement_of("notes"))
    measure = SearchJudge(workspace.settings.retrieval, JudgedQuestions({}, {}), None)
    held_out = read_questions(WorkFolder(folder))["held-out"][:8]
    judged = measure("reranker", second, third, held_out).held_out
    assert set(judged.before) == set(judged.after) == set(MEASURES)
    assert all(0 <= value <= 1 for value in (*judged.before.values(), *judged.after.values()))
    assert first.index.manifest.stages["dense"] == index.manifest.stages["dense"]

    undo(workspace, "notes")
    assert found() == before
    assert InstalledStore(folder).steps == 0
