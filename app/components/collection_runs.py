"""Collections with judgements: which there are, measuring one, what was measured before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.notices import errors_shown
from app.components.progress import size_text
from app.components.text import plain
from app.components.times import moment
from app.components.words import STAGES, counted
from assistant.jobs import Jobs
from eval.found_collections import FoundCollection
from eval.history import COMPARED, Measured, difference

MEASURING = "measure retrieval on "


def collection_rows(found: Sequence[FoundCollection]) -> list[dict[str, Any]]:
    """The table of what there is."""
    return [
        {
            "collection": one.name,
            "corpus": size_text(one.bytes),
            "state": one.why_not or "can be measured",
        }
        for one in found
    ]


def show_measure(jobs: Jobs, found: Sequence[FoundCollection]) -> None:
    """Which collection, and the button; none while one is measured."""
    usable = [one for one in found if not one.why_not]
    running = any(job.title.startswith(MEASURING) and job.state == "running" for job in jobs.list())
    if not usable or running:
        return
    which, go = st.columns([3, 1], vertical_alignment="bottom")
    chosen = which.selectbox(
        "Collection", usable, format_func=lambda one: one.name, key="collection-chosen"
    )
    if go.button("Measure", type="primary", icon=":material/play_arrow:", width="stretch"):
        with errors_shown():
            command = ["eval", "retrieval", str(chosen.folder), "--stages", "--keep"]
            jobs.start(f"{MEASURING}{chosen.name}", command)
            st.rerun()
    st.caption(
        "Every judged query is searched with the weights of the settings. At the first time the "
        "corpus is indexed, which can take long; its index stays in the library as “eval-…”."
    )


def measured_rows(kept: Sequence[Measured]) -> list[dict[str, Any]]:
    """The history, latest first; each beside the one before of the same corpus."""
    rows = []
    for position in range(len(kept) - 1, -1, -1):
        one = kept[position]
        earlier = _before(kept, position)
        row: dict[str, Any] = {"when": moment(one.at), "collection": one.collection}
        row.update(one.measures)
        found = difference(one, earlier) if earlier else None
        row["change"] = "" if found is None else f"{found.mean:+.4f}"
        row["p"] = "" if found is None else f"{found.p:.4f}"
        row["set otherwise"] = _changed(one, earlier) if earlier else ""
        rows.append(row)
    return rows


def stage_rows(one: Measured) -> list[dict[str, Any]]:
    """The measures of the fusion and of each stage alone."""
    rows: list[dict[str, Any]] = [{"searched by": "all together", **one.measures}]
    rows += [
        {"searched by": f"{STAGES.get(stage, stage)} alone", **values}
        for stage, values in one.stages.items()
    ]
    return rows


def show_measured(kept: Sequence[Measured]) -> None:
    """The latest measures by stage, then the history with a curve."""
    latest = kept[-1]
    st.markdown(
        f"**{plain(latest.collection)}**, {moment(latest.at)}: "
        f"{counted(latest.queries, 'query', 'queries')}, "
        f"{counted(latest.passages, 'passage')}, "
        f"{1000 * latest.seconds / max(latest.queries, 1):.0f} ms a query"
    )
    st.dataframe(stage_rows(latest), hide_index=True, width="stretch")
    st.markdown("**History**")
    st.dataframe(measured_rows(kept), hide_index=True, width="stretch")
    st.caption(
        f"Change: of {COMPARED} against the measurement before on the same corpus; p: paired "
        "randomisation test over the queries. Passages count as relevant from grade 1."
    )
    of_latest = [one for one in kept if one.corpus == latest.corpus]
    if len(of_latest) > 1:
        points = [
            {"measurement": n, COMPARED: one.measures.get(COMPARED, 0.0)}
            for n, one in enumerate(of_latest, start=1)
        ]
        st.line_chart(
            points,
            x="measurement",
            y=COMPARED,
            height=200,
            alt=f"{COMPARED} on {latest.collection} over {len(points)} measurements",
        )


def folder_of(typed: str) -> Path:
    """The folder that was typed."""
    return Path(typed.strip()).expanduser()


def _before(kept: Sequence[Measured], position: int) -> Measured | None:
    same = [one for one in kept[:position] if one.corpus == kept[position].corpus]
    return same[-1] if same else None


def _changed(now: Measured, before: Measured) -> str:
    return "; ".join(
        f"{name} {before.setup.get(name, '–')} → {value}"
        for name, value in now.setup.items()
        if before.setup.get(name) != value
    )
