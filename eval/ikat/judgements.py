"""Judgements of the track: passages in TREC's format, statements by turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import UsageError
from eval.collections import Qrels
from eval.ikat.source import Source
from eval.ikat.topics import Topic, load_topics

HIGHEST_GRADE = 4


@dataclass(frozen=True, slots=True)
class StatementLabels:
    """Which statements matter for which turn.

    `relevant` has every labelled turn, also those where no statement is relevant. `known` has the
    ids of the statements of each turn's topic. `ids_by_text` finds a statement by what it says,
    for each turn; it is empty where the labels came without texts.
    """

    relevant: dict[str, frozenset[str]]
    known: dict[str, frozenset[str]]
    ids_by_text: dict[str, dict[str, str]]


def read_trec_qrels(path: Path) -> Qrels:
    """Passage judgements: `turn 0 passage grade` between blanks, grades 0 to 4.

    Raises:
        UsageError: a line is not so, or judges a passage again; names file, line and turn.
    """
    return _read_rows(Source.read(path), "passage", HIGHEST_GRADE)


def read_statement_labels(path: Path, topics: Iterable[Topic] = ()) -> StatementLabels:
    """Statement judgements: rows `turn 0 statement label` (2023, by NIST), or a topics file.

    `topics` give the texts of the statements where the labels have none.

    Raises:
        UsageError: neither, or a broken line; names file, line and turn.
    """
    source = Source.read(path)
    if source.text.lstrip()[:1] in ("[", "{"):
        return _from_topics(load_topics(path))
    labels = _read_rows(source, "statement", 1)
    texts = {turn.id: _by_text(topic) for topic in topics for turn in topic.turns}
    return StatementLabels(
        relevant={
            turn: frozenset(id_ for id_, label in row.items() if label)
            for turn, row in labels.items()
        },
        known={turn: frozenset(row) for turn, row in labels.items()},
        ids_by_text={turn: texts.get(turn, {}) for turn in labels},
    )


def _from_topics(topics: list[Topic]) -> StatementLabels:
    turns = [(topic, turn) for topic in topics for turn in topic.turns]
    known = {topic.number: frozenset(s.id for s in topic.statements) for topic in topics}
    return StatementLabels(
        relevant={turn.id: frozenset(turn.relevant_statements) for _, turn in turns},
        known={turn.id: known[topic.number] for topic, turn in turns},
        ids_by_text={turn.id: _by_text(topic) for topic, turn in turns},
    )


def _by_text(topic: Topic) -> dict[str, str]:
    return {statement.text.strip(): statement.id for statement in topic.statements}


def _read_rows(source: Source, judged: str, highest: int) -> Qrels:
    qrels: Qrels = {}
    for line, row in source.rows():
        fields = row.split()
        if len(fields) != 4:
            raise source.wrong(
                f"expected turn 0 {judged} grade, found {len(fields)} columns", line=line
            )
        turn, _, id_, written = fields
        if written not in {str(grade) for grade in range(highest + 1)}:
            raise source.wrong(
                f"grade {written} is not a whole number from 0 to {highest}", line=line, turn=turn
            )
        if id_ in qrels.setdefault(turn, {}):
            raise source.wrong(f"{judged} {id_} is judged twice", line=line, turn=turn)
        qrels[turn][id_] = int(written)
    if not qrels:
        raise UsageError(f"{source.path} judges nothing")
    return qrels
