"""Choosing fusion weights: nDCG on rows, folds, and that nothing is reported on what chose it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import UsageError
from eval.collections import load_collection
from eval.cross_validation import cross_validated, folds_of, left_out
from eval.fusion import (
    AGREEMENT_STRENGTHS,
    EXACT_FACTORS,
    choose,
    report_json,
    ways_of_fusing,
    weight_grid,
)
from eval.measures import by_query
from eval.ranked_lists import (
    Candidates,
    JudgedLists,
    JudgedQuery,
    conversations,
    judged_lists,
    ndcg,
    table_of,
)
from indexes.build import IndexWriter
from indexes.corpora import open_source
from indexes.fusion import FUSIONS, min_max
from indexes.index import DEFAULT_WEIGHTS, Index
from indexes.manifest import STAGES
from indexes.query_weights import by_agreement, for_exact_words
from indexes.ranking import Ranking
from tests.fast.indexes.sources import HashedEncoders

grades = st.dictionaries(st.integers(0, 30), st.integers(1, 3), min_size=1, max_size=8)
found = st.lists(st.integers(0, 30), max_size=20, unique=True)


def _query(
    rankings: dict[str, list[int]], judged: dict[int, int], name: str = "q", group: str = ""
) -> JudgedQuery:
    lists = {
        stage: Ranking(
            np.array(rows, dtype=np.int64), np.arange(len(rows), 0, -1).astype(np.float32)
        )
        for stage, rows in rankings.items()
    }
    ideal = tuple(sorted(judged.values(), reverse=True))
    return JudgedQuery(name, name, group or name, lists, judged, ideal)


def _ndcg(query: JudgedQuery, scores: dict[int, float]) -> list[float]:
    rows = np.array(sorted(scores), dtype=np.int64)
    values = np.array([[scores[row]] for row in rows.tolist()]).reshape(len(rows), 1)
    return ndcg(query, rows, values)[0].tolist()


@settings(deadline=None)  # the first call imports a library
@given(found, grades)
def test_ndcg_equals_ir_measures(rows: list[int], judged: dict[int, int]) -> None:
    scores = {row: float(len(rows) - rank) for rank, row in enumerate(rows)}
    own = _ndcg(_query({}, judged), scores)
    names = ("nDCG@5", "nDCG@10")
    run = {"q": {str(row): score for row, score in scores.items()}}
    theirs = by_query(run, {"q": {str(row): grade for row, grade in judged.items()}}, names)
    assert own == pytest.approx([theirs[name]["q"] for name in names])


def test_ndcg_orders_equal_scores_by_row() -> None:
    query = _query({}, {3: 1})
    assert _ndcg(query, {9: 1.0, 3: 1.0})[0] == 1.0
    assert _ndcg(query, {1: 1.0, 3: 1.0})[0] == pytest.approx(1 / np.log2(3))


def test_judgements_that_the_index_lacks_lower_the_value() -> None:
    query = JudgedQuery("q", "q", "q", {}, {1: 1}, (1, 1))
    assert _ndcg(query, {1: 1.0})[0] == pytest.approx(1 / (1 + 1 / np.log2(3)))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=20, max_size=60), st.integers(0, 3))
def test_folds_never_part_a_group(groups: list[str], seed: int) -> None:
    if len(set(groups)) < 3:
        return
    folds = folds_of(groups, 3, seed)
    assert set(folds.tolist()) == {0, 1, 2}
    for group in set(groups):
        assert (
            len({fold for g, fold in zip(groups, folds.tolist(), strict=True) if g == group}) == 1
        )
    assert folds.tolist() == folds_of(groups, 3, seed).tolist()


def test_folds_of_single_queries_are_equal_in_size() -> None:
    folds = folds_of([str(n) for n in range(23)], 5, 0)
    assert sorted(np.bincount(folds).tolist()) == [4, 4, 5, 5, 5]


@pytest.mark.parametrize("folds", [1, 4])
def test_impossible_folds_are_refused(folds: int) -> None:
    with pytest.raises(UsageError, match="folds"):
        folds_of(["a", "a", "b", "c"], folds, 0)


def _table(*rows: tuple[float, ...]) -> np.ndarray:
    """Queries × candidates, the same value at both cuts."""
    return np.repeat(np.array(rows)[:, :, None], 2, axis=2)


def test_a_query_s_value_comes_from_a_choice_without_it() -> None:
    # On fold 1 alone candidate 1 wins, on fold 0 alone candidate 2: each is reported on the other.
    table = _table((0.5, 0.0, 0.9), (0.5, 1.0, 0.0))
    done = cross_validated(
        ["c"], [table], [table[:, 0]], [np.array([0, 1])], ["default", "one", "two"]
    )
    assert done.chosen == ("one", "two")
    assert done.collections[0].ndcg == (0.0, 0.0)
    assert done.collections[0].default == (0.5, 0.5)
    assert done.difference == -0.5


def test_the_choice_is_the_mean_over_collections_not_over_queries() -> None:
    large = _table(*[(0.5, 0.6)] * 30)
    small = _table((0.5, 0.1), (0.5, 0.1))
    folds = [np.arange(30) % 2, np.array([0, 1])]
    tables, defaults = [large, small], [large[:, 0], small[:, 0]]
    done = cross_validated(["large", "small"], tables, defaults, folds, ["default", "other"])
    assert done.chosen == ("default", "default")
    assert done.better == done.worse == ()


def test_what_is_left_out_does_not_choose() -> None:
    a, b = _table(*[(0.5, 0.9)] * 20), _table(*[(0.5, 0.2)] * 20)
    done = left_out(["a", "b"], [a, b], [a[:, 0], b[:, 0]], ["default", "other"])
    assert done.chosen == ("default", "other")
    assert [c.ndcg[0] for c in done.collections] == pytest.approx([0.5, 0.2])
    assert done.worse == ("b",)
    with pytest.raises(UsageError, match="two"):
        left_out(["a"], [a], [a[:, 0]], ["default", "other"])


def test_weight_grid_sums_to_one() -> None:
    grid = weight_grid(0.25)
    assert len(grid) == 15
    assert all(sum(weights.values()) == pytest.approx(1.0) for weights in grid)
    assert {"lexical": 0.0, "dense": 0.25, "sparse": 0.75} in grid
    with pytest.raises(UsageError, match="step"):
        weight_grid(0.3)


lists_by_stage = st.dictionaries(
    st.sampled_from(STAGES),
    st.lists(st.integers(0, 30), max_size=12, unique=True),
    min_size=1,
)


@settings(deadline=None, max_examples=30)
@given(lists_by_stage)
def test_every_candidate_ranks_as_its_function_does(lists: dict[str, list[int]]) -> None:
    query = _query(lists, {1: 1}, 'the "exact" words')
    grid = [DEFAULT_WEIGHTS, *weight_grid(0.5)]
    ways = ways_of_fusing(0.5)
    for name, fuse in FUSIONS.items():
        _same_scores(ways[name], query, [fuse(query.rankings, weights) for weights in grid])
    agreeing = [
        min_max(query.rankings, by_agreement(query.rankings, weights, strength))
        for weights in grid
        for strength in AGREEMENT_STRENGTHS
    ]
    _same_scores(ways["min-max, lists that agree"], query, agreeing)
    exact = [
        min_max(query.rankings, for_exact_words(query.text, weights, factor))
        for weights in grid
        for factor in EXACT_FACTORS
    ]
    _same_scores(ways["min-max, exact words"], query, exact)


def _same_scores(
    candidates: Candidates, query: JudgedQuery, expected: list[dict[int, float]]
) -> None:
    """Equal up to a factor, which no ranking sees."""
    rows, scores = candidates.scores(query)
    assert scores.shape == (len(rows), len(expected)) and len(candidates.labels) == len(expected)
    for column, own in enumerate(expected):
        values = np.array([own.get(row, np.nan) for row in rows.tolist()])
        highest, theirs = scores[:, column].max(initial=0), np.nanmax(values, initial=0)
        if not own:
            assert np.isnan(scores[:, column]).all()
        elif theirs > 0:
            assert scores[:, column] / highest == pytest.approx(values / theirs, abs=1e-6)
        else:  # no list with a weight: reciprocal ranks give zeros here, the others nothing
            assert np.isnan(highest) or highest == 0


def test_every_way_s_first_candidate_has_the_default_weights() -> None:
    assert all(".40/.35/.25" in way.labels[0] for way in ways_of_fusing(0.5).values())


def test_a_stage_that_is_always_right_gets_the_weight() -> None:
    queries = tuple(
        _query({"lexical": [3, 2, 1], "dense": [1, 2, 3], "sparse": [2, 3, 1]}, {1: 1}, str(n))
        for n in range(8)
    )
    lists = [JudgedLists(name, 4, queries) for name in ("a", "b")]
    report = choose(lists, {"min-max": ways_of_fusing(0.5)["min-max"]}, folds=4)
    (way,) = report.ways
    assert [c.ndcg[0] for c in way.folds.collections] == [1.0, 1.0]
    assert way.left_out is not None and way.left_out.better == ("a", "b")
    written = json.loads(json.dumps(report_json(report)))
    assert written["ways"][0]["folds"]["significantly_worse"] == []
    assert written["ways"][0]["leave_one_out"]["collections"][1]["nDCG@5"] == 1.0


def test_lists_come_from_the_index_and_turns_of_a_conversation_share_a_group(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "toy"
    (folder / "qrels").mkdir(parents=True)
    texts = {"p1": "red wine of the south", "p2": "white wine", "p3": "cheese made of milk"}
    rows = [{"_id": name, "title": "", "text": text} for name, text in texts.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    asked = [
        {"_id": "q1", "text": "red wine", "history": []},
        {"_id": "q2", "text": "cheese", "history": [{"role": "user", "content": "red wine"}]},
        {"_id": "q3", "text": "milk"},
    ]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\tp1\t2\nq1\tp2\t1\nq2\tp3\t1\nq3\tabsent\t1\n",
        encoding="utf-8",
    )
    encoders = HashedEncoders()
    IndexWriter(tmp_path / "index", encoders).build([open_source(f"beir:{folder}")])
    index = Index.open(tmp_path / "index", encoders)
    collection = load_collection(folder)
    assert conversations(collection) == {"q1": "red wine", "q2": "red wine", "q3": "milk"}
    lists = judged_lists(index, collection, depth=10)
    first, second, third = lists.queries
    assert (first.group, second.group) == ("red wine", "red wine")
    assert sorted(first.grades.values()) == [1, 2] and first.ideal == (2, 1)
    assert set(first.rankings) == set(DEFAULT_WEIGHTS)
    assert third.grades == {} and third.ideal == (1,)
    values = table_of(lists, ways_of_fusing(0.5)["min-max"])
    assert values.shape == (3, 7, 2)
    assert values[0, 0, 0] > 0.6 and values[2].max() == 0
