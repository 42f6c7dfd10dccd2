"""Topics of three years in one form, and what is said about broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import UsageError
from eval.ikat.topics import load_topics, year_of
from tests.fast.eval.ikat.samples import PASSAGES, topics, write


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_every_year_reads_alike(year: int, tmp_path: Path) -> None:
    path = write(tmp_path / "topics.json", topics(year))
    (topic,) = load_topics(path)
    number = "3" if year == 2024 else "3-1"
    assert year_of(path) == year
    assert load_topics(path, year) == [topic]
    assert (topic.number, topic.title) == (number, "A bicycle")
    assert [(s.id, s.text) for s in topic.statements] == [
        ("1", "I live on a hill."),
        ("2", "I have two cats."),
        ("3", "I am tall."),
    ]
    first, second = topic.turns
    assert (first.id, first.turn) == (f"{number}_1", 1)
    assert first.utterance == "Which bicycle suits me?"
    assert first.resolved == "Which bicycle suits a tall person on a hill?"
    assert first.response == "One with a large frame and low gears."
    assert first.relevant_statements == ("1", "3")
    assert first.provenance == (PASSAGES[0],)
    assert (second.relevant_statements, second.provenance) == ((), ())


@pytest.mark.parametrize(("held", "asked"), [(2023, 2024), (2024, 2025), (2025, 2023)])
def test_another_year_is_named(held: int, asked: int, tmp_path: Path) -> None:
    path = write(tmp_path / "topics.json", topics(held))
    with pytest.raises(UsageError, match=f"topics of {held}, not of {asked}"):
        load_topics(path, asked)
    with pytest.raises(UsageError, match="no topics of year 2022"):
        load_topics(path, 2022)


def test_not_json_has_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "topics.json"
    path.write_text('[\n {"number": "3-1",\n  "title" "A bicycle"}]', encoding="utf-8")
    with pytest.raises(UsageError, match=r"topics\.json, line 3, column 11: not JSON"):
        load_topics(path)


@pytest.mark.parametrize("text", ["{}", "[]", "[1]", '"text"'])
def test_other_json_is_no_topics_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "topics.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="no topics file"):
        load_topics(path)


def test_gap_and_repetition_of_turns(tmp_path: Path) -> None:
    value = topics(2023)
    value[0]["turns"][1]["turn_id"] = 3
    path = write(tmp_path / "topics.json", value)
    with pytest.raises(UsageError, match=r"topics\.json, topic 3-1: turn 3-1_2 is missing"):
        load_topics(path)
    value[0]["turns"][1]["turn_id"] = 1
    write(path, value)
    with pytest.raises(UsageError, match="turn 3-1_1: stands there twice"):
        load_topics(path)
    value[0]["turns"][1]["turn_id"] = "2"
    write(path, value)
    with pytest.raises(UsageError, match="a turn_id is '2'"):
        load_topics(path)


def test_repeated_topic_and_statement(tmp_path: Path) -> None:
    path = write(tmp_path / "topics.json", topics(2023) * 2)
    with pytest.raises(UsageError, match="topic 3-1: stands there twice"):
        load_topics(path)
    text = write(path, topics(2023)).read_text(encoding="utf-8")
    path.write_text(text.replace('"2": "I have', '"1": "I have'), encoding="utf-8")
    with pytest.raises(UsageError, match="topic 3-1: statement 1 stands there twice"):
        load_topics(path)


@pytest.mark.parametrize("key", ["number", "title", "ptkb", "turns"])
def test_missing_key_of_a_topic(key: str, tmp_path: Path) -> None:
    value = topics(2023)
    del value[0][key]
    with pytest.raises(UsageError, match=f"topic .*: no {key}"):
        load_topics(write(tmp_path / "topics.json", value))


@pytest.mark.parametrize(
    "key", ["user_utterance", "resolved_utterance", "response", "relevant_ptkbs", "citations"]
)
def test_missing_key_of_a_turn(key: str, tmp_path: Path) -> None:
    value = topics(2025)
    del value[0]["responses"][1][key]
    with pytest.raises(UsageError, match=f"topic 3-1, turn 3-1_2: no {key}"):
        load_topics(write(tmp_path / "topics.json", value))


def test_unknown_relevant_statement(tmp_path: Path) -> None:
    value = topics(2024)
    value[0]["turns"][0]["ptkb_provenance"] = [9]
    with pytest.raises(UsageError, match="topic 3, turn 3_1: relevant statement 9"):
        load_topics(write(tmp_path / "topics.json", value))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.json cannot be read"):
        load_topics(tmp_path / "none.json")
