"""The organisers' rules for runs of 2023 and 2024 (one JSON document)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from eval.ikat.findings import WARNING, Findings, turn_lines
from eval.ikat.source import NotJsonError, Object

KINDS = {2023: ("automatic", "manual"), 2024: ("automatic", "manual", "only_response")}
PASSAGE_LIMIT = 1000  # there have to be fewer


def check(findings: Findings, year: int) -> None:
    """Check a file; what is wrong goes to `findings`."""
    try:
        run = findings.source.document()
    except NotJsonError as error:
        findings.add("json", error.what.strip(" ,:"), line=error.line)
        return
    if not isinstance(run, Object):
        findings.add("run", "no run: expected an object", line=1)
        return
    findings.complete("run", run, ("run_name", "run_type", "turns"), 1, None)
    if "run_name" in run and not run["run_name"]:
        findings.add("run", "run_name is empty", line=1)
    kind = run.get("run_type")
    if "run_type" in run and kind not in KINDS[year]:
        findings.add("run-type", f"{kind!r} is none of {', '.join(KINDS[year])}", line=1)
    turns = run.get("turns")
    if not isinstance(turns, list):  # another kind of file: not worth a violation for every turn
        if "turns" in run:
            findings.add("run", "turns is no list", line=1)
        return
    may_be_empty = kind == "only_response" and kind in KINDS[year]
    lines = turn_lines(findings.source)
    for entry in turns:
        turn = entry.get("turn_id") if isinstance(entry, Object) else None
        if not isinstance(turn, str):
            findings.add("turn-unknown", "a turn without a turn_id (a text)")
            continue
        places = lines.get(turn) or [0]
        line = (places.pop(0) if len(places) > 1 else places[0]) or None
        known = findings.turn(turn, line)
        for response in findings.responses(entry, line, turn):
            findings.text(response, line, turn, may_be_empty=may_be_empty)
            _passages(findings, response, line, turn, year)
            if known:
                _statements(findings, response, line, turn, year)
    findings.missing_turns()


def _passages(findings: Findings, response: Object, line: int | None, turn: str, year: int) -> None:
    given = response.get("passage_provenance")
    if not isinstance(given, list) or not all(isinstance(passage, Object) for passage in given):
        findings.add("response", "passage_provenance is no list of objects", line=line, turn=turn)
        return
    keys = ("id", "text", "score", "used") if year == 2023 else ("id", "score", "used")
    for passage in given:
        if not findings.complete("response", passage, keys, line, turn):
            return
    scored = findings.scores([(str(p["id"]), p["score"]) for p in given], line, turn)
    steps = [(lower - higher, id_) for (_, higher), (id_, lower) in pairwise(scored)]
    # One of each kind a response is enough to know that the list is not in order.
    for id_ in [id_ for step, id_ in steps if step > 0][:1]:
        what = f"the score of {id_} is above that of the passage before it"
        findings.add("passage-order", what, line=line, turn=turn)
    for id_ in [id_ for step, id_ in steps if step == 0][:1]:
        # Scores should decrease strictly, but the organisers' own sample has equal ones.
        what = f"the score of {id_} equals that of the passage before it: scorers may swap them"
        findings.add("passage-tie", what, line=line, turn=turn, level=WARNING)
    if len(given) >= PASSAGE_LIMIT:
        what = f"{len(given)} passages, fewer than {PASSAGE_LIMIT} are allowed"
        findings.add("passage-limit", what, line=line, turn=turn)
    if not any(passage["used"] is True for passage in given):
        findings.add("passage-used", "no passage is marked as used", line=line, turn=turn)


def _statements(
    findings: Findings, response: Object, line: int | None, turn: str, year: int
) -> None:
    given = response.get("ptkb_provenance")
    if not isinstance(given, list):
        findings.add("response", "ptkb_provenance is no list", line=line, turn=turn)
        return
    if year == 2024 and not given:
        findings.add("statement-missing", "no statement of the person", line=line, turn=turn)
    texts = {statement.id: statement.text for statement in findings.topics[turn].statements}
    for statement in given:
        if year == 2023 and not isinstance(statement, Object):
            what = f"statement {statement!r} is no object of id, text, score"
            findings.add("response", what, line=line, turn=turn)
            continue
        id_ = _id(statement)
        if id_ not in texts:
            what = f"statement {id_} is not in the ptkb of topic {findings.topics[turn].number}"
            findings.add("statement-unknown", what, line=line, turn=turn)
        elif year == 2023 and statement.get("text") != texts[id_]:
            what = f"statement {id_} has another text than in the topics"
            findings.add("statement-text", what, line=line, turn=turn)


def _id(statement: Any) -> str:
    return str(statement.get("id") if isinstance(statement, Object) else statement)
