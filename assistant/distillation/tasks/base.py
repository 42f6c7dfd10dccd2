"""What a task is: it turns examples into batches, and a model's outputs into rows of logits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from assistant.distillation.examples import AnyExample
from assistant.distillation.recipe import Recipe
from assistant.distillation.registry import Registry
from assistant.distillation.students import (
    load_model,
    load_tokenizer,
    model_folder,
    shaped,
    tokenizer_hash,
)
from assistant.distillation.terms import LossInput
from assistant.errors import UsageError

Batch = dict[str, Any]
"""Tensors by name; `keys`: under which name each example's teacher rows are stored; `tokens`."""


@dataclass(frozen=True, slots=True)
class Units:
    """What batches are made of: U units, each with its length in tokens, difficulty and domain."""

    lengths: NDArray[np.int64]
    difficulty: NDArray[np.float64]
    domains: tuple[str, ...]

    @classmethod
    def of(cls, lengths: NDArray[np.int64], examples: Sequence[Any]) -> Units:
        """Units that are an example each."""
        difficulty = np.array([example.difficulty for example in examples], np.float64)
        return cls(lengths, difficulty, tuple(example.domain for example in examples))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a model is on the held-out examples.

    `measures` by name; `examples` has one record for each example, with `id` and `domain`.
    """

    measures: dict[str, float]
    examples: list[dict[str, Any]] = field(default_factory=list)


class TaskOptions(BaseModel):
    """Parameters of a task."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Task(ABC):
    """One kind of model and example. Made for one run, prepared once.

    Args:
        recipe: the run's.
        cache: a folder for what is costly to make again (converted weights).
    """

    name: ClassVar[str]
    Options: ClassVar[type[TaskOptions]]
    example_type: ClassVar[type]
    fitting_teacher: ClassVar[str]
    """What to do about a teacher with another tokenizer."""
    own_choices: ClassVar[bool] = True
    """Whether a unit's rows are the same in every batch."""

    def __init__(self, recipe: Recipe, cache: Path) -> None:
        self.recipe = recipe
        self.cache = cache
        self.options: Any = self.Options(**recipe.task.parameters)
        self.base = model_folder(recipe, recipe.student.model, cache)
        self.tokenizer = load_tokenizer(self.base)

    def prepare(self, training: Sequence[AnyExample], held_out: Sequence[AnyExample]) -> None:
        """Tokenise everything once.

        Raises:
            UsageError: examples of another kind than the task's.
        """
        for example in (*training[:1], *held_out[:1]):
            if not isinstance(example, self.example_type):
                raise UsageError(
                    f"the task '{self.name}' cannot learn from {type(example).__name__}s",
                    remedy="choose another task, or another source",
                )
        self._prepare(training, held_out)

    @abstractmethod
    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None: ...

    @property
    @abstractmethod
    def units(self) -> Units:
        """The training data, in units."""

    def new_student(self) -> Any:
        """A fresh student, as the recipe describes it, on the CPU in float32."""
        return shaped(load_model(self.base, self.name), self.recipe.student)

    def load_teacher(self, folder: Path) -> Any:
        """A trained model of this task as a teacher; its size may be another than the student's.

        Raises:
            UsageError: it cuts texts into other tokens than the student does.
        """
        if tokenizer_hash(load_tokenizer(folder)) != tokenizer_hash(self.tokenizer):
            raise UsageError(
                f"the teacher {folder} has another tokenizer than the student",
                remedy=self.fitting_teacher,
            )
        return load_model(folder, self.name).eval().requires_grad_(False)

    @abstractmethod
    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        """The batch of some units, on the CPU."""

    @abstractmethod
    def rows(self, model: Any, batch: Batch) -> LossInput:
        """The model's rows for a batch, without a teacher."""

    def teacher_rows(self, model: Any, batch: Batch) -> LossInput:
        """A teacher's rows for a batch, where it reads something else than the student does."""
        return self.rows(model, batch)

    def owners(self, batch: Batch, rows: LossInput) -> Tensor:
        """Which of the units that the batch was made of each row belongs to, (N,)."""
        return rows.sequences

    def sample(self, model: Any, batch: Batch, generator: torch.Generator, teacher: Any) -> Batch:
        """The same batch with completions that the model writes itself.

        Raises:
            UsageError: the task has nothing to sample.
        """
        raise UsageError(
            f"the task '{self.name}' has no completions to sample",
            remedy="set sampling.kind to teacher-forced",
        )

    @abstractmethod
    def evaluate(self, model: Any, *, precision: str | None = None) -> Evaluation:
        """The measures on the held-out examples; none if there are no examples.

        Args:
            precision: `fp32` or `bf16` in place of the loop's.
        """

    @abstractmethod
    def samples(self, model: Any, count: int = 12) -> list[dict[str, Any]]:
        """What the model does with the first held-out examples, for people."""

    @abstractmethod
    def outputs(self, model: Any, examples: Sequence[Any]) -> list[str]:
        """What the model answers, as a text for each example; nothing of the gold is used."""

    @property
    @abstractmethod
    def template(self) -> str:
        """What the inputs look like, as a text: stored logits of another one do not fit."""


TASKS: Registry[type[Task]] = Registry("task")


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """Σ w·l / Σ w; 0 where there is no weight at all."""
    return (losses * weights).sum() / weights.sum().clamp(min=1e-9)


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with its tensors on a device."""
    return {k: v.to(device) if isinstance(v, Tensor) else v for k, v in batch.items()}
