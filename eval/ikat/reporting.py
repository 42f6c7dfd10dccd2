"""The documented shapes of `assistant eval ikat score --json` and `… validate --json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eval.ikat.findings import ERROR, Violation
from eval.ikat.scoring import Comparison, ScoreReport
from eval.ikat.statements import StatementReport


def run_json(
    report: ScoreReport,
    comparison: Comparison | None,
    statements: StatementReport | None,
    *,
    test_measure: str,
    by_turn: bool,
) -> dict[str, Any]:
    """One entry of `runs`; `by_turn` adds the values of every turn."""
    made: dict[str, Any] = {
        "run": report.run,
        "turns_in_run": report.in_run,
        "turns_missing": report.absent,
        "turns_not_judged": report.unjudged,
        "turns_counted": len(report.by_turn),
        "measures": _rounded(report.measures),
        "interval": {test_measure: [round(end, 4) for end in report.interval(test_measure)]},
        "comparison": None,
        "statements": None,
    }
    if comparison is not None:
        made["comparison"] = {
            "difference": round(comparison.difference, 4),
            "turns": comparison.turns,
            "p": comparison.p,
            "p_holm": comparison.p_holm,
        }
    if statements is not None:
        made["statements"] = {
            "turns": statements.turns,
            "turns_labelled": statements.labelled,
            "turns_rightly_empty": statements.abstained,
            "unknown": statements.unknown,
            "pooled": _rounded(asdict(statements.pooled)),
            "mean_labelled": _rounded(asdict(statements.mean_labelled)),
            "mean_all": _rounded(asdict(statements.mean_all)),
        }
    if by_turn:
        made["by_turn"] = {turn: _rounded(values) for turn, values in report.by_turn.items()}
        if statements is not None:
            made["statements"]["by_turn"] = {
                turn: _rounded(asdict(values)) for turn, values in statements.by_turn.items()
            }
    return made


def validation_json(path: str, year: int, violations: Sequence[Violation]) -> dict[str, Any]:
    """`ok` is true when there is no violation of level "error"."""
    errors = sum(violation.level == ERROR for violation in violations)
    return {
        "run": path,
        "year": year,
        "ok": errors == 0,
        "errors": errors,
        "warnings": len(violations) - errors,
        "violations": [asdict(violation) for violation in violations],
    }


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}
