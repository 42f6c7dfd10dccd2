"""Choosing the small reader's threshold, on scores made by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.small_reader import SmallReader
from assistant.errors import UsageError
from eval.open_book import given as given_passages
from eval.questions import Question
from eval.small_threshold import STEP, choose_threshold, scored
from tests.fast.assistant.spans import TellingSpans


def judged(score: float, f1: float | None) -> dict:
    return {
        "answerable": f1 is not None,
        "score": score,
        "em": float(f1 == 1.0),
        "f1": f1 or 0.0,
    }


GIVEN = [judged(4.0, 1.0), judged(2.0, 1.0), judged(1.0, None), judged(-3.0, None)]
FOUND = [judged(4.0, 1.0), judged(2.6, None), judged(2.2, None), judged(-1.0, 0.5)]


def test_each_setting_alone_and_both_together() -> None:
    found = choose_threshold({"given": GIVEN, "found": FOUND})
    # given: all right between 1 and 2; found: from above 2.6 on, only the first is answered
    assert found.best == {"given": 1.25, "found": 2.75}
    assert found.curves["given"][1.25]["f1"] == 1.0
    assert found.curves["found"][2.75]["f1"] == 0.75
    # together: 1.25–2 gives 1 + .25; 2.25 gives .75 + .5; 2.75 gives .75 + .75
    assert found.chosen == 2.75
    assert choose_threshold({"given": GIVEN}).chosen == 1.25
    assert found.questions == {"given": 4, "found": 4}
    measures = found.curves["found"][2.25]
    assert measures["no_answer_recall"] == 0.5
    assert measures["no_answer_precision"] == 0.5  # the last one has an answer


def test_the_grid_encloses_the_scores() -> None:
    grid = list(choose_threshold({"given": GIVEN}).curves["given"])
    assert grid[0] == -3.0 and grid[-1] == 4.25
    assert {round(b - a, 9) for a, b in pairwise(grid)} == {STEP}


def test_what_cannot_be_chosen_from() -> None:
    with pytest.raises(UsageError, match="with and without"):
        choose_threshold({"given": GIVEN[:2]})
    with pytest.raises(UsageError, match="no words"):
        choose_threshold({"given": [judged(-1e9, 1.0), judged(-1e9, None)]})


rows = st.lists(
    st.tuples(st.floats(-9, 9), st.one_of(st.none(), st.floats(0, 1))), min_size=2, max_size=30
)


@given(rows)
def test_no_threshold_of_the_grid_is_better(scores: list[tuple[float, float | None]]) -> None:
    own = [judged(score, f1) for score, f1 in scores]
    if len({j["answerable"] for j in own}) < 2:
        return
    found = choose_threshold({"given": own})
    curve = found.curves["given"]
    assert curve[found.chosen]["f1"] >= max(m["f1"] for m in curve.values()) - 1e-8


def test_scores_do_not_depend_on_the_readers_threshold() -> None:
    reader = SmallReader(TellingSpans({"1952": -2.0}), None, threshold=5.0, short=True)
    questions = [
        Question("a", "It was farmed in 1952.", "Kelp", "When?", ("in 1952",), True),
        Question("b", "It was farmed in 1952.", "Kelp", "Who?", (), False),
        Question("c", "It is green.", "Kelp", "When?", ("green",), True),
    ]
    seen = []
    found = scored(reader, questions, given_passages, on_progress=seen.append)
    assert [(j["score"], j["em"], round(j["f1"], 4)) for j in found] == [
        (-2.0, 0.0, 0.6667),
        (-2.0, 0.0, 0.0),
        (-1e9, 0.0, 0.0),
    ]
    assert (seen[-1].done, seen[-1].total) == (3, 3)
