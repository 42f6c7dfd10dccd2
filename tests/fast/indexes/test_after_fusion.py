"""From fused scores to the final places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.documents import Passage
from indexes.errors import UsageError
from indexes.queries import Query
from indexes.refining.refinement import Refined, Refinement, refined
from tests.fast.indexes.rerankers import SharedWords


class Rows:
    """Passages by row, from their texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def by_rows(self, rows: Sequence[int]) -> list[Passage]:
        return [Passage(f"p{r}", "d", self.texts[r], 0, len(self.texts[r])) for r in rows]


TEXTS = [
    "red wine from the south",  # 0
    "white wine from the north",  # 1
    "Red wine from the SOUTH",  # 2: the same as 0
    "a cheese made of milk",  # 3
    "bread",  # 4
]
FUSED = {3: (0.2,), 0: (0.9,), 2: (0.8,), 1: (0.5,), 4: (0.1,)}


def _rows(found: list[Refined]) -> list[int]:
    return [place.row for place in found]


def _refined(refinement: Refinement, limit: int = 10, query: str = "cheese") -> list[Refined]:
    return refined([Query(query)], FUSED, Rows(TEXTS), refinement, limit=limit)


def test_without_anything_the_fused_order_stands() -> None:
    found = _refined(Refinement(fold=False), limit=3)
    assert _rows(found) == [0, 2, 1]
    assert [place.fused_rank for place in found] == [1, 2, 3]
    assert [place.score for place in found] == [0.9, 0.8, 0.5]
    assert all(place.rerank is None and not place.duplicates for place in found)
    assert found[0].passage.text == TEXTS[0]


def test_a_duplicate_is_listed_with_the_best_and_its_place_is_filled() -> None:
    found = _refined(Refinement(), limit=3)
    assert _rows(found) == [0, 1, 3]
    assert found[0].duplicates == (2,)


def test_reranking_with_all_the_weight_takes_the_reranker_s_order() -> None:
    found = _refined(Refinement(SharedWords(), rerank_weight=1.0, fold=False))
    assert _rows(found) == [3, 0, 2, 1, 4]
    assert found[0].rerank is not None and found[0].rerank.rank == 1
    assert found[0].rerank.score == 1.0
    assert found[0].fused_rank == 4


def test_reranking_without_weight_keeps_the_order_and_tells_the_reranker_s() -> None:
    found = _refined(Refinement(SharedWords(), rerank_weight=0.0, fold=False))
    assert _rows(found) == [0, 2, 1, 3, 4]
    assert found[3].rerank is not None and found[3].rerank.rank == 1


def test_blend_by_hand() -> None:
    # fused scaled over the first four: 1, 6/7, 3/7, 0; reranker: 0, 0, 0, 1
    found = _refined(Refinement(SharedWords(), 4, rerank_weight=0.45, fold=False))
    assert _rows(found) == [0, 2, 3, 1, 4]


def test_only_the_first_are_reranked_and_the_others_follow() -> None:
    reranker = SharedWords()
    found = _refined(Refinement(reranker, rerank_depth=3, rerank_weight=1.0, fold=False))
    assert reranker.asked == [("cheese", 3)]
    assert _rows(found) == [0, 2, 1, 3, 4]
    assert [place.rerank is None for place in found] == [False, False, False, True, True]


def test_reranking_looks_at_more_than_is_shown() -> None:
    found = _refined(Refinement(SharedWords(), 5, 1.0, fold=False), limit=1)
    assert _rows(found) == [3]


def test_each_query_is_asked_once_over_the_union() -> None:
    reranker = SharedWords()
    fused = {0: (0.5, 0.0), 3: (0.0, 0.4), 4: (0.1, 0.1)}
    queries = [Query("wine", 1.0), Query("cheese", 3.0)]
    found = refined(queries, fused, Rows(TEXTS), Refinement(reranker, 20, 1.0), limit=3)
    assert reranker.asked == [("wine", 3), ("cheese", 3)]
    assert _rows(found) == [3, 0, 4]
    assert found[0].shares == (0.0, 0.4)
    assert found[0].score == 0.4


def test_the_best_after_reranking_stands_for_its_duplicates() -> None:
    class Last:
        def scores(self, query: str, passages: Sequence[Passage]) -> np.ndarray:
            return np.arange(len(passages), dtype=np.float32)

    found = _refined(Refinement(Last(), 20, 1.0))
    assert _rows(found) == [4, 3, 1, 2]
    assert found[3].duplicates == (0,)


def test_diversity_moves_a_like_passage_down() -> None:
    texts = ["red wine of the south", "red wine of the north", "cheese"]
    fused = {0: (0.9,), 1: (0.8,), 2: (0.1,)}
    plain = refined([Query("q")], fused, Rows(texts), Refinement(), limit=3)
    diverse = refined([Query("q")], fused, Rows(texts), Refinement(diversity=0.7), limit=3)
    assert _rows(plain) == [0, 1, 2]
    assert _rows(diverse) == [0, 2, 1]


def test_diversity_by_vectors_asks_for_those_of_the_shown() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0], [1, 0], [0, 1]], dtype=np.float32)
    asked: list[list[int]] = []

    def of(rows: Sequence[int]) -> np.ndarray:
        asked.append(list(rows))
        return vectors[list(rows)]

    found = refined(
        [Query("q")], FUSED, Rows(TEXTS), Refinement(diversity=1.0), limit=4, vectors=of
    )
    assert asked == [[0, 1, 3, 4]]
    assert _rows(found) == [0, 1, 3, 4]


def test_nothing_found() -> None:
    everything = Refinement(SharedWords(), diversity=0.5)
    assert refined([Query("q")], {}, Rows([]), everything, limit=5) == []


@pytest.mark.parametrize(
    "wrong", [{"rerank_weight": 1.1}, {"diversity": -0.1}, {"rerank_depth": 0}]
)
def test_values_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Refinement(**wrong)  # type: ignore[arg-type]


texts = st.lists(
    st.sampled_from(["red wine", "Red  wine", "white wine", "cheese", "7 wines", "8 wines", ""]),
    min_size=1,
    max_size=8,
)


@given(texts, st.data())
def test_every_row_is_shown_or_listed_once_and_limits_only_cut(
    found: list[str], data: st.DataObject
) -> None:
    score = st.sampled_from([0.0, 0.25, 0.5, 1.0])
    fused = {row: (data.draw(score), data.draw(score)) for row in range(len(found))}
    refinement = Refinement(
        data.draw(st.sampled_from([None, SharedWords()])),
        data.draw(st.integers(1, 9)),
        data.draw(st.sampled_from([0.0, 0.3, 1.0])),
        data.draw(st.booleans()),
        data.draw(st.sampled_from([0.0, 0.4, 1.0])),
    )
    queries = [Query("red wine"), Query("cheese")]
    whole = refined(queries, fused, Rows(found), refinement, limit=len(found))
    rows = [row for place in whole for row in (place.row, *place.duplicates)]
    assert sorted(rows) == list(range(len(found)))
    assert sorted(place.fused_rank for place in whole) == sorted(
        1 + sorted(fused, key=lambda r: (-sum(fused[r]), r)).index(p.row) for p in whole
    )
    again = refined(queries, fused, Rows(found), refinement, limit=len(found))
    assert again == whole
