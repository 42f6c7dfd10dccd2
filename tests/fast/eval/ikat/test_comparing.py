"""Run files scored together, and their turns side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import UnknownNameError
from eval.ikat.comparing import score_files, turn_differences
from eval.ikat.topics import load_topics
from tests.fast.eval.ikat.samples import PASSAGES, run_file, topics, write


def test_turns_that_differ_most_come_first(tmp_path: Path) -> None:
    qrels = tmp_path / "some.qrels"
    qrels.write_text("".join(f"3_{turn} 0 {PASSAGES[1]} 4\n" for turn in (1, 2)), encoding="utf-8")
    worse = write(tmp_path / "worse.json", {"3_1": {PASSAGES[1]: 1.0}, "3_2": {PASSAGES[3]: 1.0}})
    runs = [("a", run_file(tmp_path, 2024)), ("b", worse), ("c", run_file(tmp_path, 2024))]
    found = score_files(runs, qrels, relevant_from=2, missing="zero", measure="nDCG@5")
    assert [report.run for report in found.reports] == ["a", "worse", "c"]
    assert [one.run for one in found.comparisons] == ["worse", "c"]
    said = load_topics(write(tmp_path / "topics.json", topics(2024)))
    turns = turn_differences(found.reports[0], found.reports[1], "nDCG@5", said)
    assert [(turn.turn, turn.utterance) for turn in turns] == [
        ("3_2", "What does it weigh?"),
        ("3_1", "Which bicycle suits me?"),
    ]
    assert turns[0].other == 0 < turns[0].first
    assert turns[1].difference > 0
    assert all(t.difference == 0 for t in turn_differences(*found.reports[::2], "nDCG@5"))
    with pytest.raises(UnknownNameError):
        score_files(runs, qrels, relevant_from=2, missing="zero", measure="nDCG@7")
