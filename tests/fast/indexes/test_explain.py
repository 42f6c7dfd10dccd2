"""Explanations: they are of the very search, and their parts add up to its scores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.build import IndexWriter
from indexes.encoders.dense import SentenceTransformerEncoder
from indexes.errors import ModelMissingError, UnknownNameError, UsageError
from indexes.explaining.explain import explain, explain_lists, stage_lists
from indexes.fusion import FUSIONS
from indexes.index import Index
from indexes.manifest import STAGES
from indexes.queries import Query
from tests.fast.indexes.sources import HashedEncoders, MemorySource
from tests.fast.indexes.test_queries import TEXTS

_words = sorted({word for text in TEXTS.values() for word in str(text).lower().split()})
_question = st.lists(st.sampled_from([*_words, "zebra"]), min_size=1, max_size=6).map(" ".join)
_weights = st.fixed_dictionaries(
    {stage: st.sampled_from([0.0, 0.1, 0.35, 0.4, 1.0]) for stage in STAGES}
)
_queries = st.lists(
    st.builds(
        Query, _question, st.sampled_from([0.3, 1.0, 2.0]), stage_weights=_weights | st.none()
    ),
    min_size=1,
    max_size=3,
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("indexes") / "notes"
    IndexWriter(folder, HashedEncoders()).build([MemorySource(TEXTS)])
    opened = Index.open(folder, HashedEncoders())
    yield opened
    opened.close()


@settings(deadline=None)
@given(_queries, _weights, st.sampled_from(sorted(FUSIONS)), st.integers(1, 8), st.integers(1, 8))
def test_it_explains_the_very_search_and_shares_add_up(
    index: Index,
    queries: list[Query],
    weights: dict[str, float],
    fusion: str,
    depth: int,
    limit: int,
) -> None:
    options = {"depth": depth, "weights": weights, "fusion": fusion, "limit": limit}
    result = index.search(queries, **options)  # type: ignore[arg-type]
    explained = explain(index, queries, **options)  # type: ignore[arg-type]
    assert [hit.passage for hit in explained.hits] == [hit.passage for hit in result.hits]
    for own, hit in zip(explained.hits, result.hits, strict=True):
        assert (own.rank, own.score) == (hit.rank, hit.score)
        assert tuple(part.share for part in own.queries) == hit.shares
        for part in own.queries:
            assert sum(s.share for s in part.stages.values()) == pytest.approx(part.share)
            assert all(s.share >= 0 for s in part.stages.values())


@settings(deadline=None)
@given(_question, st.integers(1, 8), st.integers(1, 8))
def test_each_list_is_that_of_the_stage_alone(
    index: Index, question: str, depth: int, limit: int
) -> None:
    explained = explain(index, question, depth=depth, limit=limit)
    assert [own.stage for own in explained.lists] == list(STAGES)
    for own in explained.lists:
        (alone,), _ = index.rank([Query(question)], depth, [own.stage])
        assert own.candidates == len(alone[own.stage])
        expected = index.search(question, weights={own.stage: 1.0}, depth=depth, limit=limit)
        assert [hit.passage for hit in own.hits] == [hit.passage for hit in expected.hits]
        assert [hit.score for hit in own.hits] == alone[own.stage].scores[:limit].tolist()
        assert [hit.rank for hit in own.hits] == list(range(1, len(own.hits) + 1))


@settings(deadline=None)
@given(_question)
def test_terms_add_up_to_the_stages_scores(index: Index, question: str) -> None:
    for own in explain(index, question).lists:
        for hit in own.hits:
            if own.stage == "dense":
                assert hit.match.similarity == pytest.approx(hit.score, abs=1e-5)
            else:
                matched = hit.match.words if own.stage == "lexical" else hit.match.terms
                assert sum(term.share for term in matched) == pytest.approx(hit.score, rel=1e-4)
                shares = [term.share for term in matched]
                assert shares == sorted(shares, reverse=True)


def test_words_and_terms_by_name(index: Index) -> None:
    (best, *_) = explain(index, "otters sleeping in kelp kelp").hits
    (part,) = best.queries
    assert {word.term for word in part.match.words} == {"otter", "sleep", "kelp"}
    assert {word.term: word.query_weight for word in part.match.words}["kelp"] == 2.0
    encoder = HashedEncoders().sparse()
    columns = encoder.encode(["otters in kelp"]).indices.tolist()
    assert {encoder.term(c) for c in columns} >= {t.term for t in part.match.terms} - {"sleeping"}
    # a passage that the words do not reach still shows how near it is
    far = explain(index, "otters", limit=6).hits[-1].queries[0]
    assert not far.match.words and "lexical" not in far.stages
    assert far.match.similarity is not None


def test_a_stage_without_weight_shows_its_list_and_has_no_part(index: Index) -> None:
    explained = explain(index, "kelp", weights={"lexical": 1.0})
    assert {own.stage: own.weight for own in explained.lists} == {
        "lexical": 1.0,
        "dense": 0.0,
        "sparse": 0.0,
    }
    assert all(own.hits for own in explained.lists)
    assert {s for hit in explained.hits for s in hit.queries[0].stages} == {"lexical"}
    nothing = explain(index, "kelp", weights={})
    assert nothing.hits == () and len(nothing.lists) == 3


class _NoWeights:
    def dense(self) -> SentenceTransformerEncoder:
        raise ModelMissingError("no embedder", remedy="fetch it")

    def sparse(self) -> SentenceTransformerEncoder:
        raise ModelMissingError("no sparse encoder")


def test_lists_are_fused_again_without_encoders(index: Index) -> None:
    lists = stage_lists(index, "otters in kelp", depth=6)
    opened = Index.open(index.folder, _NoWeights())  # type: ignore[arg-type]
    for weights in ({"lexical": 1.0}, {"dense": 0.5, "sparse": 0.1}):
        for depth in (1, 3, 6):
            again = explain_lists(opened, lists, depth=depth, weights=weights)
            once = explain(index, "otters in kelp", depth=depth, weights=weights)
            assert again.hits == once.hits
            assert again.lists == once.lists
    opened.close()


def test_stages_that_are_missing_are_said(tmp_path: Path) -> None:
    IndexWriter(tmp_path / "notes", HashedEncoders()).build([MemorySource(TEXTS)])
    opened = Index.open(tmp_path / "notes", _NoWeights())  # type: ignore[arg-type]
    explained = explain(opened, "kelp in water")
    assert explained.missing == {"dense": "no embedder (fetch it)", "sparse": "no sparse encoder"}
    assert [own.stage for own in explained.lists] == ["lexical"]
    (hit, *_) = explained.hits
    assert hit.queries[0].match.words and not hit.queries[0].match.terms
    assert hit.queries[0].match.similarity is None
    opened.close()


def test_wrong_usage(index: Index, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="empty"):
        explain(index, "  ")
    with pytest.raises(UnknownNameError, match="rff"):
        explain(index, "kelp", fusion="rff")
    IndexWriter(tmp_path / "none", HashedEncoders()).build([MemorySource({})])
    empty = Index.open(tmp_path / "none", HashedEncoders())
    explained = explain(empty, "kelp")
    assert explained.hits == () and all(own.hits == () for own in explained.lists)
    empty.close()
