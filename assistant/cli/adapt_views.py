"""How `assistant distill adapt` shows plans, reports and what is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assistant.cli.output import console, human_bytes, human_seconds, table

_SETS = {
    "held_out": "held-out questions",
    "kept": "your kept questions",
    "also": "judged queries (decide nothing)",
}


def show_report(report: Mapping[str, Any]) -> None:
    """What an adaptation found and did."""
    out = console()
    questions = report["questions"]
    for side, counts in questions["counts"].items():
        said = ", ".join(f"{count:,} {_origin(origin)}" for origin, count in counts.items())
        out.print(f"{side}: {said or 'none'}", markup=False)
    for note in questions["notes"]:
        out.print(f"note: {note}", markup=False)
    for role, part in report["parts"].items():
        _show_part(role, part)
    spent = ", ".join(f"{stage} {human_seconds(s)}" for stage, s in report["spent"].items())
    out.print(f"took {human_seconds(report['seconds'])} this time; in all: {spent}")
    if any(part["installed"] for part in report["parts"].values()):
        out.print(f"to go back: assistant distill adapt {report['index']} --undo", markup=False)


def _show_part(role: str, part: Mapping[str, Any]) -> None:
    out = console()
    state = "installed" if part["installed"] else "left as it is"
    weight = f" (share {part['weight']:g} of the blend)" if part.get("weight") else ""
    out.print(f"{role}: {state}{weight}; {part['reason']}", markup=False)
    if judgement := part.get("judgement"):
        out.print(_comparisons(judgement))
        for note in judgement["notes"]:
            out.print(f"note: {note}", markup=False)
    if training := part.get("training"):
        out.print(f"run: {training['run']}", markup=False)


def _comparisons(judgement: Mapping[str, Any]) -> Any:
    rows = []
    for key, words in _SETS.items():
        if (found := judgement.get(key)) is None:
            continue
        for name, before in found["before"].items():
            p = f"{found['p']:.4f}" if name == "nDCG@10" else ""
            rows.append((words, found["questions"], name, before, found["after"][name], p))
    return table("", ("on", "questions", "measure", "before", "after", "p"), rows)


def show_status(found: Sequence[Mapping[str, Any]]) -> None:
    """What is adapted to which index."""
    out = console()
    if not found:
        out.print("nothing is adapted to any index: assistant distill adapt INDEX")
    for one in found:
        name = one["index"]
        if not one["installed"]:
            out.print(f"nothing is adapted to '{name}'", markup=False)
        for role, part in one["installed"].items():
            out.print(
                f"{name}: {role} {part['folder']}, {human_bytes(part['bytes'])}, since "
                f"{part['installed']}",
                markup=False,
            )
            if judgement := part["report"].get("judgement"):
                out.print(_comparisons(judgement))
        for problem in one["problems"]:
            out.print(f"{problem['message']}; {problem['remedy']}", markup=False)
        if one["under_way"]:
            out.print(f"{name}: unfinished work; the same command goes on with it", markup=False)


def show_plan(found: Mapping[str, Any]) -> None:
    """What an adaptation would do."""
    out = console()
    rows = [
        ("index", f"{found['index']}, {found['passages']:,} passages"),
        ("questions", f"{found['stored_questions']:,} of a language model are there"),
        ("teacher", found["teacher"] or _without_teacher(found)),
    ]
    for side, counts in found["questions"]["counts"].items():
        said = ", ".join(f"{count:,} {_origin(origin)}" for origin, count in counts.items())
        rows.append((side, said or "none yet"))
    rows.append(("kept questions", f"{found['kept_questions']:,} of yours name a place in it"))
    for stage, seconds in found["seconds"].items():
        rows.append((stage, human_seconds(seconds)))
    for role, part in found["parts"].items():
        memory = human_bytes(part["memory_bytes"])
        rows.append(
            (
                f"train {role}",
                f"{part['steps']:,} steps at {part['seconds_a_step']:.2f} s, memory about {memory}",
            )
        )
    rows.append(
        ("disk", f"about {human_bytes(found['disk_bytes'])}, half of it for the work alone")
    )
    rows.append(("goes on", "with unfinished work" if found["goes_on"] else "no: begins anew"))
    out.print(table("", ("", ""), rows))
    if found["unjudged"]:
        out.print(f"nothing would be trained: {found['unjudged']}", markup=False)


def _without_teacher(found: Mapping[str, Any]) -> str:
    if found["stored_questions"] >= found["questions_of_use"]:
        return "none is needed"
    return "none: words of sentences stand for missing questions"


def _origin(name: str) -> str:
    return "by a language model" if name == "model" else "made of sentences"
