"""The models of a recipe: who learns and who teaches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A mapping of a recipe; a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Adapter(Section):
    """LoRA (Hu et al., 2021, arXiv 2106.09685). `targets`: the ends of the modules' names."""

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[str, ...] = (
        "q_proj",
        "k_proj",
        "v_proj",
        "o_proj",
        "gate_proj",
        "up_proj",
        "down_proj",
    )


def _adapter(value: Any) -> Any:
    return None if value == "full" else value


class Student(Section):
    """What is trained.

    Attributes:
        model: a folder, a GGUF file, or a name of the catalogue.
        adapter: LoRA, or `full` for the weights themselves.
        frozen: patterns (`*embeddings*`) of weights that are left as they are.
        layers: which layers are kept, by number from 0; None keeps all.
        dropout: in place of the model's own; None leaves that.
    """

    model: str
    adapter: Annotated[Adapter | None, BeforeValidator(_adapter)] = None
    frozen: tuple[str, ...] = ()
    layers: tuple[int, ...] | None = None
    dropout: float | None = Field(default=None, ge=0, lt=1)


class Tune(Section):
    """A part of the teacher that is trained beside the student (see `tuned`).

    `adapter`: LoRA of `rank` in the modules whose names end in `targets`; `prompt`: `length`
    vectors before every text of a causal teacher.
    """

    part: Literal["adapter", "prompt"]
    rank: int = Field(default=8, ge=1)
    targets: tuple[str, ...] = ()
    length: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)

    @model_validator(mode="after")
    def _has_targets(self) -> Tune:
        if self.part == "adapter" and not self.targets:
            raise ValueError("an adapter needs 'targets', ends of the names of modules")
        return self


class TeacherSpec(Section):
    """Whose distributions are learnt.

    `model` is a folder or a catalogue name; `checkpoint` what a run exported; `ensemble` several of
    these, whose probabilities are averaged; `classroom` several, of which in each row those teach
    that know better than the student; `store` log-probabilities kept on disk; `data` the scores
    that examples bring with them; `momentum` the student itself, its weights averaged over the
    steps before with `decay`. `top_k` keeps that many choices and the mass of the rest.
    """

    kind: Literal[
        "none", "model", "checkpoint", "ensemble", "classroom", "store", "data", "momentum"
    ] = "none"
    decay: float = Field(default=0.999, gt=0, lt=1)
    path: str = ""
    paths: tuple[str, ...] = ()
    top_k: int | None = Field(default=None, ge=1)
    tune: Tune | None = None

    @model_validator(mode="after")
    def _has_paths(self) -> TeacherSpec:
        if self.kind == "ensemble" and not self.paths:
            raise ValueError("an ensemble needs 'paths'")
        if self.kind == "classroom" and len(set(self.paths)) < 2:
            raise ValueError("a classroom needs two different 'paths' or more")
        if self.kind in ("model", "checkpoint", "store") and not self.path:
            raise ValueError(f"a teacher of kind '{self.kind}' needs 'path'")
        if self.tune is not None and self.kind not in ("model", "checkpoint"):
            raise ValueError("'tune' trains a part of one model: 'kind' model or checkpoint")
        return self
