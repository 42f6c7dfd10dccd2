"""Runs of 2023 and 2024: one JSON document.

{run_name, run_type, turns: [{turn_id, responses: [
    {rank, text, passage_provenance, ptkb_provenance}]}]}

passage_provenance   2023 [{id, text, score, used}], 2024 without text
ptkb_provenance      2023 [{id, text, score}], 2024 [id]
"""

from __future__ import annotations

import json
from typing import Any

from assistant.errors import UsageError
from eval.ikat.runs import IkatRun, RunTurn
from eval.ikat.source import Object, Source, finite


def year_of(value: Any) -> int | None:
    """2023 or 2024, from how the first statements or passages are written; None: cannot be told."""
    responses = list(_responses(value))
    for response in responses:
        for given in _list(response, "ptkb_provenance"):
            return 2023 if isinstance(given, Object) else 2024
    for response in responses:
        for given in _list(response, "passage_provenance"):
            return 2023 if isinstance(given, Object) and "text" in given else 2024
    return None


def parse(source: Source, value: Any, year: int) -> IkatRun:
    """The run in a document.

    Raises:
        UsageError: see `runs.read_run`.
    """
    if not isinstance(value, Object):
        raise source.wrong("no run: expected an object", line=1)
    _complete(source, value, ("run_name", "run_type", "turns"), None)
    if not isinstance(value["turns"], list):
        raise source.wrong("turns is no list")
    turns: dict[str, RunTurn] = {}
    for entry in value["turns"]:
        turn = _turn(source, entry)
        if turn.turn_id in turns:
            raise source.wrong("the turn stands there twice", turn=turn.turn_id)
        turns[turn.turn_id] = turn
    return IkatRun(str(value["run_name"]), str(value["run_type"]), year, turns)


