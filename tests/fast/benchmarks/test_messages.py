"""The table of vectors of follow-ups, with vectors that are given."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.understanding.types import Message
from benchmarks.messages import Corpus, measured, table
from eval.ikat.conversations import ClosedTurn

TEXTS = ["otters sleep on their backs", "kelp grows fast", "the ferry leaves at noon"]
CORPUS = Corpus(["a", "b", "c"], TEXTS, np.eye(3, dtype=np.float32))


def turn(name: str, *said: str) -> ClosedTurn:
    history = (Message("user", "?"), *(Message("assistant", text) for text in said))
    return ClosedTurn(name, "and then?", history, "", (), ())


def test_what_was_shown_is_measured_in_and_out() -> None:
    turns = [turn("1", TEXTS[0]), turn("2")]
    vectors = {"1": [0.9, 0.4, 0.1], "2": [0.1, 0.2, 0.9]}
    qrels = {"1": {"b": 1}, "2": {"c": 1}}
    found = measured(CORPUS, turns, qrels, lambda one: np.array(vectors[one.id], np.float32))
    assert found.shown_in["1"] == pytest.approx(1 / np.log2(3), abs=1e-4)
    assert found.shown_out["1"] == pytest.approx(1.0)
    assert found.shown_in["2"] == found.shown_out["2"] == pytest.approx(1.0)
    other = measured(CORPUS, turns, qrels, lambda one: np.array([1.0, 0, 0], np.float32))
    lines = table("closed", {"raw": other, "leaning": found, "conversation": other}).splitlines()
    assert lines[1] == "closed: 2 follow-ups"
    leaning = next(line for line in lines if line.startswith("| leaning"))
    assert leaning.split("|")[2:6] == [" 0.815 ", "  ", " 1.000 ", "  "]
    assert next(line for line in lines if line.startswith("| raw")).endswith("| 1.0 |")
