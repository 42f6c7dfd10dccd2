"""What an adaptation is asked for, and how one way of searching is compared with another.

Measuring lives in `eval`, above this package; whoever runs an adaptation hands a `Judge` in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from assistant.adapting.questions import Question
from indexes.index import Index
from indexes.refining.refinement import Refinement

Role = Literal["embedder", "reranker"]
ROLES: tuple[Role, ...] = ("embedder", "reranker")
AUTO, NONE = "auto", "none"
DECIDING = "nDCG@10"
"""The measure that decides."""
SIGNIFICANT = 0.025
"""Below this p a difference counts: two parts share .05."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for.

    Attributes:
        seconds: for the whole; stages get shares of it.
        only: one of the two parts; None: both.
        teacher: "auto" (the answerer where it is installed), "none", or as `teaching_model` takes.
    """

    seconds: float
    only: Role | None = None
    teacher: str = AUTO
    seed: int = 0

    @property
    def roles(self) -> tuple[Role, ...]:
        """The parts to be adapted, in order."""
        return ROLES if self.only is None else (self.only,)


@dataclass(frozen=True, slots=True)
class Searching:
    """A way of searching an index: what it holds, and what happens to the fused list."""

    index: Index
    refinement: Refinement


@dataclass(frozen=True, slots=True)
class Comparison:
    """Means over the same questions before and after.

    Attributes:
        p: of the paired randomisation test on nDCG@10, two-sided, uncorrected.
    """

    questions: int
    before: Mapping[str, float]
    after: Mapping[str, float]
    p: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether adapted weights are to be installed, and why.

    Attributes:
        held_out: on held-out questions made from the index.
        kept: on the person's kept questions; None where there is none that names a place.
        also: on judged queries that were given besides, which decide nothing; None without.
    """

    better: bool
    reason: str
    held_out: Comparison
    kept: Comparison | None = None
    also: Comparison | None = None
    notes: Sequence[str] = field(default_factory=tuple)


class Judge(Protocol):
    """Compares two ways of searching."""

    def no_room(self, before: Searching, held_out: Sequence[Question]) -> str:
        """Why nothing could be found to be better than a way of searching; "" where it could."""
        ...

    def __call__(
        self, role: Role, before: Searching, after: Searching, held_out: Sequence[Question]
    ) -> Judgement: ...


def share_of(seconds: float, role: Role, *, taught: bool) -> float:
    """Seconds of training that a part gets of a budget; the rest is for questions and measuring."""
    left = 0.7 if taught else 1.0
    return seconds * left * (0.3 if role == "reranker" else 0.2)


def teacher_share(seconds: float, *, enough: bool = True) -> float:
    """Seconds of a budget in which a language model writes questions.

    Args:
        enough: whether it has written as many as tell something; until then it goes on longer,
            since without them the time that it took is lost.
    """
    return (0.3 if enough else 0.5) * seconds


def as_asked(asked: Asked, generation: str) -> dict[str, Any]:
    """What has to be the same for work to be gone on with."""
    return {
        "seconds": asked.seconds,
        "only": asked.only,
        "teacher": asked.teacher,
        "seed": asked.seed,
        "generation": generation,
    }
