"""Neighbouring passages joined: exact offsets, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.documents import Passage
from indexes.errors import UsageError
from indexes.refining.stretches import joined
from indexes.store import StoredDocument

TEXT = "First part.\n\nSecond part.\n\nThird part. Fourth part."


@dataclass
class Texts:
    """Documents by id, with nothing but their texts."""

    texts: dict[str, str]

    def document(self, document_id: str) -> StoredDocument | None:
        text = self.texts.get(document_id)
        if text is None:
            return None
        return StoredDocument(document_id, "", "", "", "", None, "", "en", text, ())


def _passage(text: str, start: int, end: int, document: str = "d") -> Passage:
    return Passage(f"{document}:{start}-{end}", document, text[start:end], start, end)


def _part(word: str, document: str = "d") -> Passage:
    start = TEXT.index(word)
    return _passage(TEXT, start, TEXT.index(".", start) + 1, document)


def test_neighbours_are_joined_in_the_order_of_the_document() -> None:
    found = joined([_part("Second"), _part("Fourth"), _part("First")], Texts({"d": TEXT}))
    assert [(s.text, s.positions) for s in found] == [
        ("First part.\n\nSecond part.", (2, 0)),
        ("Fourth part.", (1,)),
    ]


def test_passages_of_two_documents_stay_apart() -> None:
    parts = [_part("First"), _part("Second", "e")]
    found = joined(parts, Texts({"d": TEXT, "e": TEXT}))
    assert [s.document_id for s in found] == ["d", "e"]


def test_overlapping_and_contained_passages_join_once() -> None:
    spans = [(0, 20), (5, 10), (15, 25)]
    (stretch,) = joined([_passage(TEXT, a, b) for a, b in spans], Texts({"d": TEXT}))
    assert (stretch.start, stretch.end, stretch.text) == (0, 25, TEXT[:25])


def test_a_stretch_is_not_longer_than_the_limit_but_a_passage_may_be() -> None:
    found = joined([_part("First"), _part("Second")], Texts({"d": TEXT}), longest=5)
    assert [s.text for s in found] == ["First part.", "Second part."]


def test_a_passage_of_an_unknown_document_is_an_error() -> None:
    with pytest.raises(UsageError, match="document e"):
        joined([_part("First", "e")], Texts({"d": TEXT}))


spans = st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda s: (s[0], s[0] + s[1]))
letters = st.text("ab \n", min_size=52, max_size=52)


@given(
    letters,
    st.lists(st.tuples(st.sampled_from("de"), spans), max_size=10),
    st.sampled_from([None, 8, 20]),
)
def test_every_stretch_is_the_document_s_own_text_and_holds_each_passage_once(
    text: str, parts: list[tuple[str, tuple[int, int]]], longest: int | None
) -> None:
    passages = [_passage(text, start, end, document) for document, (start, end) in parts]
    found = joined(passages, Texts({"d": text, "e": text}), longest=longest)
    assert sorted(p for s in found for p in s.positions) == list(range(len(passages)))
    assert [min(s.positions) for s in found] == sorted(min(s.positions) for s in found)
    for stretch in found:
        assert stretch.text == text[stretch.start : stretch.end]
        inside = [passages[position] for position in stretch.positions]
        assert all(stretch.start <= p.start and p.end <= stretch.end for p in inside)
        assert longest is None or len(inside) == 1 or stretch.end - stretch.start <= longest
        # nothing but blanks was added to what the passages hold
        covered = {i for p in inside for i in range(p.start, p.end)}
        added = set(range(stretch.start, stretch.end)) - covered
        assert not "".join(text[i] for i in sorted(added)).strip()
