"""Whether an index is sound, what mended it, and what it takes on the disk and in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from app.components.notices import sentence
from app.components.progress import duration, size_text
from app.components.text import plain
from app.components.words import counted
from indexes.usage import Part


def show_parts(parts: Sequence[Part]) -> None:
    """What the structures take; nothing is drawn where there are none (an index on a server)."""
    if not parts:
        st.caption("The index lies on a server; here is only its address.")
        return
    disk, memory = sum(part.disk for part in parts), sum(part.memory for part in parts)
    st.dataframe(
        [
            {
                "what": part.what,
                "on disk": size_text(part.disk),
                "in memory": size_text(part.memory) if part.memory else "–",
            }
            for part in parts
        ],
        hide_index=True,
        width="stretch",
    )
    st.caption(
        f"Together {size_text(disk)} on the disk; {size_text(memory)} are read into memory when "
        "the index is opened. The rest is read from the disk as it is needed."
    )


def anew_words(documents: int, passages: int, seconds: float | None, disk: int) -> str:
    """What building an index anew takes; not escaped.

    Args:
        seconds: of encoding; None where that is not known.
        disk: bytes of the index as it is, beside which the new one is made.
    """
    takes = "no estimate of time"
    if seconds is not None:
        takes = f"about {duration(seconds)} of encoding"
    return (
        f"{counted(documents, 'document')} with {counted(passages, 'passage')} are read and "
        f"encoded again: {takes}, about {size_text(disk)} more on the disk meanwhile. The old "
        "index answers until the new one is ready."
    )


def show_check(result: Mapping[str, Any], started: float) -> bool:
    """What the last check found; returns whether something is wrong."""
    findings = result["findings"]
    wrong = [finding for finding in findings if not finding["ok"]]
    when = _when(started)
    if not wrong:
        st.markdown(f":green[:material/check_circle:] Sound: {len(findings)} checks passed, {when}")
    else:
        what = counted(len(wrong), "check")
        st.markdown(f":red[:material/error:] **{what} of {len(findings)} failed**, {when}")
        _list(wrong)
    with st.expander("All checks"):
        _list(findings)
    return bool(wrong)


def show_repair(result: Mapping[str, Any], started: float) -> None:
    """What a repair did, and what it could not bring back."""
    mark, word = (
        (":green[:material/check_circle:]", "Mended")
        if result["ok"]
        else (
            ":red[:material/error:]",
            "Not all could be mended",
        )
    )
    nothing = "" if result["done"] or not result["ok"] else ": nothing was wrong"
    st.markdown(f"{mark} {word}{nothing}, {_when(started)}")
    for done in result["done"]:
        st.markdown(f"- {plain(sentence(str(done)))}")
    for lost in result["lost"]:
        st.markdown(f"- :orange[:material/warning:] Lost: {plain(str(lost))}")
    _list([finding for finding in result["after"] if not finding["ok"]])


def _list(findings: Sequence[Mapping[str, Any]]) -> None:
    for finding in findings:
        mark = ":green[ok]" if finding["ok"] else ":red[wrong]"
        remedy = f"  \nWhat to do: {plain(str(finding['remedy']))}" if finding["remedy"] else ""
        st.markdown(
            f"{mark} **{plain(str(finding['check']))}** – "
            f"{plain(sentence(str(finding['message'])))}{remedy}"
        )


def _when(started: float) -> str:
    return datetime.fromtimestamp(started).strftime("%Y-%m-%d %H:%M")
