"""Topics of the track: who asks, what is known about them, and the turns of the conversation.

2023, 2024   {number, title, ptkb: {id: text}, turns: [{turn_id, utterance, resolved_utterance,
             response, ptkb_provenance: [id], response_provenance: [passage id]}]}
2025         {number, title, ptkb: [text], responses: [{turn_id, user_utterance,
             resolved_utterance, response, relevant_ptkbs: [text], citations: [passage id]}]}

2023's topic numbers hold a dash ("9-1": one subject, several persons), 2024's do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from eval.ikat import YEARS
from eval.ikat.source import Object, Source

_LONG = {
    "turns": "turns",
    "utterance": "utterance",
    "relevant": "ptkb_provenance",
    "passages": "response_provenance",
}
_SHORT = {
    "turns": "responses",
    "utterance": "user_utterance",
    "relevant": "relevant_ptkbs",
    "passages": "citations",
}
_KEYS = {2023: _LONG, 2024: _LONG, 2025: _SHORT}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about the person; `id` counts from "1" within the topic."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class TopicTurn:
    """One turn. `resolved`, `response`, `relevant_statements` and `provenance` are gold.

    `id` is "NUMBER_TURN", e.g. "9-1_3", as in runs and judgements.
    """

    id: str
    turn: int
    utterance: str
    resolved: str
    response: str
    relevant_statements: tuple[str, ...]
    provenance: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """One conversation of one person."""

    number: str
    title: str
    statements: tuple[Statement, ...]
    turns: tuple[TopicTurn, ...]


def load_topics(path: Path, year: int | None = None) -> list[Topic]:
    """Read a topics file of any year; `year` says which one it has to be.

    Raises:
        UsageError: not a topics file, one of another year, or one with a missing key, a missing or
            repeated turn or topic, or an unknown statement; names file, topic and turn.
    """
    if year is not None and year not in YEARS:
        raise UsageError(f"no topics of year {year}", remedy=f"years: {', '.join(map(str, YEARS))}")
    source, rows = _rows(path)
    found = _year(rows)
    if year is not None and found != year:
        raise UsageError(
            f"{path} holds topics of {found}, not of {year}",
            remedy=f"give the topics of {year}, or --year {found}",
        )
    topics = [_topic(source, row, _KEYS[found]) for row in rows]
    for number in _twice(topic.number for topic in topics):
        raise UsageError(f"{path}, topic {number}: stands there twice")
    return topics


def year_of(path: Path) -> int:
    """The year of a topics file.

    Raises:
        UsageError: not a topics file.
    """
    return _year(_rows(path)[1])


def _rows(path: Path) -> tuple[Source, list[Object]]:
    source = Source.read(path)
    rows = source.document()
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Object) for row in rows):
        raise UsageError(f"{path} is no topics file: expected a list of topics")
    return source, rows


def _year(rows: list[Object]) -> int:
    """2025 has lists of statements; 2023 and 2024 differ in the numbers alone."""
    if any("responses" in row or isinstance(row.get("ptkb"), list) for row in rows):
        return 2025
    return 2023 if any("-" in str(row.get("number", "")) for row in rows) else 2024


def _topic(source: Source, row: Object, keys: dict[str, str]) -> Topic:
    number = str(row.get("number", "?"))
    place = f"{source.path}, topic {number}"
    _complete(row, ("number", "title", "ptkb", keys["turns"]), place)
    ptkb, turns = row["ptkb"], row[keys["turns"]]
    if isinstance(ptkb, Object):
        pairs = list(ptkb.items())
        if ptkb.repeated:
            raise UsageError(f"{place}: statement {ptkb.repeated[0]} stands there twice")
    elif isinstance(ptkb, list):
        pairs = [(str(position), text) for position, text in enumerate(ptkb, start=1)]
    else:
        raise UsageError(f"{place}: ptkb holds no statements")
    for id_, text in pairs:
        if not isinstance(text, str):
            raise UsageError(f"{place}: statement {id_} is no text")
    statements = tuple(Statement(id_, text) for id_, text in pairs)
    if not isinstance(turns, list) or not all(isinstance(turn, Object) for turn in turns):
        raise UsageError(f"{place}: {keys['turns']} is no list of turns")
    made = tuple(_turn(place, number, turn, statements, keys) for turn in turns)
    for id_ in _twice(turn.id for turn in made):
        raise UsageError(f"{place}, turn {id_}: stands there twice")
    for wanted, turn in enumerate(made, start=1):
        if turn.turn != wanted:
            raise UsageError(
                f"{place}: turn {number}_{wanted} is missing ({turn.id} stands in its place)",
                remedy="turns are numbered from 1 without gaps",
            )
    return Topic(number, str(row["title"]), statements, made)


def _turn(
    place: str,
    number: str,
    row: Object,
    statements: tuple[Statement, ...],
    keys: dict[str, str],
) -> TopicTurn:
    turn = row.get("turn_id")
    if isinstance(turn, bool) or not isinstance(turn, int):
        raise UsageError(f"{place}: a turn_id is {turn!r}, expected a whole number")
    id_ = f"{number}_{turn}"
    place = f"{place}, turn {id_}"
    names = (keys["utterance"], "resolved_utterance", "response", keys["relevant"])
    _complete(row, (*names, keys["passages"]), place)
    for name in names[:3]:
        if not isinstance(row[name], str):
            raise UsageError(f"{place}: {name} is no text")
    for name in (keys["relevant"], keys["passages"]):
        if not isinstance(row[name], list):
            raise UsageError(f"{place}: {name} is no list")
    return TopicTurn(
        id=id_,
        turn=turn,
        utterance=row[keys["utterance"]],
        resolved=row["resolved_utterance"],
        response=row["response"],
        relevant_statements=tuple(_relevant(row[keys["relevant"]], statements, place)),
        provenance=tuple(str(passage) for passage in row[keys["passages"]]),
    )


def _relevant(given: list[Any], statements: tuple[Statement, ...], place: str) -> Iterator[str]:
    ids = {statement.id for statement in statements}
    by_text = {statement.text: statement.id for statement in statements}
    for value in given:
        id_ = str(value) if str(value) in ids else by_text.get(str(value))
        if id_ is None:
            raise UsageError(f"{place}: relevant statement {value!r} is not in the topic's ptkb")
        yield id_


def _complete(row: Object, keys: tuple[str, ...], place: str) -> None:
    if absent := [key for key in keys if key not in row]:
        raise UsageError(f"{place}: no {', '.join(absent)}")


def _twice(values: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            yield value
        seen.add(value)
