"""Does the graph of thoughts help? The same model with and without it, on the same questions.

COLLECTION/queries.jsonl has an `answer` (and a `type`) for each query. Measured are the supporting
passages within the first ranks before and after the loop, and the answers: exact match (strict,
SQuAD's normalisation), F1, and apart from each other what was abstained, wrong, or an error.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from assistant.answering.evidence import select_evidence
from assistant.answering.readers import Reader
from assistant.errors import KnowledgeAssistantError, UsageError
from assistant.retrieving import Found, found_passages
from assistant.thinking import TurnThinking
from assistant.thoughts.effort import EffortName
from assistant.thoughts.likeness import Likeness
from assistant.thoughts.outcome import Outcome
from assistant.workspace import Workspace
from eval.answers import read
from eval.collections import Collection, read_rows, sample
from eval.retrieval import index_collection
from eval.significance import paired_randomisation
from eval.squad import exact_match, f1
from indexes.index import Hit
from indexes.progress import OnProgress, Progress
from indexes.queries import Query

_CALLED = ("answerer", "remote")  # readers that call a large language model

DEPTHS = (5, 10)
Half = Literal["all", "development", "held-out"]
Ending = Literal["exact", "wrong", "abstained", "error"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its gold answer and its supporting passages."""

    id: str
    text: str
    answer: str
    type: str
    supporting: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer judged. Without a gold answer, or a reader, everything stays empty."""

    text: str | None = None
    ending: Ending | None = None
    f1: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One question's results."""

    asked: Asked
    before: tuple[str, ...]  # passage ids, best first
    after: tuple[str, ...]
    without: Answered
    with_: Answered
    calls: int
    tokens: int
    think_seconds: float
    outcome: Outcome | None = field(repr=False, default=None)


def load_asked(collection: Collection, *, half: Half = "all") -> list[Asked]:
    """The collection's queries with answers.

    Args:
        half: the loop's few numbers were chosen on the development half; which half a question is
            in follows from its id (the parity of its MD5 digest).
    """
    rows = {
        str(row["_id"]): row
        for row in read_rows(collection.folder / "queries.jsonl", ("_id", "text"))
    }
    found = []
    for identity, text in collection.queries.items():
        even = int(hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest(), 16) % 2 == 0
        if half == "all" or (half == "development") == even:
            grades = collection.qrels[identity]
            row = rows[identity]
            found.append(
                Asked(
                    identity,
                    text,
                    str(row.get("answer", "")),
                    str(row.get("type", "")),
                    frozenset(p for p, grade in grades.items() if grade > 0),
                )
            )
    return found


def evaluate_thoughts(
    workspace: Workspace,
    collection: Collection,
    *,
    effort: EffortName,
    reader: Reader | None,
    half: Half = "all",
    limit: int | None = None,
    seed: int = 0,
    facts: bool = True,
    on_progress: OnProgress = lambda progress: None,
) -> list[Row]:
    """Ask every question with and without thinking.

    Args:
        reader: answers in both; None measures the supporting passages only.
        facts: the reader is told the facts found, beside the passages.

    Raises:
        UsageError: answers are wanted and a question has none.
    """
    asked = sample(load_asked(collection, half=half), limit, seed)
    if reader is not None and not all(one.answer for one in asked):
        raise UsageError(
            f"{collection.folder}/queries.jsonl has questions without an answer",
            remedy="leave the answers out: --reader none",
        )
    name = index_collection(workspace, collection, on_progress).manifest.name
    rows = []
    started = time.monotonic()
    for number, one in enumerate(asked, start=1):
        rows.append(_row(workspace, name, one, effort, reader, facts=facts))
        seconds = time.monotonic() - started
        on_progress(Progress("think", number, len(asked), "questions", seconds))
    return rows


def _row(
    workspace: Workspace,
    index: str,
    asked: Asked,
    effort: EffortName,
    reader: Reader | None,
    *,
    facts: bool,
) -> Row:
    encoder = Likeness(workspace.encoders.dense())
    queries = (Query(asked.text),)
    result = workspace.search(index, queries, limit=workspace.settings.retrieval.depth)
    without = _answered(workspace, asked, reader, result.hits, encoder)
    began = time.monotonic()
    thinking = TurnThinking(workspace, index, encoder, effort)
    hits, outcome = result.hits, None
    failed = ""
    try:
        list(thinking.think(asked.text, Found(result, queries, ())))
        if (outcome := thinking.outcome) is not None:
            hits = outcome.hits
    except KnowledgeAssistantError as error:
        failed = error.message
    think_seconds = time.monotonic() - began
    if failed:
        with_ = Answered(failed, "error")
    else:
        with_ = _answered(workspace, asked, reader, hits, encoder, outcome, facts=facts)
    return Row(
        asked,
        tuple(hit.passage.id for hit in result.hits),
        tuple(hit.passage.id for hit in hits),
        without,
        with_,
        (outcome.calls if outcome else 0) + (reader is not None and reader.kind in _CALLED),
        outcome.tokens if outcome else 0,
        think_seconds,
        outcome,
    )


