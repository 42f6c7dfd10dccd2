"""A recipe: everything that a distillation run depends on, in one declarative file.

```yaml
name: reader
task: {name: span, max_length: 384}
student: {model: minilm, frozen: ["*word_embeddings*"]}
teacher: {kind: checkpoint, path: ../runs/teacher/export}
data:
  - {source: squad, path: train.jsonl}
held_out:
  - {source: squad, path: held-out.jsonl}
losses:
  - {name: cross-entropy}
  - {name: forward-kl, weight: {schedule: linear, from: 0, to: 1}, temperature: 2}
loop: {epochs: 3, batch_size: 32, learning_rate: 3.0e-4}
```

A part (a loss, a data source, a task) is named, and its parameters stand beside its name; what they
are is said by the part itself. `recipe_file` reads and checks such files.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.distillation.recipe_models import Section, Student, TeacherSpec
from assistant.distillation.recipe_rules import contradiction
from assistant.distillation.schedules import Schedule


class PartSpec(BaseModel):
    """A part by name, with its parameters."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class LossSpec(PartSpec):
    weight: Schedule = Schedule()


class DataSpec(BaseModel):
    """A source of examples; `weight` is how much each of its examples counts."""

    model_config = ConfigDict(extra="allow", frozen=True)

    source: str
    weight: float = Field(default=1.0, ge=0)
    limit: int | None = Field(default=None, ge=1)
    seed: int = 0

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Sampling(Section):
    """Whose completions are learnt from: the data's, or the student's own (GKD, arXiv 2306.13649).

    `mixed` takes the student's for a share `fraction` of the batches.
    """

    kind: Literal["teacher-forced", "on-policy", "mixed"] = "teacher-forced"
    fraction: Schedule = Schedule.model_validate(0.5)
    temperature: float = Field(default=1.0, gt=0)
    max_tokens: int = Field(default=48, ge=1)
    teacher_mix: float = Field(default=0.0, ge=0, lt=1)


class Domains(Section):
    """Domains in which the student is further behind its teacher count more (see `domains`).

    Every `every` steps both are measured on `sample` units of each domain; `smoothing` is how much
    of the new factor counts beside an even one (α of DDK, arXiv 2407.16154, equation 2).
    """

    every: int = Field(default=100, ge=1)
    smoothing: float = Field(default=0.5, gt=0, lt=1)
    sample: int = Field(default=32, ge=1)


class Curriculum(Section):
    """The order of the examples, and how much those of a domain count.

    `easy-to-hard` draws from the easiest share c of the data, c² growing linearly from `start`² to
    1 at progress `until` (competence-based, Platanios et al., 2019, arXiv 1903.09848).
    `disagreement` trains on the share `share` of the data on which the untrained student and the
    teacher differ most, in random order.
    """

    order: Literal["random", "easy-to-hard", "disagreement"] = "random"
    start: float = Field(default=0.2, gt=0, le=1)
    until: float = Field(default=0.5, gt=0, le=1)
    share: float = Field(default=0.5, gt=0, le=1)
    domains: Domains | None = None


class Average(Section):
    """Averaged weights, used for evaluation and export.

    `ema`: θ̄ ← d·θ̄ + (1 − d)·θ at each step. `swa`: the plain mean from progress `start` on, every
    `every` steps (Izmailov et al., 2018, arXiv 1803.05407).
    """

    kind: Literal["none", "ema", "swa"] = "none"
    decay: float = Field(default=0.999, gt=0, lt=1)
    start: float = Field(default=0.5, ge=0, lt=1)
    every: int = Field(default=1, ge=1)


class Loop(Section):
    """How long and how fast: `epochs` or `steps`, `batch_size` or `batch_tokens`.

    `max_seconds` ends a generation's training after that time, the learning rate falling towards
    it; how far it comes depends on the machine, so such a run is not the same twice.
    """

    max_seconds: float | None = Field(default=None, gt=0)
    epochs: float | None = Field(default=None, gt=0)
    steps: int | None = Field(default=None, ge=1)
    batch_size: int | None = Field(default=None, ge=1)
    batch_tokens: int | None = Field(default=None, ge=1)
    accumulate: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    head_learning_rate: float | None = Field(default=None, gt=0)
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    warmup: float = Field(default=0.05, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, ge=0)
    seed: int = 0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    generations: int = Field(default=1, ge=1)
    average: Average = Average()
    checkpoint_every: int = Field(default=500, ge=1)
    evaluate_every: int | None = Field(default=None, ge=1)
    log_every: int = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _one_of_each(self) -> Loop:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give one of 'epochs' and 'steps'")
        if (self.batch_size is None) == (self.batch_tokens is None):
            raise ValueError("give one of 'batch_size' and 'batch_tokens'")
        return self


class Export(Section):
    """What is written at the end: weights in half precision, and a GGUF adapter on request."""

    dtype: Literal["float16", "bfloat16", "float32"] = "float16"
    gguf: bool = False
    licence: str = ""


class Recipe(Section):
    """The whole of it. `folder` is where relative paths begin; it is no part of the file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    task: PartSpec
    student: Student
    teacher: TeacherSpec = TeacherSpec()
    data: tuple[DataSpec, ...] = Field(min_length=1)
    held_out: tuple[DataSpec, ...] = ()
    reporting: tuple[str, ...] = ()
    losses: tuple[LossSpec, ...] = Field(min_length=1)
    sampling: Sampling = Sampling()
    curriculum: Curriculum = Curriculum()
    loop: Loop
    export: Export = Export()
    folder: Path = Field(default=Path(), exclude=True, repr=False)

    @model_validator(mode="after")
    def _sections_fit(self) -> Recipe:
        if (reason := contradiction(self)) is not None:
            raise ValueError(reason)
        return self

    def path(self, text: str) -> Path:
        """A path of the recipe, absolute."""
        return (self.folder / Path(text).expanduser()).absolute()

    def dump(self) -> dict[str, Any]:
        """As plain data: what reading it again gives the same recipe from."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def hash(self) -> str:
        """SHA-256 of its content, of paths the last part alone: the same on every machine."""
        portable = json.dumps(_portable(self.dump()), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(portable.encode()).hexdigest()


_PATH_KEYS = frozenset({"path", "paths", "model", "reporting"})


def map_paths(value: Any, change: Any, *, at: str = "") -> Any:
    """The same plain data with `change` applied to every path in it."""
    if isinstance(value, dict):
        return {key: map_paths(item, change, at=str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_paths(item, change, at=at) for item in value]
    return change(value) if at in _PATH_KEYS and isinstance(value, str) and value else value


def _portable(data: dict[str, Any]) -> Any:
    return map_paths(data, lambda text: Path(text).name)
