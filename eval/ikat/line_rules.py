"""The organisers' rules for runs of 2025 (JSON lines, one turn a line)."""

from __future__ import annotations

import unicodedata

from eval.ikat.findings import WARNING, Findings
from eval.ikat.source import NotJsonError, Object

KINDS = ("automatic", "manual", "generation-only")
METADATA = ("team_id", "run_id", "run_type")
REFERENCE_LIMIT = 1000
WORD_LIMIT = 250  # of all responses of a turn together


def check(findings: Findings) -> None:
    """Check a file; what is wrong goes to `findings`."""
    rows: list[tuple[int, Object]] = []
    for line, text in findings.source.rows():
        try:
            entry = findings.source.parse(text, first_line=line)
        except NotJsonError as error:
            findings.add("json", error.what.strip(" ,:"), line=line)
            continue
        if isinstance(entry, Object):
            rows.append((line, entry))
        else:
            findings.add("run", "the line is no object", line=line)
    if not rows:  # another kind of file: its first line says so, the others need not repeat it
        del findings.found[1:]
        return
    for line, entry in rows:
        _turn(findings, line, entry)
    if findings.seen:  # else another kind of file: not worth a violation for every turn
        _one_run(findings, rows)
        findings.missing_turns()


def _turn(findings: Findings, line: int, entry: Object) -> None:
    turn = entry.get("turn_id")
    if not isinstance(turn, str):
        findings.add("turn-unknown", "a turn without a turn_id (a text)", line=line)
        return
    known = findings.turn(turn, line)
    metadata = entry.get("metadata")
    if not isinstance(metadata, Object):
        findings.add("metadata", "metadata is no object", line=line, turn=turn)
    elif findings.complete("metadata", metadata, METADATA, line, turn):
        kind = metadata["run_type"]
        if kind not in KINDS:
            what = f"{kind!r} is none of {', '.join(KINDS)}"
            findings.add("run-type", what, line=line, turn=turn)
    references = _scores(findings, entry, "references", line, turn)
    findings.scores(list(references.items()), line, turn)
    if len(references) > REFERENCE_LIMIT:
        what = f"{len(references)} references, at most {REFERENCE_LIMIT} are allowed"
        findings.add("reference-limit", what, line=line, turn=turn)
    words = 0
    for response in findings.responses(entry, line, turn):
        findings.text(response, line, turn, may_be_empty=False)
        words += _words(response.get("text"))
        citations = _scores(findings, response, "citations", line, turn)
        if astray := [passage for passage in citations if passage not in references]:
            what = f"{astray[0]} is cited but not in the references"
            findings.add("citation", what, line=line, turn=turn)
        _statements(findings, response, line, turn, known=known)
    if words > WORD_LIMIT:
        what = f"{words} words, at most {WORD_LIMIT} are allowed"
        findings.add("words", what, line=line, turn=turn)


def _scores(findings: Findings, entry: Object, key: str, line: int, turn: str) -> Object:
    found = entry.get(key)
    if not isinstance(found, Object):
        what = f"{key} is no object of passages and scores"
        findings.add("response" if key == "citations" else "references", what, line=line, turn=turn)
        return Object()
    for passage in found.repeated:
        what = f"{passage} stands twice in {key}"
        findings.add("passage-duplicate", what, line=line, turn=turn)
    return found


def _words(text: object) -> int:
    """Words as the organisers count them: between blanks, after NFKC."""
    return len(unicodedata.normalize("NFKC", text).split()) if isinstance(text, str) else 0


def _statements(findings: Findings, response: Object, line: int, turn: str, *, known: bool) -> None:
    given = response.get("ptkb_provenance")
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        findings.add("response", "ptkb_provenance is no list of texts", line=line, turn=turn)
        return
    if not known:
        return
    texts = {statement.text.strip() for statement in findings.topics[turn].statements}
    for text in given:
        if text.strip() not in texts:
            # Accepted runs of 2025 hold statements that the person made in the conversation.
            what = f"not in the ptkb of the topic: {text[:80]!r}"
            findings.add("statement-unknown", what, line=line, turn=turn, level=WARNING)


def _one_run(findings: Findings, rows: list[tuple[int, Object]]) -> None:
    """Every line has to belong to the same run."""
    first_line, first = rows[0]
    for line, entry in rows[1:]:
        if entry.get("metadata") != first.get("metadata"):
            what = f"metadata differs from that of line {first_line}"
            findings.add("metadata", what, line=line, turn=str(entry.get("turn_id")))
            return
