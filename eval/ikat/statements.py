"""How well a run chooses the statements about the person that matter for a turn.

Precision, recall and F1, averaged in three ways, because published figures differ in it:

pooled           over all turns with a relevant statement, counts are added up first (micro); the
                 published floors of "everything is relevant" are of this kind
mean of labelled the mean over the same turns (macro)
mean of all      the mean over all turns; where nothing is relevant, choosing nothing counts 1 and
                 choosing anything 0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eval.ikat.judgements import StatementLabels


@dataclass(frozen=True, slots=True)
class PRF:
    """Precision, recall and F1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class StatementReport:
    """The three averages and what they are over.

    `unknown` counts chosen statements that the topic does not have; each is a wrong choice.
    `abstained` counts the turns without a relevant statement where nothing was chosen.
    """

    turns: int
    labelled: int
    unknown: int
    abstained: int
    pooled: PRF
    mean_labelled: PRF
    mean_all: PRF
    by_turn: dict[str, PRF]


def score_statements(
    chosen: Mapping[str, Iterable[str]], labels: StatementLabels
) -> StatementReport:
    """Compare choices by turn (ids or texts) with the labels; a turn that is absent chose nothing.

    A choice of a turn that has no labels is not looked at.
    """
    values: dict[str, PRF] = {}
    hits = selected = wanted = unknown = abstained = 0
    for turn, relevant in labels.relevant.items():
        picked = _ids(chosen.get(turn, ()), turn, labels)
        right = len(picked & relevant)
        values[turn] = _prf(right, len(picked), len(relevant))
        unknown += len(picked - labels.known[turn])
        if relevant:
            hits, selected, wanted = hits + right, selected + len(picked), wanted + len(relevant)
        else:
            abstained += not picked
    labelled = [values[turn] for turn, relevant in labels.relevant.items() if relevant]
    return StatementReport(
        turns=len(values),
        labelled=len(labelled),
        unknown=unknown,
        abstained=abstained,
        pooled=_prf(hits, selected, wanted),
        mean_labelled=_mean(labelled),
        mean_all=_mean(list(values.values())),
        by_turn=values,
    )


def _ids(chosen: Iterable[str], turn: str, labels: StatementLabels) -> set[str]:
    """Choices as ids: one that is no id is looked for by its text."""
    by_text = labels.ids_by_text[turn]
    return {
        given if given in labels.known[turn] else by_text.get(given.strip(), given)
        for given in chosen
    }


def _prf(right: int, selected: int, wanted: int) -> PRF:
    if not wanted:
        return PRF(1.0, 1.0, 1.0) if not selected else PRF(0.0, 0.0, 0.0)
    precision = right / selected if selected else 0.0
    return PRF(precision, right / wanted, 2 * right / (selected + wanted))


def _mean(values: list[PRF]) -> PRF:
    count = max(len(values), 1)
    return PRF(
        sum(value.precision for value in values) / count,
        sum(value.recall for value in values) / count,
        sum(value.f1 for value in values) / count,
    )
