"""Collections in a folder, and measures of retrieval kept over time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import UsageError
from eval.found_collections import find_collections, remember_folder, remembered_folder
from eval.history import Measured, difference, history, keep

ONE = Measured(
    "2026-11-27T20:00:00+00:00",
    "small",
    "/data/small",
    "abc",
    4,
    9,
    0.5,
    {"nDCG@10": 0.5},
    {"lexical": {"nDCG@10": 0.4}},
    {"fusion": "min-max", "candidates": 100},
    {"q1": 1.0, "q2": 0.0, "q3": 0.5, "q4": 0.5},
)


def _collection(folder: Path, *, whole: bool = True) -> None:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("{}\n", encoding="utf-8")
    (folder / "queries.jsonl").write_text("{}\n", encoding="utf-8")
    if whole:
        (folder / "qrels" / "test.tsv").write_text("", encoding="utf-8")


def test_collections_are_found_and_what_they_lack_is_said(tmp_path: Path) -> None:
    _collection(tmp_path / "b" / "deep")
    _collection(tmp_path / "a", whole=False)
    _collection(tmp_path / ".hidden")
    _collection(tmp_path / "1" / "2" / "3" / "4")
    found = find_collections(tmp_path)
    assert [(one.name, one.why_not) for one in found] == [
        ("a", "qrels/test.tsv is missing"),
        ("b/deep", ""),
    ]
    assert [one.name for one in find_collections(tmp_path / "a")] == ["a"]
    with pytest.raises(UsageError):
        find_collections(tmp_path / "nowhere")


def test_the_folder_is_remembered(tmp_path: Path) -> None:
    assert remembered_folder(tmp_path / "evaluation") == ""
    remember_folder(tmp_path / "evaluation", "~/data")
    assert remembered_folder(tmp_path / "evaluation") == "~/data"


def test_measures_are_kept_and_a_line_cut_short_spoils_nothing(tmp_path: Path) -> None:
    assert history(tmp_path) == []
    keep(tmp_path, ONE)
    with (tmp_path / "retrieval.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"at": "2026')
    later = replace(ONE, at="2026-11-28T20:00:00+00:00")
    keep(tmp_path, later)
    assert history(tmp_path) == [ONE, later]


def test_a_difference_is_told_over_the_queries_of_both() -> None:
    better = replace(ONE, by_query={"q1": 1.0, "q2": 1.0, "q9": 0.0})
    found = difference(better, ONE)
    assert found is not None
    assert (found.mean, found.queries) == (0.5, 2)
    assert 0 < found.p <= 1
    assert difference(ONE, replace(ONE, corpus="other")) is None
    assert difference(ONE, replace(ONE, by_query={})) is None
