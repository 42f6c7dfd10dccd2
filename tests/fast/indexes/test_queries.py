"""Several queries at once, rows that are not to be found, and what a query leans on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.build import IndexWriter
from indexes.errors import UsageError
from indexes.fusion import add_up
from indexes.index import Index
from indexes.queries import MAX_QUERIES, MAX_QUERY_CHARACTERS, Query, QueryVector, cleaned
from indexes.ranker import query_vectors
from tests.fast.indexes.sources import (
    HashedDense,
    HashedEncoders,
    HashedSparse,
    HashedStudent,
    MemorySource,
)

TEXTS: dict[str, str | None] = {
    "a": "Sea otters sleep on their backs and wrap themselves in kelp.",
    "b": "Kelp forests grow half a metre a day in cold water.",
    "c": "The lease of the flat in Lyon ends on 31 March 2027.",
    "d": "The boiler of the flat was serviced in October.",
    "e": "Otters open shells with stones and sleep in the water.",
    "f": "The rent of the flat is 870 euros a month.",
}


def test_a_string_is_one_query() -> None:
    assert cleaned("  kelp \n") == [Query("kelp", phrases=True)]


def test_queries_without_text_or_weight_are_left_out() -> None:
    weights = {"dense": 1.0}
    given = [
        Query(" "),
        Query("kelp ", 0.5, " ctx ", 0.3, weights),
        Query("a", 0.0),
        Query("b", -1.0),
        Query("c", float("nan")),
    ]
    assert cleaned(given) == [Query("kelp", 0.5, "ctx", 0.3, weights)]


@pytest.mark.parametrize("query", ["", " \n", [], [Query("")], [Query("a", 0.0)]])
def test_nothing_to_search_for(query: str | list[Query]) -> None:
    with pytest.raises(UsageError, match="empty"):
        cleaned(query)


def test_too_many_and_too_long() -> None:
    assert len(cleaned([Query("a")] * MAX_QUERIES)) == MAX_QUERIES
    with pytest.raises(UsageError, match="at most"):
        cleaned([Query("a")] * (MAX_QUERIES + 1))
    (cut,) = cleaned([Query("x" * 30_000, 1.0, "y" * 30_000, 0.5)])
    assert len(cut.text) == len(cut.context) == MAX_QUERY_CHARACTERS


_lists = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 20), st.floats(0, 1), max_size=8), st.floats(0.01, 5)),
    min_size=1,
    max_size=5,
)


@given(_lists)
def test_parts_add_up_to_the_score(lists: list[tuple[dict[int, float], float]]) -> None:
    fused, weights = [scores for scores, _ in lists], [weight for _, weight in lists]
    shares = add_up(fused, weights)
    assert set(shares) == {row for scores in fused for row in scores}
    for row, parts in shares.items():
        expected = sum(w * s.get(row, 0.0) for s, w in lists) / sum(weights)
        assert len(parts) == len(lists)
        assert sum(parts) == pytest.approx(expected)
        assert -1e-9 <= sum(parts) <= 1 + 1e-9


@given(st.dictionaries(st.integers(0, 20), st.floats(0, 1), max_size=8), st.floats(0.01, 5))
def test_one_query_alone_is_its_own_list(scores: dict[int, float], weight: float) -> None:
    assert add_up([scores], [weight]) == {row: (score,) for row, score in scores.items()}


@given(_lists.flatmap(lambda lists: st.tuples(st.just(lists), st.permutations(range(len(lists))))))
def test_order_of_queries_only_orders_the_shares(
    given: tuple[list[tuple[dict[int, float], float]], list[int]],
) -> None:
    lists, order = given
    plain = add_up([scores for scores, _ in lists], [weight for _, weight in lists])
    moved = add_up([lists[n][0] for n in order], [lists[n][1] for n in order])
    assert set(plain) == set(moved)
    for row, parts in plain.items():
        assert moved[row] == pytest.approx(tuple(parts[n] for n in order))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("indexes") / "notes"
    IndexWriter(folder, HashedEncoders()).build([MemorySource(TEXTS)])
    opened = Index.open(folder, HashedEncoders())
    yield opened
    opened.close()


def _scores(
    index: Index, query: str | Sequence[Query], **options: object
) -> dict[str, tuple[float, tuple[float, ...]]]:
    found = index.search(query, limit=100, **options)  # type: ignore[arg-type]
    return {hit.passage.uri: (hit.score, hit.shares) for hit in found.hits}


def test_two_queries_are_the_weighted_sum_of_each(index: Index) -> None:
    first, second = Query("otters in kelp", 1.0), Query("rent of the flat", 0.5)
    alone = [_scores(index, first.text), _scores(index, second.text)]
    together = index.search([first, second], limit=100)
    assert together.query == "otters in kelp"
    scores = [hit.score for hit in together.hits]
    assert scores == sorted(scores, reverse=True)
    assert {hit.passage.uri for hit in together.hits} == set(alone[0]) | set(alone[1])
    for hit in together.hits:
        uri = hit.passage.uri
        parts = tuple(
            weight * own.get(uri, (0.0, ()))[0]
            for weight, own in zip((2 / 3, 1 / 3), alone, strict=True)
        )
        assert hit.shares == pytest.approx(parts)
        assert hit.score == pytest.approx(sum(parts))


def test_a_passage_has_its_best_place_of_each_stage(index: Index) -> None:
    hits = index.search([Query("otters in kelp"), Query("rent of the flat")], limit=100).hits
    places = {hit.passage.uri: hit.stages["lexical"].rank for hit in hits if hit.stages}
    assert places["a"] == places["f"] == 1


def test_a_query_may_have_its_own_stages(index: Index) -> None:
    words = {"lexical": 1.0, "dense": 0.0, "sparse": 0.0}
    only_words = _scores(index, "lease", weights=words)
    own = _scores(index, [Query("lease", stage_weights=words)])
    assert own == only_words
    assert set(own) == {"c"}


def test_one_query_in_a_list_is_the_string(index: Index) -> None:
    assert _scores(index, [Query("kelp", 0.3)]) == _scores(index, "kelp")


def test_twice_the_same_query_changes_no_score(index: Index) -> None:
    once, twice = _scores(index, "kelp"), _scores(index, [Query("kelp"), Query("kelp", 0.2)])
    assert {uri: score for uri, (score, _) in twice.items()} == pytest.approx(
        {uri: score for uri, (score, _) in once.items()}
    )


_question = st.lists(
    st.sampled_from(sorted({w for text in TEXTS.values() for w in str(text).lower().split()})),
    min_size=1,
    max_size=5,
).map(" ".join)


def _rows(index: Index, uris: set[str]) -> list[int]:
    ids = [passage.id for passage in index.store.passages() if passage.uri in uris]
    return index.store.rows_of(ids)


@settings(max_examples=12, deadline=None)
@given(
    st.sets(st.sampled_from(sorted(TEXTS)), min_size=1, max_size=5), st.lists(_question, min_size=4)
)
def test_rows_left_out_are_as_if_not_there(
    index: Index,
    tmp_path_factory: pytest.TempPathFactory,
    out: set[str],
    questions: list[str],
) -> None:
    folder = tmp_path_factory.mktemp("smaller") / "notes"
    left = {uri: text for uri, text in TEXTS.items() if uri not in out}
    IndexWriter(folder, HashedEncoders()).build([MemorySource(left)])
    smaller = Index.open(folder, HashedEncoders())
    without = _rows(index, out)
    for question in questions[:6]:
        for stage in ("dense", "sparse"):
            weights = {stage: 1.0}
            whole = _scores(index, question, weights=weights, without=without)
            expected = _scores(smaller, question, weights=weights)
            assert set(whole) == set(expected)
            for uri, (score, _) in expected.items():
                assert whole[uri][0] == pytest.approx(score, abs=1e-5)
    smaller.close()


@given(
    st.sets(st.sampled_from(sorted(TEXTS)), max_size=6),
    _question,
    st.integers(1, 6),
    st.sampled_from(["lexical", "dense", "sparse"]),
)
def test_rows_left_out_leave_the_others_in_order(
    index: Index, out: set[str], question: str, depth: int, stage: str
) -> None:
    """BM25's statistics are those of the whole index: its list is the whole one, filtered."""
    without = _rows(index, out)
    (whole,), _ = index.rank([Query(question)], 100, [stage])
    (found,), _ = index.rank([Query(question)], depth, [stage], without)
    kept = ~np.isin(whole[stage].rows, without)
    scores, rows = whole[stage].scores[kept][:depth], whole[stage].rows[kept][:depth]
    assert found[stage].scores == pytest.approx(scores, abs=1e-6)
    assert not set(found[stage].rows.tolist()) & set(without)
    if stage != "dense":  # FAISS leaves open which of equal scores stands last
        assert found[stage].rows.tolist() == rows.tolist()


