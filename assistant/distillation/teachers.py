"""Whose distributions the student is compared with."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch

from assistant.distillation.averaging import Averager
from assistant.distillation.beside import Kept
from assistant.distillation.exported import base_sha256
from assistant.distillation.foreign import ForeignModel
from assistant.distillation.recipe import Average, Recipe
from assistant.distillation.recipe_models import TeacherSpec
from assistant.distillation.students import model_folder
from assistant.distillation.tasks.base import Batch, Task
from assistant.distillation.terms import LossInput, TeacherRows
from assistant.errors import UsageError


class Teacher(Protocol):
    """Gives its distributions for the rows of a batch."""

    @property
    def id(self) -> str:
        """Tells it from other teachers."""
        ...

    def rows(self, batch: Batch, student: LossInput) -> TeacherRows: ...


class TeachingModels:
    """One model or several; how they teach together is for a subclass to say.

    Args:
        top_k: choices that are kept of a row; None keeps all.

    Attributes:
        beside: what of them goes on from step to step; None where they stay as they are.
    """

    beside: Kept | None = None

    def __init__(
        self, task: Task, models: Sequence[Any], top_k: int | None = None, *, name: str = ""
    ) -> None:
        self._task = task
        self.models = list(models)
        self._top_k = top_k
        self.id = name


class ModelTeacher(TeachingModels):
    """One model, or several whose probabilities are averaged."""

    def rows(self, batch: Batch, student: LossInput) -> TeacherRows:
        rows = self.teach(batch, student).teacher
        assert rows is not None
        return rows

    def teach(self, batch: Batch, student: LossInput) -> LossInput:
        """The student's rows with the teacher's; of several models the vectors of the first."""
        with torch.no_grad():
            parts = [self._task.teacher_rows(model, batch) for model in self.models]
            mean = replace(parts[0], logits=mean_logprobs([part.logits for part in parts]))
            return self._taught(student, mean)

    def _taught(self, student: LossInput, taught: LossInput) -> LossInput:
        """The student's rows with the distributions and vectors of a teacher's."""
        return replace(
            student,
            teacher=TeacherRows.from_logits(taught.logits, self._top_k),
            teacher_representations=taught.representations,
            teacher_tokens=taught.tokens,
        )


class MomentumTeacher(ModelTeacher):
    """The student's own weights, averaged over its steps: a mean teacher.

    Tarvainen and Valpola, 2017, arXiv 1703.01780: θ′ ← d·θ′ + (1 − d)·θ after each step (`Averager`
    says how d begins). It begins as the student and is never trained itself; it reads without
    dropout.
    """

    def __init__(self, task: Task, student: Any, spec: TeacherSpec) -> None:
        model = copy.deepcopy(student).eval().requires_grad_(False)
        average = Averager(student, Average(kind="ema", decay=spec.decay), "momentum.safetensors")
        for name, parameter in model.named_parameters():
            if name in average.mean:
                parameter.data = average.mean[name]  # the same memory: it moves by itself
        self.beside = average
        super().__init__(task, [model], spec.top_k, name="momentum")


class DataTeacher:
    """The scores that the examples bring with them."""

    id = "data"

    def rows(self, batch: Batch, student: LossInput) -> TeacherRows:
        """Those of the batch.

        Raises:
            UsageError: an example has none.
        """
        if student.teacher is None:
            raise UsageError(
                "the teacher is 'data', but some examples have no scores",
                remedy="give every example scores, or name a model as the teacher",
            )
        return student.teacher


def require_same_rows(teacher: torch.Tensor, student: torch.Tensor, who: str) -> None:
    """Refuse a teacher of another form than the student.

    Raises:
        UsageError: its logits have another shape.
    """
    if teacher.shape != student.shape:
        raise UsageError(
            f"{who} has other rows than the student",
            remedy="name a teacher with as many choices and exits as the student has",
        )


def same_choices(teacher: Teacher | None, what: str, *, otherwise: str) -> ModelTeacher:
    """The teacher, whose distributions are over the student's choices and of any input.

    Args:
        what: needs such a one; for the message, as `otherwise`: what to do without.

    Raises:
        UsageError: it is no model, or one with another tokenizer.
    """
    if isinstance(teacher, ModelTeacher) and not any(
        isinstance(model, ForeignModel) for model in teacher.models
    ):
        return teacher
    raise UsageError(
        f"{what} needs a teacher that is a model with the student's tokenizer",
        remedy=f"name such a teacher, or {otherwise}",
    )


def taught(teacher: Teacher, batch: Batch, student: LossInput) -> LossInput:
    """The student's rows with the teacher's distributions, and its vectors where it has some."""
    if isinstance(teacher, ModelTeacher):
        return teacher.teach(batch, student)
    return replace(student, teacher=teacher.rows(batch, student))


def mean_logprobs(logits: Sequence[torch.Tensor]) -> torch.Tensor:
    """Logarithms of the mean of several distributions, (N, V) each."""
    if len(logits) == 1:
        return logits[0]
    stacked = torch.stack([torch.log_softmax(part.float(), dim=-1) for part in logits])
    count = torch.tensor(float(len(logits)))
    return stacked.logsumexp(0) - count.log().to(stacked.device)


def load_teacher(
    recipe: Recipe, task: Task, device: torch.device, student: Any = None
) -> Teacher | None:
    """The teacher of a recipe, on the device; None where it has none.

    Args:
        student: whose weights a momentum teacher follows; on the device.

    Raises:
        ModelMissingError: its weights are not there.
        UsageError: it cannot teach this student; the reason is said.
    """
    spec = recipe.teacher
    if spec.kind == "none":
        return None
    if spec.kind == "data":
        return DataTeacher()
    if spec.kind == "momentum":
        if student is None:
            raise UsageError(
                "a momentum teacher is the student's own past: there is none before a run",
                remedy="name a model as the teacher",
            )
        return MomentumTeacher(task, student, spec)
    if spec.kind == "store":
        from assistant.distillation.logit_store import StoreTeacher

        return StoreTeacher.open(recipe.path(spec.path), task)
    names = spec.paths if spec.kind in ("ensemble", "classroom") else (spec.path,)
    folders = [model_folder(recipe, name, task.cache) for name in names]
    if spec.kind == "classroom":
        from assistant.distillation.classroom import ClassroomTeacher

        models = _models(task, folders, device)
        return ClassroomTeacher(task, models, spec.top_k, name=_names(folders))
    if spec.tune is not None:
        from assistant.distillation.tuned import TunedTeacher

        [model] = _models(task, folders, device)
        return TunedTeacher(task, model, spec, name=_names(folders))
    return teacher_of(task, folders, device, spec.top_k)


def weights_id(folder: Path) -> str:
    """A name that tells weights apart wherever they are: the folder's, and their SHA-256."""
    return f"{folder.name}-{base_sha256(folder)[:16]}"


def teacher_of(
    task: Task, folders: Sequence[Path], device: torch.device, top_k: int | None = None
) -> ModelTeacher:
    """A teacher of one or several exported models."""
    return ModelTeacher(task, _models(task, folders, device), top_k, name=_names(folders))


def _models(task: Task, folders: Sequence[Path], device: torch.device) -> list[Any]:
    models = [task.load_teacher(folder).to(device) for folder in folders]
    if len(models) > 1 and any(isinstance(model, ForeignModel) for model in models):
        raise UsageError(
            "teachers with other tokenizers than the student's have no mean distribution",
            remedy="name one of them",
        )
    return models


def _names(folders: Sequence[Path]) -> str:
    return "+".join(weights_id(folder) for folder in folders)
