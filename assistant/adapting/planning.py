"""What an adaptation would do, how long it would take and what it needs: `--dry-run`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from assistant.adapting.gathering import (
    ENOUGH,
    counted_by_origin,
    divided,
    enough_stored,
    most_of,
    require_enough,
    stored_questions,
    teacher_of,
)
from assistant.adapting.judging import Asked, Role, as_asked, share_of, teacher_share
from assistant.adapting.material import make_material
from assistant.adapting.questions import Question, Split, of_sentences, split
from assistant.adapting.recipes import batch_of, embedder_recipe, reranker_recipe, steps_within
from assistant.adapting.starting import require_training, starting_embedder
from assistant.adapting.training import MakeRecipe, timed
from assistant.adapting.weights import whole_reranker
from assistant.adapting.work import WorkFolder
from assistant.errors import UsageError
from assistant.knowledge.filling import local_index
from assistant.models.shipped import RERANKER, shipped
from assistant.workspace import Workspace
from indexes.index import Index
from indexes.progress import OnProgress, Progress

_SAMPLE = 40  # questions that the timed steps are made of


def plan(workspace: Workspace, name: str, asked: Asked, on_progress: OnProgress) -> dict[str, Any]:
    """Times and memory from a few real steps on questions made of a sample of the passages.

    Nothing is written but in a folder that is gone afterwards.

    Raises:
        UsageError: there are too few passages to ask about, and nobody who would write questions.
            Else as an adaptation.
    """
    require_training()
    index = local_index(workspace, name)
    teacher = teacher_of(workspace, asked.teacher)
    if teacher is not None and enough_stored(index, asked, WorkFolder(index.folder)):
        teacher = None
    encoded = index.manifest.stages.get("dense")
    rate = encoded.rate if encoded is not None else 0.0
    work = WorkFolder(index.folder)
    sides, notes = divided(index, asked, work)
    stored = stored_questions(index, work)
    if teacher is None:
        require_enough(sides, name)
    same = work.plan.get("asked") == as_asked(asked, index.manifest.generation)
    seconds: dict[str, float] = {}
    if teacher is not None:
        seconds["teacher, at most"] = teacher_share(asked.seconds, enough=stored >= ENOUGH)
    for role in asked.roles:
        share = share_of(asked.seconds, role, taught=teacher is not None)
        seconds[f"training the {role}, at most"] = share
    if "embedder" in asked.roles and rate:
        seconds["encoding all passages to measure the embedder"] = index.manifest.passages / rate
    with tempfile.TemporaryDirectory() as scratch:
        parts = {
            role: _part(workspace, index, asked, role, Path(scratch), teacher, on_progress)
            for role in asked.roles
        }
    vectors = (
        4 * index.manifest.passages * (index.dense.description.dimensions if index.dense else 0)
    )
    return {
        "index": name,
        "passages": index.manifest.passages,
        "stored_questions": stored,
        "questions_of_use": sum(most_of(asked.seconds).values()),
        "questions": {"counts": counted_by_origin(sides), "notes": notes},
        "teacher": teacher,
        "budget": asked.seconds,
        "seconds": {stage: round(value, 1) for stage, value in seconds.items()},
        "parts": parts,
        "disk_bytes": sum(part.pop("disk_bytes") for part in parts.values()) + 3 * vectors,
        "goes_on": same and not work.plan.get("finished"),
    }


def _part(
    workspace: Workspace,
    index: Index,
    asked: Asked,
    role: Role,
    scratch: Path,
    teacher: str | None,
    on_progress: OnProgress,
) -> dict[str, Any]:
    on_progress(Progress(f"time {role}", 0, 1, "", 0.0))
    work = WorkFolder(scratch)
    retrieval = workspace.settings.retrieval
    sides = _sample(index, asked.seed)
    examples = make_material(
        index,
        retrieval.weights,
        sides,
        role,
        work,
        depth=retrieval.rerank_depth,
        seed=asked.seed,
        on_progress=on_progress,
    )
    if not examples:
        raise UsageError("the search finds no passages to learn from", remedy="add documents")
    make = _recipe(workspace, index, role, work, asked.seed)
    a_step, found = timed(make, work.runs)
    share = share_of(asked.seconds, role, taught=teacher is not None)
    most = most_of(asked.seconds)["train"]
    on_progress(Progress(f"time {role}", 1, 1, "", 0.0))
    return {
        "seconds_a_step": round(a_step, 3),
        "steps": steps_within(share, a_step, most, batch_of(make(1, 1))),
        "memory_bytes": found["memory_bytes"],
        "disk_bytes": found["writes_bytes"] + 3 * 4 * int(found["parameters"]),
    }


def _recipe(
    workspace: Workspace, index: Index, role: Role, work: WorkFolder, seed: int
) -> MakeRecipe:
    if role == "reranker":
        base = workspace.encoders.base()
        start = whole_reranker(shipped(RERANKER), base, work.path / "start-reranker")
        return lambda steps, every: reranker_recipe(
            start, work.data, steps=steps, every=every, seed=seed
        )
    folder, longest = starting_embedder(workspace, index.folder)
    return lambda steps, every: embedder_recipe(
        folder, work.data, steps=steps, every=every, seed=seed, max_length=longest
    )


def _sample(index: Index, seed: int) -> dict[Split, list[Question]]:
    made: list[Question] = []
    for one in of_sentences(index.store.passages(), each=1, seed=seed, by_document=False):
        made.append(one)
        if len(made) == _SAMPLE:
            break
    return split(made, seed=seed)
