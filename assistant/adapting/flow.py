"""An adaptation from beginning to end: questions, negatives, training, measuring, installing.

The embedder comes first; the reranker is then judged on top of the search as it is by that time, so
each of them has to make the search better by itself. Every stage leaves what it did in the working
folder, and the same command goes on behind the last one that ended.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.adapting.candidates import Candidate, embedder_candidate, reranker_candidate
from assistant.adapting.companion import let_go
from assistant.adapting.gathering import TeachingModel, gather, read_questions
from assistant.adapting.installed import AdaptedPart, InstalledStore
from assistant.adapting.judging import (
    Asked,
    Judge,
    Role,
    Searching,
    as_asked,
    share_of,
)
from assistant.adapting.material import make_material
from assistant.adapting.questions import Question, Split
from assistant.adapting.recipes import embedder_recipe, reranker_recipe
from assistant.adapting.starting import require_training, starting_embedder
from assistant.adapting.swapping import complete_embedder, install
from assistant.adapting.training import train
from assistant.adapting.weights import (
    finished_embedder,
    finished_reranker,
    whole_reranker,
)
from assistant.adapting.work import WorkFolder, adapting_lock
from assistant.distillation.recipe import Recipe
from assistant.errors import ModelMissingError, UsageError
from assistant.knowledge.filling import local_index
from assistant.models.shipped import RERANKER, shipped
from assistant.workspace import Workspace
from indexes.index import Index
from indexes.manifest import now, read_manifest
from indexes.progress import OnProgress

# Encoding the index anew, to measure an embedder, may take this share of the budget at most.
_ENCODING_SHARE = 0.4
Report = dict[str, Any]


class Adaptation:
    """Adapts to one index.

    Args:
        judge: measures and decides; see `judging.Judge`.
        teaching: loads the model that writes questions, by its name.
        reranker: where the exported reranker is that is gone on with; None: the shipped one.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        asked: Asked,
        *,
        judge: Judge,
        teaching: TeachingModel,
        reranker: Path | None = None,
        on_progress: OnProgress = lambda progress: None,
    ) -> None:
        self._workspace, self._name, self._asked = workspace, name, asked
        self._judge, self._teaching, self._report = judge, teaching, on_progress
        self._reranker_export = reranker
        self._folder = local_index(workspace, name).folder
        self._work = WorkFolder(self._folder)
        self._store = InstalledStore(self._folder)

    def run(self) -> Report:
        """Adapt, or go on with what was begun; what was found is installed where it is better.

        Returns:
            the report, which is kept in the working folder, too.

        Raises:
            UsageError: too few questions, or an index on a server.
            IndexLockedError: another process adapts to it or writes it.
            ModelMissingError: the encoders, or a teacher that was named, are not installed.
            ModelRuntimeError: the `distill` extra is not installed.
            TrainingError, StorageError: what was done until then is kept.
        """
        require_training()
        with adapting_lock(self._folder):
            started = time.monotonic()
            index = self._encoded()
            asked = as_asked(self._asked, index.manifest.generation)
            if not self._work.begin(asked):
                self._work.decide(steps_before=self._store.steps)
            with self._work.timed("questions"):
                told = gather(
                    self._workspace, index, self._asked, self._work, self._teaching, self._report
                )
            sides = read_questions(self._work)
            parts = {role: self._part(role, sides, told) for role in self._asked.roles}
            report = {
                "index": self._name,
                "when": now(),
                "seconds": round(time.monotonic() - started, 1),
                "spent": self._work.plan["spent"],
                "budget": self._asked.seconds,
                "seed": self._asked.seed,
                "questions": told,
                "parts": parts,
            }
            self._work.finish(report)
            let_go(self._folder, read_manifest(self._folder))
        return report

    def _encoded(self) -> Index:
        """The index, encoded by the embedder that is in force for it."""
        complete_embedder(self._workspace, self._name, self._report)  # a swap that was killed
        index = local_index(self._workspace, self._name)
        if index.dense is None:
            raise ModelMissingError(
                f"index '{self._name}' is not encoded yet",
                remedy=f"assistant index build {self._name}",
            )
        return index

    # -- one part ---------------------------------------------------------------------------

    def _part(
        self,
        role: Role,
        sides: Mapping[Split, Sequence[Question]],
        told: Mapping[str, Any],
    ) -> Report:
        plan = self._work.plan
        if f"{role}_done" in plan:
            return dict(plan[f"{role}_done"])
        try:
            found = self._judged(role, sides, told)
        except _SkippedError as skipped:
            return self._done(role, {"installed": False, "reason": str(skipped)})
        part = AdaptedPart(**found["part"])
        better = bool(found["judgement"]["better"])
        if better:
            part = dataclasses.replace(part, report={**found["told"], "questions": told["counts"]})
            with self._work.timed(f"install {role}"):
                install(
                    self._workspace,
                    self._name,
                    role,
                    Path(found["place"]),
                    part,
                    first=self._store.steps <= int(plan["steps_before"]),
                    on_progress=self._report,
                )
        return self._done(role, {"installed": better, **found["told"]})

    def _done(self, role: Role, values: Report) -> Report:
        self._work.decide(**{f"{role}_done": values})
        return values

    def _judged(
        self,
        role: Role,
        sides: Mapping[Split, Sequence[Question]],
        told: Mapping[str, Any],
    ) -> Report:
        """What is to be installed, or not: decided once, so that a resumed run keeps to it."""
        noted = f"{role}_judged"
        plan = self._work.plan
        if noted not in plan:
            candidate, training = self._candidate(role, sides, told)
            before = self._searching()
            with self._work.timed(f"measure {role}"):
                judged = self._judge(role, before, candidate.searching, sides["held-out"])
            judgement = json.loads(json.dumps(dataclasses.asdict(judged)))
            part = dataclasses.asdict(candidate.part)
            values = {"reason": judged.reason, "training": training, "judgement": judgement}
            if candidate.part.weight:
                values |= {"weight": candidate.part.weight, "depth": candidate.part.depth}
            decided = {"judgement": judgement, "part": part, "told": values}
            plan = self._work.decide(**{noted: {**decided, "place": str(candidate.place)}})
        return dict(plan[noted])

    def _candidate(
        self,
        role: Role,
        sides: Mapping[Split, Sequence[Question]],
        told: Mapping[str, Any],
    ) -> tuple[Candidate, Report]:
        with self._work.timed("measure what there is"):
            if reason := self._judge.no_room(self._searching(), sides["held-out"]):
                raise _SkippedError(reason)
        retrieval = self._workspace.settings.retrieval
        with self._work.timed("negatives"):
            examples = make_material(
                local_index(self._workspace, self._name),
                retrieval.weights,
                sides,
                role,
                self._work,
                depth=retrieval.rerank_depth,
                seed=self._asked.seed,
                on_progress=self._report,
            )
        if not examples:
            raise _SkippedError("the search finds no passages to learn from for these questions")
        seconds = share_of(self._asked.seconds, role, taught=told["teacher"] is not None)
        if role == "embedder":
            return self._embedder(examples, seconds)
        return self._reranker(examples, seconds)

    def _embedder(self, examples: int, seconds: float) -> tuple[Candidate, Report]:
        try:
            start, longest = starting_embedder(self._workspace, self._folder)
        except UsageError as error:
            raise _SkippedError(str(error)) from error
        searching = self._searching()
        if (needed := self._encoding_seconds(searching.index)) > (
            most := _ENCODING_SHARE * self._asked.seconds
        ):
            raise _SkippedError(
                f"encoding the index anew to measure it would take about {needed / 60:.0f} minutes "
                f"of {most / 60:.0f}: give a larger --budget"
            )
        data, seed = self._work.data, self._asked.seed

        def recipe(steps: int, every: int) -> Recipe:
            return embedder_recipe(
                start, data, steps=steps, every=every, seed=seed, max_length=longest
            )

        with self._work.timed("train embedder"):
            run = train("embedder", recipe, examples, seconds, self._work, self._report)
        place = finished_embedder(run.path / "export", start, self._work.path / "candidate")
        common = self._workspace.encoders
        with self._work.timed("encode"):
            candidate = embedder_candidate(place, searching, common, self._work, self._report)
        return candidate, _training(run.path, run.read_json("evaluation.json"), examples)

    def _reranker(self, examples: int, seconds: float) -> tuple[Candidate, Report]:
        base = self._workspace.encoders.base()
        export = self._reranker_export or shipped(RERANKER)
        start = whole_reranker(export, base, self._work.path / "start-reranker")
        data, seed = self._work.data, self._asked.seed

        def recipe(steps: int, every: int) -> Recipe:
            return reranker_recipe(start, data, steps=steps, every=every, seed=seed)

        with self._work.timed("train reranker"):
            run = train("reranker", recipe, examples, seconds, self._work, self._report)
        place = finished_reranker(run.path / "export", self._work.path / "candidate")
        measures = run.read_json("evaluation.json")
        depth = self._workspace.settings.retrieval.rerank_depth
        candidate = reranker_candidate(place, self._searching(), measures, depth)
        return candidate, _training(run.path, measures, examples)

    # -- what there is ----------------------------------------------------------------------

    def _searching(self) -> Searching:
        index = local_index(self._workspace, self._name)
        return Searching(index, self._workspace.refinement_of(self._name))

    def _encoding_seconds(self, index: Index) -> float:
        stage = index.manifest.stages["dense"]
        return index.manifest.passages / stage.rate if stage.rate else 0.0


class _SkippedError(Exception):
    """A part that is left as it is, with the reason."""


def _training(run: Path, measures: Mapping[str, Any], examples: int) -> Report:
    return {"run": str(run), "examples": examples, "choosing": dict(measures)}
