"""Why is it not found: the passage that is meant, its rank at every stage, what lost it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.build import IndexWriter
from indexes.errors import UnknownNameError, UsageError
from indexes.explaining.locating import locate
from indexes.explaining.why_not import why_not
from indexes.index import Index
from indexes.manifest import STAGES
from indexes.queries import Query
from tests.fast.indexes.sources import HashedEncoders, MemorySource
from tests.fast.indexes.test_explain import _question, _weights
from tests.fast.indexes.test_queries import TEXTS

LONG = " ".join(f"Paragraph {n} tells of the {n}th voyage of the ship Meridian." for n in range(90))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("indexes") / "notes"
    texts = {**TEXTS, "/logs/voyages.txt": LONG, "/notes/broken.pdf": None, "gone": "Zinnias."}
    writer = IndexWriter(folder, HashedEncoders())
    writer.build([MemorySource(texts)])
    writer.delete_documents(["gone"])
    writer.build([MemorySource(texts)])
    opened = Index.open(folder, HashedEncoders())
    yield opened
    opened.close()


# -- which passage is meant ---------------------------------------------------------------------


def test_by_id_and_by_its_own_text(index: Index) -> None:
    for row, passage in enumerate(index.store.passages()):
        assert locate(index, passage.id).passages == {row: passage}
        found = locate(index, "  " + passage.text.upper().replace(" ", "\n ") + "\n")
        assert (found.how, found.passages) == ("text", {row: passage})


def test_a_part_of_it_is_enough(index: Index) -> None:
    found = locate(index, "wrap themselves in")
    assert found.how == "text"
    assert [passage.uri for passage in found.passages.values()] == ["a"]
    many = locate(index, "of the flat")
    assert {passage.uri for passage in many.passages.values()} == {"c", "d", "f"}
    assert "3 passages" in many.note


def test_words_that_the_lexical_stage_leaves_out(index: Index) -> None:
    assert index.lexical.search("on their", 10).rows.size == 0
    found = locate(index, "on their")
    assert [passage.uri for passage in found.passages.values()] == ["a"]


def test_text_over_several_passages(index: Index) -> None:
    passages = [p for p in index.store.passages() if p.uri == "/logs/voyages.txt"]
    assert len(passages) > 1
    first, second = passages[0], passages[1]
    text = LONG[first.end - 300 : second.start + 40]
    found = locate(index, text)
    assert found.how == "across"
    assert list(found.passages.values()) == [first]
    assert "several passages" in found.note


def test_a_misread_text_is_the_nearest_passage_and_said(index: Index) -> None:
    found = locate(index, "Kelp forests qrow half a metre a day in co1d water.")
    assert found.how == "near"
    assert [passage.uri for passage in found.passages.values()] == ["b"]
    assert "not word for word" in found.note and "8 of its 10" in found.note


def test_a_document_is_named_by_path_or_name(index: Index) -> None:
    expected = {p.id for p in index.store.passages() if p.uri == "/logs/voyages.txt"}
    for name in ("/logs/voyages.txt", "voyages.txt", "logs/voyages.txt"):
        found = locate(index, name)
        assert found.how == "document"
        assert {passage.id for passage in found.passages.values()} == expected


def test_what_is_not_in_the_index_and_what_became_of_its_document(index: Index) -> None:
    text = locate(index, "A treatise on the breeding of alpine marmots")
    assert (text.how, text.passages) == ("nowhere", {})
    assert "in no passage" in text.note
    assert (
        "deleted from it: gone" in text.note and "could not be read: /notes/broken.pdf" in text.note
    )
    failed = locate(index, "broken.pdf")
    assert "could not be read: cannot be read (look at it)" in failed.note
    deleted = locate(index, "gone")
    assert deleted.how == "nowhere" and "was deleted" in deleted.note
    for one in (text, failed, deleted):
        answer = why_not(index, "kelp", one.note if one is text else "broken.pdf")
        assert answer.passage is None and not answer.found and answer.stages == ()


def test_nothing_to_look_for(index: Index) -> None:
    with pytest.raises(UsageError, match="nothing to look for"):
        locate(index, " \n")
    with pytest.raises(UsageError, match="empty"):
        why_not(index, " ", "wrap themselves")
    with pytest.raises(UnknownNameError):
        why_not(index, "kelp", "wrap themselves", fusion="rff")


# -- what became of it ---------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(_question, _weights, st.integers(1, 12), st.integers(1, 12), st.data())
def test_ranks_are_those_of_the_whole_lists(
    index: Index,
    question: str,
    weights: dict[str, float],
    depth: int,
    limit: int,
    data: st.DataObject,
) -> None:
    passages = list(index.store.passages())
    row = data.draw(st.integers(0, len(passages) - 1))
    answer = why_not(index, question, passages[row].id, depth=depth, weights=weights, limit=limit)
    assert answer.row == row
    result = index.search(question, depth=depth, weights=weights, limit=1000)
    ranks = {hit.passage.id: hit.rank for hit in result.hits}
    assert answer.rank == ranks.get(passages[row].id)
    assert answer.found == (answer.rank is not None and answer.rank <= limit)
    assert sum(one.share for one in answer.stages) == pytest.approx(answer.score)
    whole = index.search(question, depth=1000, weights=weights, limit=1000)
    unlimited = {hit.passage.id: hit.rank for hit in whole.hits}
    assert answer.rank_without_limit == unlimited.get(passages[row].id)
    (lists,), _ = index.rank([Query(question)], len(passages))
    assert [one.stage for one in answer.stages] == list(STAGES)
    for one in answer.stages:
        place = np.flatnonzero(lists[one.stage].rows == row)
        assert one.rank == (int(place[0]) + 1 if len(place) else None)
        assert one.given == (one.rank is not None and one.rank <= depth)
        assert one.of == len(lists[one.stage])


def _by_stage(index: Index, question: str, text: str, **options: object) -> dict[str, str]:
    answer = why_not(index, question, text, **options)  # type: ignore[arg-type]
    return {one.stage: one.reason for one in answer.stages}


def test_the_verdict_says_what_lost_it(index: Index) -> None:
    found = why_not(index, "otters in kelp", "wrap themselves in kelp")
    assert found.found and found.verdict.startswith("It is found, at rank 1. Rank 1 in the lexical")

    words = {"lexical": 1.0}
    no_word = why_not(index, "otters in kelp", "lease of the flat", weights=words)
    assert no_word.verdict.startswith("No stage has it among the first 100")
    assert "No word of the query occurs in it" in no_word.verdict
    assert "but the dense stage has weight 0" in no_word.verdict
    assert no_word.rank_without_limit is None

    deep = why_not(index, "flat otters", "The rent of the flat", depth=1)
    outside = [one for one in deep.stages if one.stage == "lexical"]
    assert outside[0].rank is not None and outside[0].rank > 1 and not outside[0].given
    assert "outside the first 1" in outside[0].reason
    assert "candidates of each it would be among them" in deep.verdict

    below = why_not(index, "otters in kelp", "Otters open shells", limit=1)
    assert below.rank is not None and below.rank > 1 and not below.found
    assert "lost in the fusion" in below.verdict and "most is lost in the" in below.verdict
    assert below.score < below.last_score


def test_several_queries_are_told_apart(index: Index) -> None:
    answer = why_not(index, [Query("otters"), Query("rent")], "The rent of the flat")
    assert [one.query for one in answer.stages] == [0, 0, 0, 1, 1, 1]
    assert "For query 1: no word of the query occurs in it" in answer.verdict
    assert "For query 2: rank 1 in the lexical stage" in answer.verdict
    assert len(answer.matches) == 2 and answer.matches[1].words[0].term == "rent"


def test_of_a_document_it_is_the_passage_that_ranks_best(index: Index) -> None:
    answer = why_not(index, "the 42th voyage", "voyages.txt")
    assert answer.passage is not None and "42th" in answer.passage.text


class _Approximate:
    """A dense stage whose search comes by half of the passages."""

    stage = "dense"

    def __init__(self, exact) -> None:
        self.exact, self.size, self.vectors = exact, exact.size, exact.vectors

    def search(self, query, depth, allowed=None):
        found = self.exact.search(query, self.size)
        kept = found.rows % 2 == 0
        return type(found)(found.rows[kept][:depth], found.scores[kept][:depth])


def test_what_an_approximate_search_does_not_come_by(index: Index) -> None:
    opened = Index.open(index.folder, HashedEncoders())
    approximate = _Approximate(opened.dense)
    opened.dense = opened._ranker._dense = approximate  # type: ignore[assignment]
    passages = list(opened.store.passages())
    (vector,) = HashedEncoders().dense().encode(["otters in kelp"])
    exact = approximate.exact.search(vector, len(passages))
    for row in (0, 1):
        answer = why_not(opened, "otters in kelp", passages[row].id)
        dense = next(one for one in answer.stages if one.stage == "dense")
        assert dense.reached == (row % 2 == 0)
        if not dense.reached:
            assert not dense.given and "does not come by it" in dense.reason
            place = int(np.flatnonzero(exact.rows == row)[0])
            assert dense.score == pytest.approx(float(exact.scores[place]), abs=1e-6)
            assert dense.rank == 1 + int((exact.scores > exact.scores[place] + 1e-6).sum())
    opened.close()
