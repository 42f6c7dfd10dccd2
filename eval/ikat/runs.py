"""Runs of the track in one form for all years, read from and written to each year's files.

`read_run` tells the form of a file from what is in it:

2023, 2024   one JSON document (`documents.py`)
2025         JSON lines, one turn a line (`lines.py`)
any year     {turn: {passage: score}} as JSON, or a TREC run file of six columns (`rankings.py`)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import UsageError
from eval.ikat import YEARS
from eval.ikat.source import Source
from indexes.files import storage_errors, write_atomically


@dataclass(frozen=True, slots=True)
class RunTurn:
    """What a run holds for one turn.

    `passages` are in the order of the file, which may differ from the order of the scores.
    `used` are the passages that the response cites. `statements` are ids of the person's statements
    (2023, 2024) or their texts (2025), in order; their scores and the texts of passages and
    statements are there where the year's form has them (2023).
    """

    turn_id: str
    passages: dict[str, float]
    response: str = ""
    used: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    statement_scores: dict[str, float] = field(default_factory=dict)
    passage_texts: dict[str, str] = field(default_factory=dict)
    statement_texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IkatRun:
    """A run: `kind` is the year's run_type (automatic, manual, …), `year` None where unknown.

    `ranking_only` is true where the file's form has neither responses nor statements.
    """

    name: str
    kind: str
    year: int | None
    turns: dict[str, RunTurn]
    team: str = ""
    ranking_only: bool = False

    def statements(self) -> dict[str, tuple[str, ...]]:
        """The chosen statements by turn."""
        return {id_: turn.statements for id_, turn in self.turns.items()}


def read_run(path: Path, year: int | None = None) -> IkatRun:
    """Read a run of any year; `year` says which one it has to be.

    Where a turn has several responses, the text, the citations and the statements are those of
    the first rank, and the ranking holds the passages of all, each with its best score.

    Raises:
        UsageError: not a run, one of another year, or a broken one: not JSON, a missing key, a
            repeated turn or passage, a score that is no finite number; names file, line and turn.
    """
    from eval.ikat import documents, lines, rankings  # they make the classes above

    _known(year)
    source = Source.read(path)
    form = form_of(source)
    if form == "trec":
        return rankings.parse_trec(source, year)
    if form == "lines":
        _same(path, 2025, year)
        return lines.parse(source)
    value = source.document()
    if form == "ranking":
        return rankings.parse_json(source, value, year)
    found = documents.year_of(value)
    _same(path, found, year)
    return documents.parse(source, value, found or year or 2024)


def write_run(run: IkatRun, path: Path, year: int) -> None:
    """Write a run in a year's form, in one step: the file is the old one or the whole new one.

    What the year's form cannot hold is left out: statements' scores and all texts but the
    response in 2024 and 2025. 2023 asks for the texts of passages and statements; scores of
    statements that are absent become 1/position, as in the organisers' sample.

    Raises:
        UsageError: an unknown year, no such folder, a text that the form asks for is absent, a
            cited passage that is not in the ranking, or a score that is no finite number; names
            the turn.
        StorageError: the disk is full or not writable.
    """
    from eval.ikat import documents, lines

    _known(year)
    for turn in run.turns.values():
        if astray := [passage for passage in turn.used if passage not in turn.passages]:
            raise UsageError(f"turn {turn.turn_id} cites {astray[0]}, which it does not rank")
    text = lines.build(run) if year == 2025 else documents.build(run, year)
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: no such folder", remedy="make it first")
    with storage_errors(path):
        write_atomically(path, text.encode("utf-8"))


def form_of(source: Source) -> str:
    """How the file is laid out: "document" (2023, 2024), "lines" (2025), "ranking" or "trec".

    A file that is meant as JSON and is broken counts as the form that its beginning has.

    Raises:
        UsageError: it is empty.
    """
    rows = source.rows()
    first, second = next(rows, (0, ""))[1].strip(), next(rows, (0, ""))[1].strip()
    if not first:
        raise UsageError(f"{source.path} is empty")
    if first[0] not in "{[":
        return "trec"
    if source.path.suffix == ".jsonl" or _is_line(first):
        return "lines"
    if second.startswith("{") and first.endswith("}"):
        return "lines"
    head = source.text[:2000]
    return "document" if '"turns"' in head or '"run_name"' in head else "ranking"


def _is_line(first: str) -> bool:
    """Whether a first line begins as 2025's do: a turn, not a whole run."""
    return first.startswith(('{"metadata"', '{"turn_id"', '{"references"', '{"responses"'))


def _known(year: int | None) -> None:
    if year is not None and year not in YEARS:
        raise UsageError(f"no runs of year {year}", remedy=f"years: {', '.join(map(str, YEARS))}")


def _same(path: Path, found: int | None, wanted: int | None) -> None:
    if wanted is not None and found is not None and found != wanted:
        raise UsageError(
            f"{path} is a run in the form of {found}, not of {wanted}",
            remedy=f"leave --year out, or give --year {found}",
        )