def test_everything_left_out_finds_nothing(index: Index) -> None:
    assert index.search("kelp", without=_rows(index, set(TEXTS))).hits == []
    assert _scores(index, "kelp", without=[99_999]) == _scores(index, "kelp")


def test_rows_of_unknown_passages(index: Index) -> None:
    assert index.store.rows_of([]) == index.store.rows_of(["none"]) == []


def test_context_moves_the_vector_only(index: Index) -> None:
    plain = Query("how long")
    leaning = Query("how long", context="The lease of the flat in Lyon", context_weight=0.8)
    (one, other), _ = index.rank([plain, leaning], 100, ["lexical", "dense", "sparse"])
    for stage in ("lexical", "sparse"):
        assert one[stage].rows.tolist() == other[stage].rows.tolist()
        assert one[stage].scores.tolist() == other[stage].scores.tolist()
    assert one["dense"].scores.tolist() != other["dense"].scores.tolist()
    assert other["dense"].rows[0] == _rows(index, {"c"})[0]


def test_vectors_by_hand() -> None:
    encoder = HashedDense()
    query, context = encoder.encode(["kelp", "the lease"])
    leaning = Query("kelp", context="the lease", context_weight=0.5)
    off = Query("kelp", context="the lease", context_weight=0.0)
    vectors = query_vectors([leaning, off, Query("kelp")], encoder)
    expected = query + 0.5 * context
    assert vectors[0] == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)
    assert vectors[1].tolist() == vectors[2].tolist() == query.tolist()
    assert vectors.dtype == np.float32


