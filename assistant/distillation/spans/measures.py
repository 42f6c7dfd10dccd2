"""How good found spans are, with and without the question whether there is an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.distillation.examples import SpanExample
from assistant.distillation.spans.asking import Span
from assistant.text_overlap import exact_match, f1

Judged = dict[str, Any]


def judge(example: SpanExample, span: Span | None) -> Judged:
    """One question's record: what was found, its score, and EM and F1 as if it had to answer."""
    text = example.passage[span.start : span.end] if span else ""
    return {
        "id": example.id,
        "domain": example.domain,
        "answerable": example.answerable,
        "found": text,
        "score": span.score if span else -1e9,
        "em": exact_match(text, example.answers) if example.answerable else 0.0,
        "f1": f1(text, example.answers) if example.answerable else 0.0,
    }


def best_threshold(judged: Sequence[Judged]) -> float:
    """The score below which abstaining gives the best overall F1; between two scores that occur."""
    scores = np.array([j["score"] for j in judged])
    answerable = np.array([j["answerable"] for j in judged])
    gain = np.where(answerable, [j["f1"] for j in judged], -1.0)
    order = np.argsort(-scores, kind="stable")
    totals: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(gain[order])])
    ranked = scores[order]
    # equal scores are answered together: only places where the score changes count
    possible = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])
    count = int(np.argmax(np.where(possible, totals, -np.inf)))
    if count == 0:
        return float(ranked[0]) + 1.0
    if count == len(ranked):
        return float(ranked[-1]) - 1.0
    return float((ranked[count - 1] + ranked[count]) / 2)


def at_threshold(judged: Sequence[Judged], threshold: float) -> dict[str, float]:
    """SQuAD 2.0's measures where a score below the threshold means "not there"."""
    answerable = np.array([j["answerable"] for j in judged], bool)
    abstained = np.array([j["score"] for j in judged]) < threshold
    em = np.where(abstained, ~answerable, [j["em"] for j in judged]).astype(float)
    overlap = np.where(abstained, ~answerable, [j["f1"] for j in judged]).astype(float)
    rightly = float((abstained & ~answerable).sum())
    return {
        "em": _mean(em),
        "f1": _mean(overlap),
        "has_answer_em": _mean(em[answerable]),
        "has_answer_f1": _mean(overlap[answerable]),
        "no_answer_recall": rightly / max(1, int((~answerable).sum())),
        "no_answer_precision": rightly / max(1, int(abstained.sum())),
    }


def settled(judged: Sequence[Judged], threshold: float) -> list[Judged]:
    """The records with EM and F1 as they are where a score below the threshold abstains.

    Abstaining is right exactly where there is no answer; `forced_em` and `forced_f1` are as before.
    """
    records = []
    for one in judged:
        abstains = one["score"] < threshold
        right = float(not one["answerable"])
        records.append(
            {
                **one,
                "abstains": abstains,
                "em": right if abstains else one["em"],
                "f1": right if abstains else one["f1"],
                "forced_em": one["em"],
                "forced_f1": one["f1"],
            }
        )
    return records


def summarise(judged: Sequence[Judged]) -> dict[str, float]:
    """Measures at the best threshold of these very questions, at 0, and without abstaining."""
    threshold = best_threshold(judged)
    values = {"threshold": threshold, **at_threshold(judged, threshold)}
    values |= {f"at_zero_{key}": value for key, value in at_threshold(judged, 0.0).items()}
    found = [j for j in judged if j["answerable"]]
    values["forced_em"] = _mean(np.array([j["em"] for j in found]))
    values["forced_f1"] = _mean(np.array([j["f1"] for j in found]))
    return {key: round(float(value), 5) for key, value in values.items()}


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 0.0
