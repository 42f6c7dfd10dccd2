"""Rerankers: blending, several queries, late interaction, the LangChain adapter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document as LangChainDocument

from indexes.documents import Passage
from indexes.errors import UsageError
from indexes.refining.compressor import RerankCompressor
from indexes.refining.late_interaction import LateInteraction, max_sim
from indexes.refining.reranking import blended, places, scores_for_queries, unit
from tests.fast.indexes.rerankers import SharedWords, WordVectors


def _passages(*texts: str) -> list[Passage]:
    return [Passage(str(n), "d", text, 0, len(text)) for n, text in enumerate(texts)]


def test_blend_by_hand() -> None:
    # fused scaled: 1, .5, 0; the reranker's: 0, 1, .25
    assert blended([0.9, 0.6, 0.3], [-2.0, 2.0, -1.0], 0.4) == pytest.approx([0.6, 0.7, 0.1])


numbers = st.lists(st.sampled_from([-3.0, 0.0, 0.25, 1.0, 8.0]), min_size=1, max_size=8)


@given(numbers, st.data())
def test_the_ends_of_the_blend_are_the_two_orders(fused: list[float], data: st.DataObject) -> None:
    size = len(fused)
    other = data.draw(st.lists(st.sampled_from([-1.0, 0.5, 2.0]), min_size=size, max_size=size))

    def order(values: Sequence[float]) -> list[int]:
        return sorted(range(size), key=lambda position: -values[position])

    assert order(blended(fused, other, 0.0)) == order(fused)
    assert order(blended(fused, other, 1.0)) == order(other)
    assert all(0 <= value <= 1 for value in blended(fused, other, 0.3))


def test_equal_values_are_all_ones() -> None:
    assert unit([2.0, 2.0]) == [1.0, 1.0]
    assert unit([]) == []


def test_places_keep_the_given_order_of_equals() -> None:
    found = places([7, 5, 9], [0.1, 0.8, 0.1])
    assert {row: place.rank for row, place in found.items()} == {5: 1, 7: 2, 9: 3}
    assert found[9].score == 0.1


def test_one_query_leaves_the_reranker_s_scale() -> None:
    found = scores_for_queries(SharedWords(), {"red wine": 1.0}, _passages("red wine", "red", ""))
    assert found == [2.0, 1.0, 0.0]


def test_several_queries_add_scaled_scores_by_weight() -> None:
    passages = _passages("red wine", "red", "cheese")
    found = scores_for_queries(SharedWords(), {"red wine": 3.0, "cheese": 1.0}, passages)
    assert found == pytest.approx([0.75, 0.375, 0.25])


@pytest.mark.parametrize("scores", [[1.0], [1.0, float("nan")], [[1.0], [2.0]]])
def test_scores_of_the_wrong_shape_or_without_number_are_refused(scores: list[float]) -> None:
    class Broken:
        def scores(self, query: str, passages: Sequence[Passage]) -> np.ndarray:
            return np.array(scores, dtype=np.float32)

    with pytest.raises(UsageError, match="reranker"):
        scores_for_queries(Broken(), {"q": 1.0}, _passages("a", "b"))


def test_max_sim_by_hand() -> None:
    query = np.array([[1, 0], [0, 1]], dtype=np.float32)
    passage = np.array([[0.6, 0.8], [1, 0], [-1, 0]], dtype=np.float32)
    assert max_sim(query, passage) == pytest.approx((1.0 + 0.8) / 2)
    assert max_sim(query, passage[:0]) == 0.0
    assert max_sim(query[:0], passage) == 0.0


def test_late_interaction_counts_each_word_of_the_query_once() -> None:
    passages = _passages("red red red", "wine is red", "cheese")
    found = LateInteraction(WordVectors()).scores("red wine", passages)
    assert found.tolist() == pytest.approx([0.5, 1.0, 0.0], abs=1e-6)
    assert found.dtype == np.float32


def test_late_interaction_reads_the_title_too() -> None:
    titled = Passage("1", "d", "it is red", 0, 9, title="wine")
    assert LateInteraction(WordVectors()).scores("wine", [titled]).tolist() == [1.0]


def test_late_interaction_of_nothing() -> None:
    assert LateInteraction(WordVectors()).scores("red", []).shape == (0,)


def test_compressor_gives_the_best_documents_with_their_scores() -> None:
    documents = [
        LangChainDocument(page_content="cheese", metadata={"source": "a"}),
        LangChainDocument(page_content="red"),
        LangChainDocument(page_content="it", metadata={"title": "red wine", "headings": ["x"]}),
    ]
    found = RerankCompressor(reranker=SharedWords(), top_n=2).compress_documents(
        documents, "red wine"
    )
    assert [d.page_content for d in found] == ["it", "red"]
    assert [d.metadata["rerank_score"] for d in found] == [2.0, 1.0]
    assert "rerank_score" not in documents[2].metadata


def test_compressor_keeps_all_and_the_order_of_equals() -> None:
    documents = [LangChainDocument(page_content=text) for text in ("b", "red", "a")]
    compressor = RerankCompressor(reranker=SharedWords())
    assert [d.page_content for d in compressor.compress_documents(documents, "red")] == [
        "red",
        "b",
        "a",
    ]
    assert compressor.compress_documents([], "red") == []