def _answered(
    workspace: Workspace,
    asked: Asked,
    reader: Reader | None,
    hits: Sequence[Hit],
    encoder: Likeness,
    outcome: Outcome | None = None,
    *,
    facts: bool = False,
) -> Answered:
    if reader is None:
        return Answered()
    began = time.monotonic()
    passages = found_passages(hits[: workspace.settings.retrieval.passages])
    try:
        evidence = select_evidence(
            outcome.evidence_for(asked.text) if outcome else asked.text,
            passages,
            encoder,
            budget=workspace.settings.answering.evidence_tokens,
            carried=outcome.carried if outcome else (),
        )
        told = outcome.in_words() if outcome is not None and facts else ()
        text = read(reader, asked.text, evidence, passages, facts=told)
    except KnowledgeAssistantError as error:
        return Answered(error.message, "error", 0.0, time.monotonic() - began)
    seconds = time.monotonic() - began
    if text is None:
        return Answered(None, "abstained", 0.0, seconds)
    right = exact_match(text, [asked.answer]) > 0
    return Answered(text, "exact" if right else "wrong", f1(text, [asked.answer]), seconds)


# -- the report ---------------------------------------------------------------------------------


def report(rows: Sequence[Row]) -> dict[str, Any]:
    """The documented shape of `assistant eval thoughts --json`."""
    kinds = sorted({row.asked.type for row in rows if row.asked.type})
    return {
        **_measures(rows),
        "questions": len(rows),
        "by_type": {
            kind: {"questions": len(own), **_measures(own)}
            for kind in kinds
            if (own := [row for row in rows if row.asked.type == kind])
        },
    }


def _measures(rows: Sequence[Row]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if any(row.with_.ending for row in rows):
        values["with"] = _answers([row.with_ for row in rows])
        values["without"] = _answers([row.without for row in rows])
        exact = [[float(a.ending == "exact") for a in pair] for pair in _pairs(rows)]
        scores = [[a.f1 for a in pair] for pair in _pairs(rows)]
        values["gain"] = {
            "em": _mean([w - o for w, o in exact]),
            "f1": _mean([w - o for w, o in scores]),
            "p": _significance(exact),
            "p_f1": _significance(scores),
        }
    values["supporting"] = _supporting(rows)
    values["calls"] = _mean([float(row.calls) for row in rows])
    values["tokens"] = _mean([float(row.tokens) for row in rows])
    values["seconds"] = _mean([row.think_seconds + row.with_.seconds for row in rows])
    values["seconds_without"] = _mean([row.without.seconds for row in rows])
    return values


def _pairs(rows: Sequence[Row]) -> list[tuple[Answered, Answered]]:
    return [(row.with_, row.without) for row in rows]


def _answers(answers: Sequence[Answered]) -> dict[str, float]:
    def share(ending: Ending) -> float:
        return _mean([float(answer.ending == ending) for answer in answers])

    return {
        "em": share("exact"),
        "f1": _mean([answer.f1 for answer in answers]),
        "abstained": share("abstained"),
        "wrong": share("wrong"),
        "error": share("error"),
    }


def _supporting(rows: Sequence[Row]) -> dict[str, float]:
    values: dict[str, float] = {}
    sides: Mapping[str, Callable[[Row], tuple[str, ...]]] = {
        "before": lambda row: row.before,
        "after": lambda row: row.after,
    }
    for depth in DEPTHS:
        for side, ranked in sides.items():
            found = [row.asked.supporting & set(ranked(row)[:depth]) for row in rows]
            pairs = list(zip(rows, found, strict=True))
            values[f"{side}@{depth}"] = _mean(
                [len(own) / len(row.asked.supporting) for row, own in pairs]
            )
            values[f"all_{side}@{depth}"] = _mean(
                [float(own == row.asked.supporting) for row, own in pairs]
            )
        both = [
            [float(row.asked.supporting <= set(side(row)[:depth])) for side in sides.values()]
            for row in rows
        ]
        values[f"p_all@{depth}"] = _significance([(after, before) for before, after in both])
    return values


def _significance(pairs: Sequence[Sequence[float]]) -> float:
    """p of the paired randomisation test; 1 where nothing differs."""
    if all(a == b for a, b in pairs):
        return 1.0
    return round(paired_randomisation([a for a, _ in pairs], [b for _, b in pairs]), 4)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
