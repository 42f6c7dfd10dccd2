"""Runs of 2025: JSON lines, one turn a line.

{metadata: {team_id, run_id, run_type}, turn_id, references: {passage: score},
 responses: [{rank, text, citations: {passage: score}, ptkb_provenance: [text]}]}
"""

from __future__ import annotations

import json
from typing import Any

from assistant.errors import UsageError
from eval.ikat.rankings import scores_of
from eval.ikat.runs import IkatRun, RunTurn
from eval.ikat.source import Object, Source, finite


def parse(source: Source) -> IkatRun:
    """The run in a file; its name and kind are those of the first line.

    Raises:
        UsageError: see `runs.read_run`.
    """
    turns: dict[str, RunTurn] = {}
    metadata: Object = Object()
    for line, entry in source.lines():
        if not isinstance(entry, Object) or not isinstance(entry.get("turn_id"), str):
            raise source.wrong("a turn without a turn_id (a text)", line=line)
        turn = _turn(source, line, entry)
        if turn.turn_id in turns:
            raise source.wrong("the turn stands there twice", line=line, turn=turn.turn_id)
        turns[turn.turn_id] = turn
        metadata = metadata or entry["metadata"]
    name, kind, team = (str(metadata[key]) for key in ("run_id", "run_type", "team_id"))
    return IkatRun(name, kind, 2025, turns, team)


def build(run: IkatRun) -> str:
    """The lines of a run.

    Raises:
        UsageError: see `runs.write_run`.
    """
    metadata = {"team_id": run.team, "run_id": run.name, "run_type": run.kind}
    rows = []
    for turn in run.turns.values():
        response = {
            "rank": 1,
            "text": turn.response,
            "citations": {id_: turn.passages[id_] for id_ in turn.used},
            "ptkb_provenance": list(turn.statements),
        }
        row = {
            "metadata": metadata,
            "turn_id": turn.turn_id,
            "responses": [response],
            "references": turn.passages,
        }
        try:
            rows.append(json.dumps(row, allow_nan=False) + "\n")
        except ValueError as error:
            raise UsageError(f"turn {turn.turn_id} has a score that is no finite number") from error
    return "".join(rows)


def _turn(source: Source, line: int, entry: Object) -> RunTurn:
    turn = str(entry["turn_id"])
    _complete(source, line, entry, ("metadata", "references", "responses"), turn)
    if not isinstance(entry["metadata"], Object):
        raise source.wrong("metadata is no object", line=line, turn=turn)
    _complete(source, line, entry["metadata"], ("team_id", "run_id", "run_type"), turn)
    passages = scores_of(source, turn, entry["references"], line=line)
    responses = entry["responses"]
    if not isinstance(responses, list) or not responses:
        raise source.wrong("no responses", line=line, turn=turn)
    for response in responses:
        if not isinstance(response, Object):
            raise source.wrong("a response is no object", line=line, turn=turn)
        _complete(source, line, response, ("rank", "text", "citations", "ptkb_provenance"), turn)
        if finite(response["rank"]) is None:
            raise source.wrong(f"rank {response['rank']!r} is no number", line=line, turn=turn)
        if not isinstance(response["text"], str):
            raise source.wrong("the response's text is no text", line=line, turn=turn)
    first = min(responses, key=lambda response: float(response["rank"]))
    statements = first["ptkb_provenance"]
    if not isinstance(statements, list) or not all(isinstance(text, str) for text in statements):
        raise source.wrong("ptkb_provenance is no list of texts", line=line, turn=turn)
    return RunTurn(
        turn_id=turn,
        passages=passages,
        response=first["text"],
        used=tuple(scores_of(source, turn, first["citations"], line=line)),
        statements=tuple(dict.fromkeys(statements)),
    )


def _complete(
    source: Source, line: int, entry: dict[str, Any], keys: tuple[str, ...], turn: str
) -> None:
    if absent := [key for key in keys if key not in entry]:
        raise source.wrong(f"no {', '.join(absent)}", line=line, turn=turn)
