"""Runs of TREC iKAT: files chosen, scored, compared turn by turn, checked by the rules."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.notices import show_error
from app.components.text import plain
from app.components.words import counted
from assistant.errors import UsageError
from eval.ikat.comparing import ScoredRuns, TurnDifference, score_files, turn_differences
from eval.ikat.findings import ERROR, Violation
from eval.ikat.scoring import MEASURES, RELEVANT_FROM, TEST_MEASURE
from eval.ikat.topics import Topic, load_topics, year_of
from eval.ikat.validation import validate

_SHOWN = 500  # violations of a run


@dataclass(frozen=True, slots=True)
class File:
    """A chosen file: its name and content."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be scored and how."""

    runs: tuple[File, ...]
    qrels: File
    topics: File | None
    relevant_from: int
    missing: str
    measure: str


@dataclass(frozen=True, slots=True)
class Scored:
    """What came out; `violations` by run, where topics were given."""

    runs: ScoredRuns
    topics: tuple[Topic, ...]
    violations: dict[str, list[Violation]]


def choose_files() -> Chosen | None:
    """Draw the fields; None while something is missing."""
    runs = st.file_uploader(
        "Runs (the others are compared with the first)",
        accept_multiple_files=True,
        key="ikat-runs",
        help="A run of 2023, 2024 or 2025, a TREC run file, or {turn: {passage: score}}.",
    )
    left, right = st.columns(2)
    with left:
        qrels = _one_file("Judgements", " (qrels)", "ikat-qrels")
    with right:
        topics = _one_file("Topics", ", to check the runs (optional)", "ikat-topics")
    grade, absent, measure = st.columns(3)
    relevant_from = grade.number_input(
        "Relevant from grade", 1, 4, RELEVANT_FROM, key="ikat-grade", help="For P, R, AP and RR."
    )
    missing = absent.selectbox(
        "Judged turns that a run lacks",
        ["zero", "skip"],
        format_func=lambda way: {"zero": "count 0", "skip": "are left out"}[way],
        key="ikat-missing",
    )
    compared = measure.selectbox(
        "Compared by", MEASURES, index=MEASURES.index(TEST_MEASURE), key="ikat-measure"
    )
    if not runs or qrels is None:
        return None
    files = tuple(File(upload.name, upload.getvalue()) for upload in runs)
    return Chosen(files, qrels, topics, int(relevant_from), missing, compared)


@st.cache_data(show_spinner="Scoring…", max_entries=4)
def scored(_chosen: Chosen, key: tuple[Any, ...]) -> Scored:
    """Score what was chosen; kept by `key`, which says what it is.

    Raises:
        UsageError: a file that is not what it should be; names file, line and turn.
    """
    with tempfile.TemporaryDirectory(prefix="assistant-ikat-") as folder:
        root = Path(folder)
        runs = [
            (f"{number}. {file.name}", _written(root / str(number), file))
            for number, file in enumerate(_chosen.runs, start=1)
        ]
        qrels = _written(root / "qrels", _chosen.qrels)
        try:
            found = score_files(
                runs,
                qrels,
                relevant_from=_chosen.relevant_from,
                missing=_chosen.missing,
                measure=_chosen.measure,
            )
            topics: tuple[Topic, ...] = ()
            violations: dict[str, list[Violation]] = {}
            if _chosen.topics is not None:
                path = _written(root / "topics", _chosen.topics)
                topics, year = tuple(load_topics(path)), year_of(path)
                for (_, run), report in zip(runs, found.reports, strict=True):
                    violations[report.run] = validate(run, topics, year)
        except UsageError as error:  # the person knows the file by its name alone
            message = str(error.message)
            for name in (*map(str, range(1, len(runs) + 1)), "qrels", "topics"):
                message = message.replace(f"{root / name}/", "")
            raise UsageError(message, remedy=error.remedy) from error
    return Scored(found, topics, violations)


def key_of(chosen: Chosen) -> tuple[Any, ...]:
    """What tells one choice from another."""
    files = [*chosen.runs, chosen.qrels, chosen.topics]
    held = tuple((file.name, file.data) if file else None for file in files)
    return (*held, chosen.relevant_from, chosen.missing, chosen.measure)


def measure_rows(found: ScoredRuns) -> list[dict[str, Any]]:
    """One row a run."""
    return [
        {"run": report.run, **{name: round(value, 4) for name, value in report.measures.items()}}
        for report in found.reports
    ]


