"""Weights of the stages that depend on the query: two ways, each with one parameter.

Both leave the weights alone at their neutral value, so that a setting can switch them off.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from indexes.ranking import Ranking

AGREEMENT_DEPTH = 10

# "…" and “…”; words that mix letters and digits (ADAR1, E404, v2.1); snake_case; dotted names.
_AS_WRITTEN = re.compile(
    r'"[^"]{2,}"|“[^”]{2,}”|`[^`]+`'
    r"|\b(?=\w*\d)(?=\w*[^\W\d_])\w+\b"
    r"|\b\w+_\w+\b|\b[^\W\d]\w*\.[^\W\d]\w+\b"
)


def wants_exact_words(query: str) -> bool:
    """Whether the query has a quoted phrase or an identifier, which only words as written match."""
    return _AS_WRITTEN.search(query) is not None


def for_exact_words(query: str, weights: Mapping[str, float], factor: float) -> dict[str, float]:
    """The lexical weight `factor` times as high for a query with identifiers or quoted phrases."""
    exact = wants_exact_words(query)
    return {
        stage: weight * factor if exact and stage == "lexical" else weight
        for stage, weight in weights.items()
    }


def agreement(rankings: Mapping[str, Ranking], depth: int = AGREEMENT_DEPTH) -> dict[str, float]:
    """For each list the mean share of its first `depth` that another list has among its own.

    A list that found nothing agrees with none; one list alone has 0.
    """
    first = {stage: set(r.rows[:depth].tolist()) for stage, r in rankings.items()}
    return {
        stage: sum(len(own & other) for name, other in first.items() if name != stage)
        / (depth * max(len(first) - 1, 1))
        for stage, own in first.items()
    }


def by_agreement(
    rankings: Mapping[str, Ranking], weights: Mapping[str, float], strength: float
) -> dict[str, float]:
    """Each weight times exp(strength × (the list's agreement − the lists' mean agreement)).

    Lists that confirm each other tell which of them went astray, without any judgement (after
    Wu and Crestani, "Data fusion with estimated weights", CIKM 2002).
    """
    found = agreement(rankings)
    mean = sum(found.values()) / max(len(found), 1)
    return {
        stage: weight * math.exp(strength * (found[stage] - mean)) if stage in found else weight
        for stage, weight in weights.items()
    }