def build(run: IkatRun, year: int) -> str:
    """The document of a run, two blanks deep.

    Raises:
        UsageError: see `runs.write_run`.
    """
    turns = [_turn_2023(turn) if year == 2023 else _turn_2024(turn) for turn in run.turns.values()]
    made: dict[str, Any] = {"run_name": run.name, "run_type": run.kind}
    if year == 2024:
        made["eval_response"] = any(turn.response for turn in run.turns.values())
    try:
        return json.dumps({**made, "turns": turns}, indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise UsageError(f"run {run.name} has a score that is no finite number") from error


def _turn(source: Source, entry: Any) -> RunTurn:
    if not isinstance(entry, Object) or not isinstance(entry.get("turn_id"), str):
        raise source.wrong("a turn without a turn_id (a text)")
    turn = str(entry["turn_id"])
    _complete(source, entry, ("responses",), turn)
    responses = entry["responses"]
    if not isinstance(responses, list) or not responses:
        raise source.wrong("no responses", turn=turn)
    for response in responses:
        if not isinstance(response, Object):
            raise source.wrong("a response is no object", turn=turn)
        keys = ("rank", "text", "passage_provenance", "ptkb_provenance")
        _complete(source, response, keys, turn)
        if finite(response["rank"]) is None:
            raise source.wrong(f"rank {response['rank']!r} is no number", turn=turn)
        if not isinstance(response["text"], str):
            raise source.wrong("the response's text is no text", turn=turn)
    passages: dict[str, float] = {}
    used: dict[str, None] = {}
    texts: dict[str, str] = {}
    ordered = sorted(responses, key=lambda response: float(response["rank"]))
    for response in ordered:
        for id_, passage, score in _passages(source, turn, response):
            passages[id_] = max(score, passages.get(id_, score))
            if response is ordered[0] and passage["used"]:
                used[id_] = None
            if isinstance(passage.get("text"), str):
                texts[id_] = passage["text"]
    statements = _statements(source, turn, ordered[0])
    return RunTurn(
        turn_id=turn,
        passages=passages,
        response=ordered[0]["text"],
        used=tuple(used),
        statements=tuple(statements),
        statement_scores={
            id_: score for id_, (score, _) in statements.items() if score is not None
        },
        passage_texts=texts,
        statement_texts={id_: text for id_, (_, text) in statements.items() if text is not None},
    )


def _passages(source: Source, turn: str, response: Object) -> list[tuple[str, Object, float]]:
    if not isinstance(response["passage_provenance"], list):
        raise source.wrong("passage_provenance is no list", turn=turn)
    found: dict[str, tuple[str, Object, float]] = {}
    for passage in response["passage_provenance"]:
        if not isinstance(passage, Object):
            raise source.wrong("a passage is no object", turn=turn)
        _complete(source, passage, ("id", "score", "used"), turn)
        id_, score = str(passage["id"]), finite(passage["score"])
        if score is None:
            raise source.wrong(
                f"score {passage['score']!r} of {id_} is no finite number", turn=turn
            )
        if id_ in found:
            raise source.wrong(f"passage {id_} stands there twice", turn=turn)
        found[id_] = (id_, passage, score)
    return list(found.values())


def _statements(
    source: Source, turn: str, response: Object
) -> dict[str, tuple[float | None, str | None]]:
    """Score and text of each statement by its id, in order; None where the form has none."""
    if not isinstance(response["ptkb_provenance"], list):
        raise source.wrong("ptkb_provenance is no list", turn=turn)
    found: dict[str, tuple[float | None, str | None]] = {}
    for given in response["ptkb_provenance"]:
        if isinstance(given, Object):
            _complete(source, given, ("id", "text", "score"), turn)
            score = finite(given["score"])
            if score is None:
                raise source.wrong(
                    f"score {given['score']!r} of statement {given['id']} is no finite number",
                    turn=turn,
                )
            found.setdefault(str(given["id"]), (score, str(given["text"])))
        elif isinstance(given, str | int) and not isinstance(given, bool):
            found.setdefault(str(given), (None, None))
        else:
            raise source.wrong(f"statement {given!r} is no id", turn=turn)
    return found


def _turn_2024(turn: RunTurn) -> dict[str, Any]:
    used = set(turn.used)
    passages = [
        {"id": id_, "score": score, "used": id_ in used} for id_, score in turn.passages.items()
    ]
    statements = [int(id_) if _whole(id_) else id_ for id_ in turn.statements]
    return _response(turn, passages, statements)


def _turn_2023(turn: RunTurn) -> dict[str, Any]:
    used = set(turn.used)
    for kind, ids, texts in (
        ("passage", turn.passages, turn.passage_texts),
        ("statement", turn.statements, turn.statement_texts),
    ):
        if absent := [id_ for id_ in ids if id_ not in texts]:
            raise UsageError(
                f"turn {turn.turn_id}: no text of {kind} {absent[0]}",
                remedy="runs of 2023 hold the texts of passages and statements; write 2024 or 2025",
            )
    passages = [
        {"id": id_, "text": turn.passage_texts[id_], "score": score, "used": id_ in used}
        for id_, score in turn.passages.items()
    ]
    statements = [
        {
            "id": id_,
            "text": turn.statement_texts[id_],
            "score": turn.statement_scores.get(id_, 1 / position),
        }
        for position, id_ in enumerate(turn.statements, start=1)
    ]
    return _response(turn, passages, statements)


def _response(
    turn: RunTurn, passages: list[dict[str, Any]], statements: list[Any]
) -> dict[str, Any]:
    response = {
        "rank": 1,
        "text": turn.response,
        "passage_provenance": passages,
        "ptkb_provenance": statements,
    }
    return {"turn_id": turn.turn_id, "responses": [response]}


def _whole(id_: str) -> bool:
    return id_.isascii() and id_.isdigit() and len(id_) < 10 and str(int(id_)) == id_


def _responses(value: Any) -> list[Object]:
    turns = value.get("turns") if isinstance(value, Object) else None
    entries = [entry for entry in turns or [] if isinstance(entry, Object)]
    lists = [_list(entry, "responses") for entry in entries]
    return [response for found in lists for response in found if isinstance(response, Object)]


def _list(entry: Object, key: str) -> list[Any]:
    found = entry.get(key)
    return found if isinstance(found, list) else []


def _complete(source: Source, entry: Object, keys: tuple[str, ...], turn: str | None) -> None:
    if absent := [key for key in keys if key not in entry]:
        raise source.wrong(f"no {', '.join(absent)}", turn=turn, line=None if turn else 1)
