"""One evaluation of distillation: which systems answer which questions, in which settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assistant.answering.small_reader import SmallReader
from assistant.errors import UsageError
from assistant.events import FoundPassage
from assistant.workspace import Workspace
from eval.calibration import Sigmoid, fit_sigmoid
from eval.collections import sample
from eval.distillation import (
    Answer,
    Run,
    Setting,
    passages_for,
    recall,
    run_system,
    uses_knowledge,
)
from eval.earlier_answers import Earlier
from eval.open_book import Finder, given
from eval.questions import Question
from eval.small_threshold import scored
from eval.systems import KNOWLEDGE, SLOW, System
from indexes.progress import OnProgress

FinderOf = Callable[[bool], Finder]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is evaluated.

    Attributes:
        systems: by name, in the order of the table.
        slow_limit: systems of `SLOW` answer a sample of so many; None all.
        seed: of that sample.
        finder: what finds passages, given whether with the knowledge store; None leaves out the
            setting "retrieved".
        earlier: answers of an earlier evaluation that systems of `SLOW` take over.
        calibration: questions that the score's sigmoid is fitted on, the passage given.
    """

    systems: Sequence[str]
    slow_limit: int | None = None
    seed: int = 0
    finder: FinderOf | None = None
    earlier: Earlier = field(default_factory=dict)
    calibration: Sequence[Question] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All answers to the questions of one file.

    Attributes:
        recall: of the passages found, by whether the knowledge store was searched.
        fitted: sigmoids of the systems that have scores.
    """

    questions: Sequence[Question]
    runs: list[Run]
    recall: dict[bool, dict[str, float]] = field(default_factory=dict)
    fitted: Mapping[str, Sigmoid] = field(default_factory=dict)

    def of(self, setting: Setting) -> list[Run]:
        """The runs of one setting."""
        return [run for run in self.runs if run.setting == setting]


def evaluate(
    workspace: Workspace,
    questions: Sequence[Question],
    plan: Plan,
    make: Callable[[Workspace, str], System],
    *,
    on_progress: OnProgress = lambda progress: None,
) -> Evaluation:
    """Let every system of the plan answer.

    Args:
        make: a system by its name (`eval.systems.make_system`).

    Raises:
        UsageError: two questions have one id; a system with the knowledge store and no index.
        UnknownNameError, ModelMissingError: a system that is not there, before any answer.
    """
    if len({q.id for q in questions}) < len(questions):
        raise UsageError("two questions have the same id", remedy="give each row its own _id")
    if plan.finder is None and any(uses_knowledge(name) for name in plan.systems):
        raise UsageError(
            f"readers with {KNOWLEDGE} need passages that are found",
            remedy="give --index or --open-book",
        )
    systems = [make(workspace, name) for name in plan.systems]
    found = Evaluation(questions, [], {}, _fitted(systems, plan.calibration, on_progress))
    passages = passages_for(questions, given)

    def measure(
        system: System, shown: Mapping[str, tuple[FoundPassage, ...]], setting: Setting
    ) -> None:
        found.runs.append(
            run_system(
                workspace,
                system,
                _asked(system, questions, plan),
                shown,
                setting,
                earlier=_earlier(system, setting, plan),
                on_progress=on_progress,
            )
        )

    for system in systems:
        if not uses_knowledge(system.name):
            measure(system, passages, "given")
    if plan.finder is None:
        return found
    for knowledge in (False, True):
        own = [system for system in systems if uses_knowledge(system.name) is knowledge]
        if not own:
            continue
        retrieved = passages_for(questions, plan.finder(knowledge), on_progress=on_progress)
        found.recall[knowledge] = recall(questions, retrieved)
        for system in own:
            measure(system, retrieved, "retrieved")
    return found


def _asked(system: System, questions: Sequence[Question], plan: Plan) -> list[Question]:
    return sample(questions, plan.slow_limit if _is_slow(system) else None, plan.seed)


def _earlier(system: System, setting: Setting, plan: Plan) -> Mapping[str, Answer] | None:
    return plan.earlier.get((system.name, setting)) if _is_slow(system) else None


def _is_slow(system: System) -> bool:
    return system.name.removesuffix(KNOWLEDGE) in SLOW


def _fitted(
    systems: Sequence[System], rows: Sequence[Question], on_progress: OnProgress
) -> dict[str, Sigmoid]:
    found: dict[str, Sigmoid] = {}
    reader = next((s.reader for s in systems if isinstance(s.reader, SmallReader)), None)
    if not rows or reader is None:
        return found
    judged = scored(reader, rows, given, stage="calibrate", on_progress=on_progress)
    sigmoid = fit_sigmoid([j["score"] for j in judged], [j["answerable"] for j in judged])
    # One span model scores for all of them.
    return {s.name: sigmoid for s in systems if isinstance(s.reader, SmallReader)}
