"""Run files scored against one set of judgements, and turn by turn against the first of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.errors import UnknownNameError
from eval.ikat.judgements import read_trec_qrels
from eval.ikat.runs import IkatRun, read_run
from eval.ikat.scoring import MEASURES, Comparison, ScoreReport, compare, score_run
from eval.ikat.topics import Topic


@dataclass(frozen=True, slots=True)
class ScoredRuns:
    """Reports of the runs, the first first, and each other one against it."""

    reports: tuple[ScoreReport, ...]
    comparisons: tuple[Comparison, ...]
    judged: int


@dataclass(frozen=True, slots=True)
class TurnDifference:
    """A turn's value in the first run and in another one; `utterance` is "" where unknown."""

    turn: str
    utterance: str
    first: float
    other: float

    @property
    def difference(self) -> float:
        return self.other - self.first


def score_files(
    runs: Sequence[tuple[str, Path]],
    qrels: Path,
    *,
    relevant_from: int,
    missing: str,
    measure: str,
    year: int | None = None,
    seed: int = 0,
) -> ScoredRuns:
    """Read and score run files, and test each against the first.

    Args:
        runs: each with what it is called where several have the same name.

    Raises:
        UnknownNameError: no such measure, or way to count missing turns.
        UsageError: a file that is not what it should be; names file, line and turn.
    """
    if measure not in MEASURES:  # before the files are read
        raise UnknownNameError("measure", measure, MEASURES)
    judged = read_trec_qrels(qrels)
    read = named_apart([(label, read_run(path, year)) for label, path in runs])
    reports = [score_run(run, judged, relevant_from=relevant_from, missing=missing) for run in read]
    return ScoredRuns(tuple(reports), tuple(compare(reports, measure, seed=seed)), len(judged))


def named_apart(read: Sequence[tuple[Path | str, IkatRun]]) -> list[IkatRun]:
    """Runs of the same name are called by their path, or what stands in its place."""
    names = Counter(run.name for _, run in read)
    return [run if names[run.name] == 1 else replace(run, name=str(path)) for path, run in read]


def turn_differences(
    first: ScoreReport, other: ScoreReport, measure: str, topics: Sequence[Topic] = ()
) -> list[TurnDifference]:
    """The turns of both runs, those that differ most first."""
    said = {turn.id: turn.utterance for topic in topics for turn in topic.turns}
    found = [
        TurnDifference(turn, said.get(turn, ""), values[measure], other.by_turn[turn][measure])
        for turn, values in first.by_turn.items()
        if turn in other.by_turn
    ]
    return sorted(found, key=lambda turn: -abs(turn.difference))
