"""Does the reliance dial do what it says? Edited facts as contexts, over its whole range.

Only facts that the model *knows* are used: it answers two ways of asking the same, and not by the
edited thing. A third way of asking is then answered

- beside the edit's statement: following the context means naming the edited thing;
- beside a statement that has nothing to do with it: right is what the model knows.

The two together are the *mix*: leaning on documents is right in one half, leaning on the model in
the other, and the dial is not told which is which.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

from langchain_core.messages import BaseMessage

from assistant.answering.dial import Share
from assistant.answering.evidence import Evidence, sentences_of
from assistant.answering.prompts import answer_messages, own_messages
from assistant.errors import UsageError
from assistant.events import FoundPassage
from eval.counterfactual import Edit, answers_with, beside_the_point, names_same
from eval.questions import Question, given_passage
from eval.significance import bootstrap_interval, paired_randomisation
from eval.squad import normalise
from indexes.progress import OnProgress, Progress

Kind = Literal["contradicting", "beside the point"]
DIAL: tuple[Share, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, "auto")
_BATCH = 8  # edits answered at once


class Dialled(Protocol):
    """A model that can be asked with the dial at several places."""

    def answers(
        self,
        questions: Sequence[tuple[Sequence[BaseMessage], Sequence[BaseMessage]]],
        dial: Sequence[Share],
    ) -> list[list[str]]:
        """For each pair of prompts, with material and without, an answer for each place."""
        ...

    def alone(self, questions: Sequence[Sequence[BaseMessage]]) -> list[str]:
        """Plain answers to prompts."""
        ...


@dataclass(frozen=True, slots=True)
class KnownEdit:
    """An edit of something that the model knows, and what it says by itself."""

    edit: Edit
    own: str

    @property
    def question(self) -> str:
        return self.edit.questions[-1]


Case = tuple[KnownEdit, Kind, str]  # and the statement it is asked beside


@dataclass(frozen=True, slots=True)
class RelianceRow:
    """One question beside one statement, answered over the dial."""

    known: KnownEdit
    kind: Kind
    context: str
    answers: dict[Share, str]

    def follows(self, at: Share) -> bool:
        """Whether the answer names the edited thing."""
        return answers_with(self.answers[at], self.known.edit.object)

    def recalls(self, at: Share) -> bool:
        """Whether the answer names what the model knows by itself."""
        return answers_with(self.answers[at], self.known.own)

    @property
    def decidable(self) -> bool:
        """Whether an answer can tell the two sources apart: what the model knows is not what the
        edit says, and the question does not name the edited thing itself."""
        edited = self.known.edit.object
        named = f" {normalise(edited)} " in f" {normalise(self.known.question)} "
        return not named and not answers_with(self.known.own, edited)

    def right(self, at: Share) -> bool:
        return self.follows(at) if self.kind == "contradicting" else self.recalls(at)


def known_edits(
    model: Dialled,
    edits: Sequence[Edit],
    *,
    wanted: int,
    on_progress: OnProgress = lambda progress: None,
) -> list[KnownEdit]:
    """The first edits, `wanted` at most, of facts that the model knows."""
    found: list[KnownEdit] = []
    started = time.monotonic()
    for begin in range(0, len(edits), 2 * _BATCH):
        chunk = edits[begin : begin + 2 * _BATCH]
        asked = [own_messages(q, short=True) for edit in chunk for q in edit.questions[:2]]
        answers = model.alone(asked)
        for edit, first, second in zip(chunk, answers[::2], answers[1::2], strict=True):
            if names_same(first, second) and not any(
                names_same(answer, edit.object) for answer in (first, second)
            ):
                found.append(KnownEdit(edit, first))
        seconds = time.monotonic() - started
        on_progress(Progress("known", min(len(found), wanted), wanted, "facts", seconds))
        if len(found) >= wanted:
            break
    return found[:wanted]


def evaluate_reliance(
    model: Dialled,
    known: Sequence[KnownEdit],
    *,
    dial: Sequence[Share] = DIAL,
    on_row: Callable[[RelianceRow], None] = lambda row: None,
    on_progress: OnProgress = lambda progress: None,
) -> list[RelianceRow]:
    """Answer every question beside both statements, over the dial."""
    every = cases(known)
    rows: list[RelianceRow] = []
    started = time.monotonic()
    for begin in range(0, len(every), 2 * _BATCH):
        chunk = every[begin : begin + 2 * _BATCH]
        for case, answers in zip(chunk, model.answers(prompts(chunk), dial), strict=True):
            row = RelianceRow(*case, dict(zip(dial, answers, strict=True)))
            rows.append(row)
            on_row(row)
        seconds = time.monotonic() - started
        on_progress(Progress("answer", len(rows), len(every), "answers", seconds))
    return rows


def cases(known: Sequence[KnownEdit]) -> list[Case]:
    """Each fact beside its edit, and beside another's."""
    others = beside_the_point([one.edit for one in known])
    found: list[Case] = []
    for one, other in zip(known, others, strict=True):
        found.append((one, "contradicting", one.edit.statement))
        found.append((one, "beside the point", other.statement))
    return found


