"""The comparison of two embedders, with encoders whose order is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.embedders import compare
from eval.collections import load_collection

WORDS = ("otter", "raft", "bee")


def by_words(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array([[text.count(word) for word in WORDS] for text in texts], np.float32)


def hasty(texts: Sequence[str]) -> NDArray[np.float32]:
    """Sees nothing in a text of one word but a bee."""
    seen = np.array([[" " in text, " " in text, True] for text in texts], np.float32)
    return by_words(texts) * seen


def test_values_are_of_each_query(tmp_path: Path) -> None:
    corpus = [("a", "otter", "raft"), ("b", "", "bee"), ("c", "", "a boat")]
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": i, "title": t, "text": x}) + "\n" for i, t, x in corpus)
    )
    (tmp_path / "queries.jsonl").write_text(
        '{"_id": "1", "text": "otter"}\n{"_id": "2", "text": "bee"}\n'
    )
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t1\n2\tb\t1\n")
    found = compare(load_collection(tmp_path), by_words, hasty)
    assert found.teacher == {"1": 1, "2": 1}
    assert found.student["passages"] == {"1": 1, "2": 1}
    # nothing is near to its otter: equal scores are ranked by id, so `a` is third
    assert found.student["both"] == {"1": 0.5, "2": 1}
    assert found.passages == 3
    # passages a, b, c: as the teacher's, as the teacher's, nothing; queries 1, 2: nothing, as it
    assert found.cosines == pytest.approx(((2 + 1 + 0) / 3, (0 + 1) / 2))
    one, other = found.rows()
    assert "| 1.000 | passages | 1.000 | 100.0 % |" in one
    assert "| 1.000 | both | 0.750 | 75.0 % |" in other