def test_a_vector_of_its_own_stands_in_place_of_text_and_context() -> None:
    encoder = HashedDense()
    made = encoder.encode(["the lease of the flat"])[0]
    own = QueryVector(encoder.fingerprint, made)
    foreign = QueryVector("another embedder", made)
    said = {"context": "kelp forests", "context_weight": 0.5}
    vectors = query_vectors(
        [
            Query("how long", vector=own, **said),  # type: ignore[arg-type]
            Query("how long", vector=foreign, **said),  # type: ignore[arg-type]
            Query("how long", **said),  # type: ignore[arg-type]
        ],
        encoder,
    )
    assert vectors[0].tolist() == made.tolist()
    assert vectors[1].tolist() == vectors[2].tolist() != made.tolist()
    assert query_vectors([Query("x", vector=own)], encoder).shape == (1, encoder.dimensions)


def test_queries_are_encoded_by_the_teacher_of_a_student() -> None:
    encoder = HashedStudent()
    own = encoder.queries.encode(["the lease of the flat"])[0]
    asked = Query("kelp", context="the lease", context_weight=0.5)
    of_the_teacher = Query("kelp", vector=QueryVector("teacher", own))
    of_the_student = Query("kelp", vector=QueryVector("student", own))
    vectors = query_vectors([asked, of_the_teacher, of_the_student], encoder)
    assert encoder.encoded == 0
    assert vectors[0].tolist() == query_vectors([asked], HashedDense())[0].tolist()
    assert vectors[1].tolist() == own.tolist()
    assert vectors[2].tolist() == encoder.queries.encode(["kelp"])[0].tolist()


def test_a_vector_of_its_own_moves_the_dense_stage_alone(index: Index) -> None:
    encoder = HashedDense()
    vector = QueryVector(encoder.fingerprint, encoder.encode(["The lease of the flat in Lyon"])[0])
    queries = [Query(" how long "), Query(" how long ", vector=vector)]
    (one, other), _ = index.rank(cleaned(queries), 100, ["lexical", "dense", "sparse"])
    for stage in ("lexical", "sparse"):
        assert one[stage].scores.tolist() == other[stage].scores.tolist()
    assert other["dense"].rows[0] == _rows(index, {"c"})[0]
    assert index.search(queries[1:], weights={"dense": 1.0}).hits[0].passage.uri == "c"


@given(st.text(max_size=30), st.text(max_size=30), st.floats(0, 3))
def test_vectors_are_unit_vectors(text: str, context: str, weight: float) -> None:
    encoder = HashedDense()
    (vector,) = query_vectors([Query(text, context=context, context_weight=weight)], encoder)
    length = float(np.linalg.norm(vector))
    assert length == pytest.approx(1, abs=1e-5) or not np.any(encoder.encode([text]))


def test_quotation_marks_insist_only_where_a_search_is_typed(tmp_path: Path) -> None:
    texts = {"a": "Kelp forests grow fast.", "b": "Forests of kelp grow slowly."}
    IndexWriter(tmp_path / "notes", HashedEncoders()).build([MemorySource(dict(texts))])
    index = Index.open(tmp_path / "notes", HashedEncoders())
    typed = index.search('"kelp forests" grow')
    assert [hit.passage.uri for hit in typed.hits] == ["a"]
    assert index.search('"kelp meadows"').hits == []
    asked = index.search([Query('Where do "kelp forests" grow?')])
    assert {hit.passage.uri for hit in asked.hits} == {"a", "b"}


class _AsksInItsOwnWay(HashedEncoders):
    """Its sparse encoder encodes queries as if they were about kelp."""

    def sparse(self) -> HashedSparse:
        encoder = super().sparse()
        encoder.encode_queries = lambda texts: encoder.encode(["kelp"] * len(texts))  # type: ignore[attr-defined]
        return encoder


def test_an_encoder_that_encodes_queries_in_another_way_is_asked_so(tmp_path: Path) -> None:
    IndexWriter(tmp_path / "notes", HashedEncoders()).build([MemorySource(TEXTS)])
    index = Index.open(tmp_path / "notes", _AsksInItsOwnWay())
    found = index.search("boiler", weights={"sparse": 1.0}).hits
    assert {hit.passage.uri for hit in found} == {"a", "b"}
