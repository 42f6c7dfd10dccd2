"""What the health check found, by group, with a button where something can be mended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import streamlit as st

from app.components.notices import sentence
from app.components.text import plain
from app.components.words import counted
from assistant.findings import Finding, Mend

_MARKS = {
    "ok": ":green[:material/check_circle:] ok",
    "note": ":orange[:material/info:] note",
    "error": ":red[:material/error:] error",
}


def summary(findings: Sequence[Finding]) -> str:
    """`14 checks: 1 error, 2 notes.`; not escaped."""
    errors = sum(finding.severity == "error" for finding in findings)
    notes = sum(finding.severity == "note" for finding in findings)
    parts = [counted(errors, "error")] if errors else []
    parts += [counted(notes, "note")] if notes else []
    return f"{counted(len(findings), 'check')}: {', '.join(parts) or 'all is well'}."


def show_findings(
    findings: Sequence[Finding], running: Collection[str], mend: Callable[[Mend], None]
) -> None:
    """Groups in their order: what there is to look at is open, what is well is folded away.

    Args:
        running: titles of the work under way: what mends by it is waited for.
    """
    for group in dict.fromkeys(finding.group for finding in findings):
        own = [finding for finding in findings if finding.group == group]
        troubles = [finding for finding in own if finding.severity != "ok"]
        well = [finding for finding in own if finding.severity == "ok"]
        with st.container(border=True):
            how = "all is well" if not troubles else f"{len(troubles)} of {len(own)} to look at"
            st.markdown(f"**{plain(group)}** – {how}")
            for finding in troubles:
                _finding(finding, running, mend)
            if well:
                with st.expander(f"{counted(len(well), 'check')} passed", type="compact"):
                    for finding in well:
                        _finding(finding, running, mend)


def _finding(finding: Finding, running: Collection[str], mend: Callable[[Mend], None]) -> None:
    st.markdown(
        f"{_MARKS[finding.severity]}: **{plain(finding.check)}** – "
        f"{plain(sentence(finding.message))}"
    )
    if finding.mend is None:
        if finding.remedy:
            st.caption(f"What to do: {plain(finding.remedy)}")
    elif finding.mend.title in running:
        st.caption("It is being mended just now.")
    else:
        st.button(
            plain(finding.mend.label),
            key=f"mend-{finding.check}",
            icon=":material/build:",
            help=plain(f"assistant {' '.join(finding.mend.arguments)}"),
            on_click=mend,
            args=(finding.mend,),
        )
