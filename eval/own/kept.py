"""What is kept of the own questions: a question, a run of them, a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eval.own.expectations import Expectation, Judged


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A question that is asked again, of which index, and what is expected of the answer."""

    id: str
    question: str
    index: str
    expectation: Expectation
    turn: str
    created: str


@dataclass(frozen=True, slots=True)
class OwnResult:
    """What came of a question in a run.

    `generation` is that of the index as it was asked, `definition` the fingerprint of question and
    expectation at that time.
    """

    run: str
    question_id: str
    question: str
    definition: str
    index: str
    generation: str
    judged: Judged


@dataclass(frozen=True, slots=True)
class OwnRun:
    """A run: how many questions it was for, how many are done and passed, and under what settings.

    `started` and `ended` are ISO 8601, UTC; `ended` is "" while it runs or where it was stopped.
    `fingerprint` tells settings apart; `settings` has their values by dotted name.
    """

    id: str
    started: str
    ended: str
    questions: int
    done: int
    passed: int
    fingerprint: str
    settings: Mapping[str, Any]
