"""Near-duplicates: what folds, what must not, and that nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.refining.folding import Fold, folded, jaccard, shingles

LONG = (
    "the valve in the lower chamber opens when the pressure rises and closes again as soon as "
    "the pressure has fallen, so that the pump behind it is never under load while it starts; the "
    "operator watches the gauge on the left and writes down what it shows every hour"
)


def test_shingles_and_jaccard_by_hand() -> None:
    assert shingles("a b c d") == {("a", "b", "c"), ("b", "c", "d")}
    assert shingles("A  b") == {("a", "b")}
    assert jaccard(shingles("a b c d"), shingles("a b c e")) == pytest.approx(1 / 3)
    assert jaccard(frozenset(), frozenset()) == 1.0


def test_equal_up_to_case_spaces_and_compatible_forms_folds() -> None:
    # the second has a ligature and a no-break space
    assert folded(["The  file is open.", "the \ufb01le is\u00a0open.", "Another."]) == [
        Fold(0, (1,)),
        Fold(2),
    ]


def test_near_duplicates_fold_under_the_first() -> None:
    assert folded([LONG, "something else", LONG + " there"]) == [Fold(0, (2,)), Fold(1)]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (LONG + " for 5 hours", LONG + " for 6 hours"),
        (LONG, LONG.replace("is never under", "is always under")),
        (LONG, LONG.replace("has fallen", "hasn't fallen")),
        (LONG, LONG.replace("has fallen", "has not fallen")),
        (LONG, LONG.replace("operator", "Operator Berg")),
    ],
)
def test_a_difference_in_number_negation_or_name_never_folds(text: str, changed: str) -> None:
    assert jaccard(shingles(text), shingles(changed)) > 0.8
    assert folded([text, changed], similar_from=0.8) == [Fold(0), Fold(1)]


@pytest.mark.parametrize(
    ("one", "two"), [("at -5 degrees", "at 5 degrees"), ("up 5%", "up 5"), ("v1.2", "v1.3")]
)
def test_sign_percent_and_version_tell_passages_apart(one: str, two: str) -> None:
    assert folded([f"{LONG} {one}", f"{LONG} {two}"], similar_from=0.8) == [Fold(0), Fold(1)]


def test_one_changed_word_in_a_short_text_does_not_fold() -> None:
    assert folded(["the cat sat on the mat", "the dog sat on the mat"]) == [Fold(0), Fold(1)]


def test_texts_without_words_fold_only_if_equal() -> None:
    assert folded(["…", "---", "…", ""]) == [Fold(0, (2,)), Fold(1), Fold(3)]


words = st.lists(st.sampled_from(["a", "b", "c", "not", "7", "8", "Anna"]), max_size=30)


@given(st.lists(words.map(" ".join), max_size=12), st.sampled_from([0.3, 0.9, 1.0]))
def test_folding_loses_no_passage_and_keeps_the_order(texts: list[str], limit: float) -> None:
    folds = folded(texts, similar_from=limit)
    everything = [position for fold in folds for position in (fold.shown, *fold.duplicates)]
    assert sorted(everything) == list(range(len(texts)))
    assert [fold.shown for fold in folds] == sorted(fold.shown for fold in folds)
    assert all(list(f.duplicates) == sorted(f.duplicates) for f in folds)
    assert all(f.shown < d for f in folds for d in f.duplicates)


@given(st.lists(words.map(" ".join), max_size=12))
def test_what_is_shown_does_not_fold_again(texts: list[str]) -> None:
    shown = [texts[fold.shown] for fold in folded(texts)]
    assert folded(shown) == [Fold(position) for position in range(len(shown))]
