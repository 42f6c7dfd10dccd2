"""Runs that are rankings alone: {turn: {passage: score}} as JSON, and TREC run files."""

from __future__ import annotations

from typing import Any

from eval.ikat.runs import IkatRun, RunTurn
from eval.ikat.source import Object, Source, finite


def parse_json(source: Source, value: Any, year: int | None) -> IkatRun:
    """{turn: {passage: score}}, as participants store the input of their evaluation.

    Raises:
        UsageError: see `runs.read_run`.
    """
    if not isinstance(value, Object):
        raise source.wrong("no run: expected an object", line=1)
    for turn in value.repeated:
        raise source.wrong("the turn stands there twice", turn=turn)
    turns = {
        turn: RunTurn(turn, scores_of(source, turn, passages)) for turn, passages in value.items()
    }
    return IkatRun(source.path.stem, "", year, turns, ranking_only=True)


def parse_trec(source: Source, year: int | None) -> IkatRun:
    """turn Q0 passage rank score tag, between blanks; the rank is not used, the score is.

    Raises:
        UsageError: see `runs.read_run`.
    """
    turns: dict[str, dict[str, float]] = {}
    name = ""
    for line, row in source.rows():
        fields = row.split()
        if len(fields) != 6:
            raise source.wrong(
                f"expected turn Q0 passage rank score tag, found {len(fields)} columns", line=line
            )
        turn, _, passage, _, written, name = fields
        try:
            score = finite(float(written))
        except ValueError:
            score = None
        if score is None:
            raise source.wrong(f"score {written} is no finite number", line=line, turn=turn)
        if passage in turns.setdefault(turn, {}):
            raise source.wrong(f"passage {passage} stands there twice", line=line, turn=turn)
        turns[turn][passage] = score
    made = {turn: RunTurn(turn, passages) for turn, passages in turns.items()}
    return IkatRun(name or source.path.stem, "", year, made, ranking_only=True)


def scores_of(
    source: Source, turn: str, value: Any, *, line: int | None = None
) -> dict[str, float]:
    """A {passage: score} object, checked; the order is kept.

    Raises:
        UsageError: no object, a repeated passage, or a score that is no finite number.
    """
    if not isinstance(value, Object):
        raise source.wrong("expected an object of passages and scores", line=line, turn=turn)
    for passage in value.repeated:
        raise source.wrong(f"passage {passage} stands there twice", line=line, turn=turn)
    scores = {}
    for passage, written in value.items():
        score = finite(written)
        if score is None:
            raise source.wrong(
                f"score {written!r} of {passage} is no finite number", line=line, turn=turn
            )
        scores[passage] = score
    return scores
