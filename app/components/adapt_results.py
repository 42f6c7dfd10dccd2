"""What adapting an index would take, and what came of it, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.adapt_choice import PARTS
from app.components.notices import sentence
from app.components.progress import duration, size_text
from app.components.text import plain
from app.components.times import moment
from app.components.words import counted
from assistant.adapting.judging import DECIDING, SIGNIFICANT

_SETS = {
    "held_out": "questions held back",
    "kept": "your own questions",
    "also": "judged questions (decide nothing)",
}
_MEASURES = {
    DECIDING: "right passage near the top (decides)",
    "RR@10": "place of the first right passage",
    "R@5": "right passages among the first five",
}
_STAGES = {
    "teacher, at most": "up to {} of writing questions",
    "training the embedder, at most": "up to {} of learning for the search by meaning",
    "training the reranker, at most": "up to {} of learning for the order of what is found",
    "encoding all passages to measure the embedder": "{} of reading all passages anew, to measure",
}


def cost_lines(found: Mapping[str, Any], free: int) -> list[str]:
    """What a dry run said; not escaped.

    Args:
        free: bytes on the disk.
    """
    written, made = _counted_questions(found["questions"]["counts"])
    there = f"{counted(written + made, 'question')} there by now"
    if written + made:
        there += f": {written:,} by a language model, {made:,} made of sentences"
    teacher = found["teacher"]
    writes = f"{teacher} writes more" if teacher else "no language model writes more"
    kept = counted(found["kept_questions"], "question")
    lines = [
        f"{counted(found['passages'], 'passage')}; {there}; {writes}.",
        f"Your own kept questions that cite a place in this index: {kept}.",
    ]
    times = [_STAGES[stage].format(duration(t)) for stage, t in found["seconds"].items()]
    lines.append(f"Time: {', '.join(times)}. Measuring comes on top.")
    memory = max((part["memory_bytes"] for part in found["parts"].values()), default=0)
    lines.append(
        f"About {size_text(memory)} of memory for learning, about "
        f"{size_text(found['disk_bytes'])} on the disk, half of it only while it works; "
        f"{size_text(free)} are free."
    )
    if found["goes_on"]:
        lines.append("It goes on with the work that was begun.")
    return lines


def verdict(part: Mapping[str, Any]) -> str:
    """Why a part was put in use or not; not escaped."""
    judged = part.get("judgement")
    if judged is None:
        return sentence(str(part["reason"]))
    held_out, kept = judged["held_out"], judged["kept"]
    if judged["better"]:
        return "Measurably better on the questions held back, so it was put in use."
    if held_out["after"][DECIDING] <= held_out["before"][DECIDING]:
        return "Not better on the questions held back, so nothing was changed."
    if held_out["p"] >= SIGNIFICANT:
        return "Better by so little that it may be chance, so nothing was changed."
    if kept is not None and kept["after"][DECIDING] < kept["before"][DECIDING]:
        return "Better on the questions held back, but worse on your own, so nothing was changed."
    return sentence(str(part["reason"]))


def comparison_rows(judgement: Mapping[str, Any]) -> list[dict[str, str]]:
    """The table of before and after."""
    return [
        {
            "asked": f"{words} ({found['questions']:,})",
            "measure": _MEASURES.get(name, name),
            "before": f"{before:.3f}",
            "after": f"{found['after'][name]:.3f}",
            "p": f"{found['p']:.3f}" if name == DECIDING else "",
        }
        for key, words in _SETS.items()
        if (found := judgement.get(key)) is not None
        for name, before in found["before"].items()
    ]


def show_comparison(judgement: Mapping[str, Any]) -> None:
    """Before and after, with what the figures mean."""
    st.table(comparison_rows(judgement), border="horizontal", hide_index=True)
    st.caption(
        "1 is best: every right passage at the very top. p says how likely such a difference "
        f"would be by chance alone; only below {f'{SIGNIFICANT:g}'.lstrip('0')} it counts."
    )
    for note in judgement.get("notes", ()):
        st.caption(plain(sentence(str(note))))


def show_report(report: Mapping[str, Any], installed: Mapping[str, Any]) -> None:
    """What the last adaptation found.

    Args:
        installed: what is in use now, by part.
    """
    st.markdown(f"**The last time**, {plain(moment(str(report['when'])))}")
    for role, part in report["parts"].items():
        now = installed.get(role)
        state = ":gray-badge[left as it was]"
        if part["installed"]:
            same = now is not None and now["report"].get("judgement") == part.get("judgement")
            state = ":green-badge[in use]" if same else ":orange-badge[not in use any more]"
        st.markdown(f"{plain(sentence(PARTS[role])[:-1])} {state}  \n{plain(verdict(part))}")
        if judged := part.get("judgement"):
            with st.expander(f"Before and after: {PARTS[role]}"):
                show_comparison(judged)
    written, made = _counted_questions(report["questions"]["counts"])
    text = f"With {written:,} questions by a language model and {made:,} made of sentences"
    spent = sum(report["spent"].values())
    st.caption(plain(f"{text}; {duration(spent)} in all."))


def show_in_use(installed: Mapping[str, Any], last: Mapping[str, Any]) -> None:
    """Which parts of the search are adapted to this index.

    Args:
        last: the last report, whose tables are shown elsewhere.
    """
    if not installed:
        st.markdown("Nothing is adapted to this index: it is searched like every other one.")
        return
    for role, part in installed.items():
        since = f"adapted since {moment(part['installed'])}, {size_text(part['bytes'])}"
        st.markdown(f":green[:material/check_circle:] **{sentence(PARTS[role])[:-1]}**: {since}")
        judged = part["report"].get("judgement")
        shown = last.get("parts", {}).get(role, {}).get("judgement")
        if judged and judged != shown:
            with st.expander(f"What was measured then: {PARTS[role]}"):
                show_comparison(judged)


def _counted_questions(counts: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """How many are by a language model, and how many are made of sentences."""
    written = sum(side.get("model", 0) for side in counts.values())
    return written, sum(side.get("cloze", 0) for side in counts.values())