def prompts(chunk: Sequence[Case]) -> list[tuple[list[BaseMessage], list[BaseMessage]]]:
    """The question with the statement as the only passage, and the question alone."""
    return [
        (_with_context(one.question, text), own_messages(one.question, short=True))
        for one, _, text in chunk
    ]


def _with_context(question: str, statement: str) -> list[BaseMessage]:
    passage: FoundPassage = given_passage(Question("1", statement, "Notes", question, (), True))
    evidence = Evidence(tuple(sentences_of([passage])), 0, 0)
    return answer_messages(question, evidence, [passage], short=True, leaning=True)


def report(rows: Sequence[RelianceRow]) -> dict[str, Any]:
    """The documented shape of `assistant eval reliance --json`; undecidable rows are left out.

    Raises:
        UsageError: there are no rows.
    """
    given, rows = rows, [row for row in rows if row.decidable]
    if not rows:
        raise UsageError(
            "the model knows none of these facts", remedy="more edits (--limit), or another model"
        )
    dial = list(rows[0].answers)
    against = [row for row in rows if row.kind == "contradicting"]
    beside = [row for row in rows if row.kind == "beside the point"]
    places = {
        str(at): {
            "follows": _share([row.follows(at) for row in against]),
            "recalls": _share([row.recalls(at) for row in against]),
            "right_beside": _share([row.right(at) for row in beside]),
            "right_mix": _share([row.right(at) for row in rows]),
        }
        for at in dial
    }
    numbers = sorted(at for at in dial if at != "auto")
    follows = [places[str(at)]["follows"]["share"] for at in numbers]
    found: dict[str, Any] = {
        "facts": len(against),
        "left_out": len(given) - len(rows),
        "dial": places,
        "monotone": all(a >= b for a, b in pairwise(follows)),
        "range": round(follows[0] - follows[-1], 4) if follows else 0.0,
    }
    found["steps"] = {
        f"{low:g} to {high:g}": {
            "change": round(follows[place + 1] - follows[place], 4),
            "p": _p([row.follows(low) for row in against], [row.follows(high) for row in against]),
        }
        for place, (low, high) in enumerate(pairwise(numbers))
    }
    if "auto" in dial:
        found["auto_against"] = {
            str(at): {
                "gain": round(
                    places["auto"]["right_mix"]["share"] - places[str(at)]["right_mix"]["share"], 4
                ),
                "p": _p([row.right("auto") for row in rows], [row.right(at) for row in rows]),
            }
            for at in numbers
        }
    return found


def _share(values: Sequence[bool]) -> dict[str, float]:
    numbers = [float(value) for value in values]
    if not numbers:
        return {"share": 0.0, "low": 0.0, "high": 0.0}
    low, high = bootstrap_interval(numbers)
    mean = sum(numbers) / len(numbers)
    return {"share": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}


def _p(a: Sequence[bool], b: Sequence[bool]) -> float:
    if list(a) == list(b):
        return 1.0
    return round(paired_randomisation([float(v) for v in a], [float(v) for v in b]), 4)