def comparison_rows(found: ScoredRuns, measure: str) -> list[dict[str, Any]]:
    """The mean of a measure with its interval, and each run's test against the first."""
    rows = []
    for report, other in zip(found.reports, [None, *found.comparisons], strict=True):
        low, high = report.interval(measure)
        row = {
            "run": report.run,
            measure: f"{report.measures[measure]:.4f}",
            "95 % interval": f"{low:.4f} to {high:.4f}",
        }
        if len(found.reports) > 1:
            row["difference"] = f"{other.difference:+.4f}" if other else ""
            row["p"] = f"{other.p:.4f}" if other else ""
            row["p (Holm)"] = f"{other.p_holm:.4f}" if other else ""
        rows.append(row)
    return rows


def turn_rows(found: Sequence[TurnDifference], first: str, other: str) -> list[dict[str, Any]]:
    """One row a turn."""
    said = any(turn.utterance for turn in found)
    return [
        {
            "turn": turn.turn,
            **({"asked": turn.utterance} if said else {}),
            first: round(turn.first, 4),
            other: round(turn.other, 4),
            "difference": round(turn.difference, 4),
        }
        for turn in found
    ]


def show_scored(found: Scored, measure: str) -> None:
    """Measures, differences turn by turn, broken rules."""
    reports = found.runs.reports
    st.dataframe(measure_rows(found.runs), hide_index=True, width="stretch")
    st.dataframe(comparison_rows(found.runs, measure), hide_index=True, width="stretch")
    for report in reports:
        st.caption(
            plain(
                f"{report.run}: {counted(report.in_run, 'turn')}, {report.unjudged} not judged; "
                f"{report.absent} of {found.runs.judged} judged turns missing; mean over "
                f"{len(report.by_turn)}."
            )
        )
    if len(reports) > 1:
        st.caption("p: paired randomisation test, two-sided, 10,000 rounds; Holm over the runs.")
        _show_turns(found, measure)
    for run, violations in found.violations.items():
        _show_violations(run, violations)


def _show_turns(found: Scored, measure: str) -> None:
    first, *others = found.runs.reports
    st.markdown("**Turn by turn**")
    other = others[0]
    if len(others) > 1:
        names = [report.run for report in others]
        chosen = st.selectbox("Against the first", names, key="ikat-other")
        other = others[names.index(chosen)]
    turns = turn_differences(first, other, measure, found.topics)
    better = sum(turn.difference > 0 for turn in turns)
    worse = sum(turn.difference < 0 for turn in turns)
    same = len(turns) - better - worse
    st.markdown(
        plain(f"{other.run} is better in {better}, worse in {worse}, the same in {same} turns.")
    )
    labels = (first.run, other.run) if first.run != other.run else ("first", "other")
    st.dataframe(turn_rows(turns, *labels), hide_index=True, width="stretch")


def _show_violations(run: str, violations: Sequence[Violation]) -> None:
    errors = sum(violation.level == ERROR for violation in violations)
    if not violations:
        st.markdown(f":green[:material/check:] {plain(run)} keeps the organisers' rules.")
        return
    mark = ":red[:material/error:]" if errors else ":orange[:material/info:]"
    words = "breaks the organisers' rules" if errors else "keeps the rules, with warnings"
    counts = f"{counted(errors, 'error')}, {counted(len(violations) - errors, 'warning')}"
    st.markdown(f"{mark} {plain(f'{run} {words}: {counts}.')}")
    rows = [
        {"level": v.level, "line": v.line, "turn": v.turn, "rule": v.rule, "what": v.message}
        for v in violations[:_SHOWN]
    ]
    st.dataframe(rows, hide_index=True, width="stretch")


def _one_file(label: str, more: str, key: str) -> File | None:
    """A file that is uploaded, or one of this computer by its path; what is wrong is said."""
    upload = st.file_uploader(f"{label}{more}", key=key)
    path = st.text_input(f"{label}: or a path on this computer", key=f"{key}-path").strip()
    if upload is not None:
        return File(upload.name, upload.getvalue())
    if not path:
        return None
    try:
        return File(Path(path).name, Path(path).expanduser().read_bytes())
    except OSError as error:
        show_error(f"{path} cannot be read: {error.strerror}", "check the path")
        return None


def _written(folder: Path, file: File) -> Path:
    folder.mkdir()
    path = folder / (Path(file.name).name or "file")
    path.write_bytes(file.data)
    return path
