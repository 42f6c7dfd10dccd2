"""Prepared questions beside the stages: they raise their passage and never stand for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.knowledge.reading import entries_for
from assistant.knowledge.searching import PreparedKnowledge, fit, open_prepared
from assistant.knowledge.store import KnowledgeStore
from assistant.retrieving import found_passages
from indexes.filters import Filter
from indexes.further import with_further
from indexes.queries import Query
from indexes.ranking import Ranking
from tests.fast.knowledge.teachers import GOOD, Taught, WritingTeacher, pair

# What a question asks in other words than its passage has them: only the entry knows.
ASKED = "firm fitted the heating"
QUESTION = "Which firm fitted the heating?"


def _write(prompt: str, times: int) -> dict[str, object]:
    if "boiler" in prompt:
        return {"pairs": [pair(QUESTION, "Thermo Brothers")], "statements": []}
    for name, (question, answer, _) in GOOD.items():
        if name in prompt:
            return {"pairs": [pair(question, answer)], "statements": []}
    raise AssertionError(prompt)


@pytest.fixture
def taught(tmp_path: Path) -> Taught:
    made = Taught(tmp_path / "notes")
    made.build(WritingTeacher(_write))
    return made


def _prepared(taught: Taught, weight: float = 0.25) -> PreparedKnowledge:
    found = open_prepared(taught.index, taught.encoders, weight)
    assert found is not None
    return found


def test_a_passage_is_found_through_its_entry(taught: Taught) -> None:
    index = taught.index
    plain = index.search(ASKED, weights={"lexical": 1.0})
    assert plain.hits == []  # no word of the question stands in the passage
    result = index.search(ASKED, weights={"lexical": 1.0}, further=_prepared(taught))
    (hit,) = result.hits
    assert hit.passage.uri == "boiler" and hit.stages["prepared"].rank == 1
    assert [through.text for through in hit.through] == [QUESTION]
    assert "prepared" in result.stages
    (passage,) = found_passages(result.hits, _prepared(taught))
    (entry,) = passage.prepared
    assert (entry.question, entry.answer) == (QUESTION, "Thermo Brothers")
    assert entries_for([passage], fits=0.0) == [(1, f"{QUESTION} Thermo Brothers")]


def test_hits_are_passages_only(taught: Taught) -> None:
    ids = {passage.id for passage in taught.index.store.passages()}
    for question, _, _ in GOOD.values():
        result = taught.index.search(question, further=_prepared(taught, 1.0))
        assert {hit.passage.id for hit in result.hits} <= ids
        assert len({hit.passage.id for hit in result.hits}) == len(result.hits)


def test_documents_that_are_not_asked_are_not_found_through_entries(taught: Taught) -> None:
    where = Filter(documents=("garden",))
    result = taught.index.search(ASKED, further=_prepared(taught, 1.0), where=where)
    assert all(hit.passage.uri == "garden" for hit in result.hits)


def test_rows_left_out_stay_out(taught: Taught) -> None:
    index = taught.index
    (row,) = index.store.rows_of([p.id for p in index.store.passages() if p.uri == "boiler"])
    result = index.search(ASKED, further=_prepared(taught, 1.0), without=[row])
    assert all(hit.passage.uri != "boiler" for hit in result.hits)


def test_words_in_quotation_marks_are_insisted_on_of_the_passage(taught: Taught) -> None:
    result = taught.index.search('firm fitted the "apple trees"', further=_prepared(taught, 1.0))
    assert [hit.passage.uri for hit in result.hits] == ["garden"]


def test_entries_of_passages_that_are_gone_point_nowhere(taught: Taught) -> None:
    """The index is published before its store has followed it."""
    taught.source.texts.pop("boiler")
    writer = taught.writer
    writer._companions = ()  # as if killed in between
    writer.build([taught.source])
    assert len(KnowledgeStore(taught.folder).entries()) == 3
    prepared = _prepared(taught, 1.0)
    assert prepared.size == 2
    assert all(h.passage.uri != "boiler" for h in taught.index.search(ASKED, further=prepared).hits)


def test_a_rejected_entry_is_not_found_even_before_it_is_published(taught: Taught) -> None:
    store = KnowledgeStore(taught.folder)
    store.set_tier(next(e.id for e in store.entries() if e.text == QUESTION), "rejected")
    assert _prepared(taught).size == 2


def test_no_store_and_a_damaged_one_take_nothing_away(taught: Taught, tmp_path: Path) -> None:
    other = Taught(tmp_path / "other")
    assert open_prepared(other.index, other.encoders, 0.25) is None
    (taught.folder / "knowledge.sqlite").write_bytes(b"no database at all" * 100)
    assert open_prepared(taught.index, taught.encoders, 0.25) is None


def test_the_list_weighs_as_much_as_it_covers(tmp_path: Path) -> None:
    taught = Taught(tmp_path / "notes")
    taught.build(WritingTeacher(_write), passages=1)
    prepared = _prepared(taught, 0.3)
    assert prepared.coverage == pytest.approx(1 / 3)
    assert prepared.weight == pytest.approx(0.1)
    whole = open_prepared(taught.index, taught.encoders, 0.3, by_coverage=False)
    assert whole is not None and whole.weight == 0.3
    taught.build(WritingTeacher(_write))
    assert _prepared(taught, 0.3).weight == pytest.approx(0.3)


def test_covered_passages(taught: Taught) -> None:
    prepared = _prepared(taught)
    assert prepared.covered_passages() == {p.id for p in taught.index.store.passages()}
    (found,) = prepared.rank([Query(ASKED)], 10, [None])
    assert float(found.ranking.scores.max()) <= 1.0


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_fit_rises_with_the_cosine_and_stays_in_bounds(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0.0 <= fit(low) <= fit(high) <= 1.0


SCORES = st.dictionaries(st.integers(0, 20), st.floats(0, 1, width=32), max_size=12)


@given(SCORES, SCORES, st.floats(0, 1))
def test_a_further_list_keeps_the_order_of_what_it_does_not_name(
    fused: dict[int, float], more: dict[int, float], weight: float
) -> None:
    rows = np.array(list(more), dtype=np.int64)
    scores = np.array(list(more.values()), dtype=np.float32)
    total = with_further(fused, Ranking(rows, scores), weight)
    assert set(total) == set(fused) | set(more)
    unnamed = [row for row in fused if row not in more]
    for a in unnamed:
        for b in unnamed:
            if fused[a] < fused[b]:
                assert total[a] <= total[b]
    if fused and max(fused.values()) > 0:
        assert max(total.values()) == pytest.approx(max(fused.values()), rel=1e-6)


def test_a_further_list_by_hand() -> None:
    ranking = Ranking(np.array([2, 7]), np.array([1.0, 0.5], dtype=np.float32))
    total = with_further({1: 0.8, 2: 0.6}, ranking, 0.5)
    # g: 1 → .8, 2 → .6 + .5·.8·1 = 1.0, 7 → .5·.8·.5 = .2; scaled by .8 / 1.0
    assert total == pytest.approx({1: 0.64, 2: 0.8, 7: 0.16})
    assert with_further({1: 0.8}, Ranking.empty(), 0.5) == {1: 0.8}
