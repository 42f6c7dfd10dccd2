"""Words carried over are counted as by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from assistant.distillation.examples import TagExample
from assistant.understanding.types import AspectQuery, Message, Understanding, Way
from benchmarks.rewriting import Counts, Judged, f1, interval, judge

HISTORY = (
    Message("user", "Who designed the Eiffel Tower?"),
    Message("assistant", "It was designed by Maurice Koechlin, an engineer."),
)
EXAMPLE = TagExample("a", "How tall is it?", HISTORY, "How tall is the Eiffel Tower?", "towers")


class Writes:
    """Writes always the same."""

    way: Way = "small"

    def __init__(self, text: str) -> None:
        self._text = text

    def understand(self, message: str, history: Sequence[Message]) -> Understanding:
        return Understanding(self._text, (AspectQuery(self._text, "question"),))


@pytest.mark.parametrize(
    ("text", "counts", "same"),
    [
        ("how tall is the eiffel tower", Counts(2, 2, 2, 0), True),
        ("How tall is it?", Counts(0, 0, 2, 0), False),
        ("How tall is the engineer's tower in Paris?", Counts(1, 2, 2, 1), False),
    ],
)
def test_counts_of_a_message(text: str, counts: Counts, same: bool) -> None:
    found = judge(Writes(text), EXAMPLE)
    assert (found.counts, found.same, found.topic) == (counts, same, "towers")


def test_f1_by_hand() -> None:
    precision, recall, both = f1([Counts(2, 3, 2, 0), Counts(0, 1, 2, 1)])
    assert (precision, recall, both) == (0.5, 0.5, 0.5)
    assert f1([]) == (0.0, 0.0, 0.0)


def test_topics_are_drawn_whole() -> None:
    right, wrong = Counts(1, 1, 1, 0), Counts(0, 1, 1, 0)
    one = [Judged("a", counts, False, 0.0) for counts in (right, wrong)]
    assert interval(one) == (0.5, 0.5)  # a single topic is always drawn
    two = [Judged(name, counts, False, 0.0) for name, counts in (("a", right), ("b", wrong))]
    assert interval(two) == (0.0, 1.0)
