"""Measures of rankings, query by query; the one place that calls ir_measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Scores = Mapping[str, float]
Grades = Mapping[str, int]


def by_query(
    run: Mapping[str, Scores], qrels: Mapping[str, Grades], measures: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Values of each measure (ir_measures' names) for every query of `qrels`.

    A query that is absent from `run` has the value 0, as in trec_eval's complete mode (`-c`).
    Equal scores are ranked by passage id, descending, as trec_eval does. This is settled here, by
    handing over ranks in place of scores, because the engines behind ir_measures differ in it
    (trec_eval's descends, that of RR@k ascends).
    """
    import ir_measures

    parsed = {name: ir_measures.parse_measure(name) for name in measures}
    values = {name: dict.fromkeys(qrels, 0.0) for name in parsed}
    ranked = {query: _ranks(run[query]) for query in qrels if run.get(query)}
    if not ranked:
        return values
    grades = {query: dict(qrels[query]) for query in ranked}
    names = {measure: name for name, measure in parsed.items()}
    for found in ir_measures.iter_calc(list(parsed.values()), grades, ranked):
        values[names[found.measure]][found.query_id] = float(found.value)
    return values


def ranking(scores: Scores) -> list[str]:
    """Passage ids, best first: by score, then by id, both descending."""
    return sorted(scores, key=lambda passage: (scores[passage], passage), reverse=True)


def _ranks(scores: Scores) -> dict[str, float]:
    best_first = ranking(scores)
    return {passage: float(len(best_first) - rank) for rank, passage in enumerate(best_first)}
