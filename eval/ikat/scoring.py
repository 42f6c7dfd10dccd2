"""Measures of a run's rankings against graded judgements (0 to 4), and comparisons of runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.errors import UnknownNameError, UsageError
from eval.collections import Qrels
from eval.ikat.judgements import HIGHEST_GRADE
from eval.ikat.runs import IkatRun
from eval.measures import by_query
from eval.significance import bootstrap_interval, holm, paired_randomisation

GRADED = ("nDCG@3", "nDCG@5", "nDCG@10")
BINARY = ("P@5", "R@100", "R@1000", "AP", "RR", "RR@10")
MEASURES = (*GRADED, *BINARY)
MISSING = ("zero", "skip")
RELEVANT_FROM = 2
TEST_MEASURE = "nDCG@5"
_PARTS = re.compile(r"\d{1,9}|\D+|\d+").findall


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """Mean measures of one run, and each turn's values.

    `by_turn` has the turns that the means are over. `absent` counts judged turns that the run
    lacks, `unjudged` turns of the run that the judgements lack; the latter are never counted.
    """

    run: str
    judged: int
    in_run: int
    absent: int
    unjudged: int
    measures: dict[str, float]
    by_turn: dict[str, dict[str, float]]

    def interval(self, measure: str) -> tuple[float, float]:
        """95 % bootstrap interval of a mean over turns."""
        return bootstrap_interval([values[measure] for values in self.by_turn.values()])


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against the first one: difference of means over `turns` turns, p, and p by Holm."""

    run: str
    difference: float
    turns: int
    p: float
    p_holm: float


def score_run(
    run: IkatRun, qrels: Qrels, *, relevant_from: int = RELEVANT_FROM, missing: str = "zero"
) -> ScoreReport:
    """Measure a run.

    nDCG takes the grade as gain and log2(rank + 1) as discount, like trec_eval's ndcg_cut. The
    other measures are binary: relevant from grade `relevant_from` on. A judged turn without such a
    passage counts 0 in them. Passages without judgement are not relevant.

    Args:
        missing: judged turns that the run lacks: "zero" counts them 0, like `trec_eval -c`;
            "skip" takes the mean over the judged turns that the run has.

    Raises:
        UsageError: a value out of range, or no judged turn in the run.
    """
    if relevant_from not in range(1, HIGHEST_GRADE + 1):
        raise UsageError(f"relevant-from is 1 to {HIGHEST_GRADE}, not {relevant_from}")
    if missing not in MISSING:
        raise UnknownNameError("way to count missing turns", missing, MISSING)
    turns = sorted(qrels, key=_natural)
    present = [turn for turn in turns if turn in run.turns]
    if not present:
        raise UsageError(
            f"no turn of run {run.name} is judged",
            remedy="run and judgements must be of the same year; a judged turn is "
            f"'{next(iter(qrels), '')}', a turn of the run '{next(iter(run.turns), '')}'",
        )
    counted = {turn: qrels[turn] for turn in (turns if missing == "zero" else present)}
    passages = {turn: run.turns[turn].passages for turn in present}
    values = by_query(passages, counted, [_named(name, relevant_from) for name in MEASURES])
    by_turn = {
        turn: {name: values[_named(name, relevant_from)][turn] for name in MEASURES}
        for turn in counted
    }
    return ScoreReport(
        run=run.name,
        judged=len(qrels),
        in_run=len(run.turns),
        absent=len(qrels) - len(present),
        unjudged=len(run.turns) - len(present),
        measures={name: _mean([row[name] for row in by_turn.values()]) for name in MEASURES},
        by_turn=by_turn,
    )


def compare(
    reports: Sequence[ScoreReport],
    measure: str = TEST_MEASURE,
    *,
    rounds: int = 10_000,
    seed: int = 0,
) -> list[Comparison]:
    """Each run against the first, over the turns that both count, corrected by Holm.

    Raises:
        UnknownNameError: no such measure.
        UsageError: two runs have no turn in common.
    """
    if measure not in MEASURES:
        raise UnknownNameError("measure", measure, MEASURES)
    made = []
    for report in reports[1:]:
        turns = [turn for turn in reports[0].by_turn if turn in report.by_turn]
        if not turns:
            raise UsageError(
                f"runs {reports[0].run} and {report.run} have no judged turn in common"
            )
        first = [reports[0].by_turn[turn][measure] for turn in turns]
        other = [report.by_turn[turn][measure] for turn in turns]
        p = paired_randomisation(first, other, rounds=rounds, seed=seed)
        made.append((report.run, _mean(other) - _mean(first), len(turns), p))
    corrected = holm([p for *_, p in made])
    return [
        Comparison(run, difference, turns, p, p_holm)
        for (run, difference, turns, p), p_holm in zip(made, corrected, strict=True)
    ]


def thresholds(relevant_from: int) -> Mapping[str, str]:
    """What each measure counts as relevant, in words."""
    graded = "grade as gain, 0 to 4"
    return {
        name: graded if name in GRADED else f"relevant from grade {relevant_from}"
        for name in MEASURES
    }


def _named(measure: str, relevant_from: int) -> str:
    """ir_measures' name: "R@100" → "R(rel=2)@100"."""
    if measure in GRADED:
        return measure
    kind, at, depth = measure.partition("@")
    return f"{kind}(rel={relevant_from}){at}{depth}"


def _natural(turn: str) -> tuple[tuple[int, str], ...]:
    """The order of a person: "9-1_2" before "9-1_10" before "10-1_1"."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in _PARTS(turn))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
