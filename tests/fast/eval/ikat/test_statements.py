"""Choice of statements: labels of each kind, three averages, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import UsageError
from eval.ikat.judgements import StatementLabels, read_statement_labels
from eval.ikat.statements import PRF, score_statements
from eval.ikat.topics import load_topics
from tests.fast.eval.ikat.samples import topics, write

KNOWN = frozenset("1234")
LABELS = StatementLabels(
    relevant={
        "3_1": frozenset("12"),
        "3_2": frozenset("3"),
        "3_3": frozenset(),
        "3_4": frozenset(),
    },
    known={f"3_{turn}": KNOWN for turn in range(1, 5)},
    ids_by_text={f"3_{turn}": {"I am tall.": "3"} for turn in range(1, 5)},
)


def test_three_averages() -> None:
    chosen = {"3_1": ["1", "4", "1"], "3_2": [" I am tall."], "3_3": [], "3_4": ["2"], "7_1": ["1"]}
    report = score_statements(chosen, LABELS)
    assert (report.turns, report.labelled, report.abstained, report.unknown) == (4, 2, 1, 0)
    # labelled: 2 right of 3 chosen, 3 wanted
    assert report.pooled == PRF(2 / 3, 2 / 3, 2 / 3)
    # 3_1: 1 of 2, 1 of 2; 3_2: all
    assert report.mean_labelled == PRF(0.75, 0.75, 0.75)
    # 3_3 right in choosing nothing, 3_4 wrong
    assert report.mean_all == PRF(2.5 / 4, 2.5 / 4, 2.5 / 4)
    assert report.by_turn["3_4"] == PRF(0.0, 0.0, 0.0)


def test_choosing_all_is_a_floor_that_pools_counts() -> None:
    report = score_statements(LABELS.known, LABELS)
    # 3 of 8 chosen, all found: 2·3 / (8 + 3); per turn (2·2/6 + 2·1/5) / 2
    assert report.pooled.f1 == pytest.approx(6 / 11)
    assert report.mean_labelled.f1 == pytest.approx((4 / 6 + 2 / 5) / 2)
    assert report.mean_all.f1 == pytest.approx((4 / 6 + 2 / 5) / 4)


def test_choosing_nothing() -> None:
    report = score_statements({}, LABELS)
    assert report.pooled == report.mean_labelled == PRF(0.0, 0.0, 0.0)
    assert report.mean_all.f1 == 0.5
    assert report.abstained == 2


def test_statements_that_the_topic_lacks_are_wrong_choices() -> None:
    report = score_statements({"3_2": ["3", "I ride fast."], "3_3": ["I ride fast."]}, LABELS)
    assert report.unknown == 2
    assert report.by_turn["3_2"] == PRF(0.5, 1.0, 2 / 3)
    assert report.by_turn["3_3"].f1 == 0.0


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_labels_of_topics(year: int, tmp_path: Path) -> None:
    labels = read_statement_labels(write(tmp_path / "topics.json", topics(year)))
    number = "3" if year == 2024 else "3-1"
    assert labels.relevant == {f"{number}_1": frozenset("13"), f"{number}_2": frozenset()}
    for chosen in (["1", "3"], ["I am tall.", "I live on a hill."]):
        assert score_statements({f"{number}_1": chosen}, labels).mean_all.f1 == 1.0


def test_labels_in_rows(tmp_path: Path) -> None:
    path = tmp_path / "ptkb_rel"
    path.write_text("3-1_1 0 1 1\n3-1_1 0 2 0\n3-1_1 0 3 1\n", encoding="utf-8")
    labels = read_statement_labels(path)
    assert labels.relevant == {"3-1_1": frozenset("13")}
    assert score_statements({"3-1_1": ["I am tall."]}, labels).unknown == 1
    loaded = load_topics(write(tmp_path / "topics.json", topics(2023)))
    with_texts = read_statement_labels(path, loaded)
    assert score_statements({"3-1_1": ["I am tall."]}, with_texts).pooled == PRF(1.0, 0.5, 2 / 3)


def test_broken_rows(tmp_path: Path) -> None:
    path = tmp_path / "ptkb_rel"
    path.write_text("3-1_1 0 1 1\n3-1_1 0 2 2\n", encoding="utf-8")
    with pytest.raises(UsageError, match="ptkb_rel, line 2, turn 3-1_1: grade 2"):
        read_statement_labels(path)
