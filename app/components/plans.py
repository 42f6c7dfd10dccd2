"""What a change of an index would do, shown before it is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app.components.progress import duration, size_text
from app.components.text import plain
from app.components.words import counted

_MOST = 500  # listed of each kind


def plan_words(plan: Mapping[str, Any]) -> str:
    """`2 new, 1 changed, 1 gone, 30 unchanged.`; not escaped."""
    kinds = ("added", "new"), ("changed", "changed"), ("removed", "gone"), ("moved", "moved")
    parts = [f"{len(plan[key]):,} {word}" for key, word in kinds if plan[key]]
    parts.append(f"{plan['unchanged']:,} unchanged")
    if plan["failures"]:
        parts.append(f"{len(plan['failures']):,} that cannot be read")
    if plan["left_out"]:
        parts.append(f"{len(plan['left_out']):,} left out because you took them out")
    return f"{', '.join(parts)}."


def cost_words(cost: Mapping[str, Any], free: int) -> str:
    """What it takes: documents to read, passages to encode, time, disk; not escaped."""
    if not cost["documents"]:
        return "Nothing has to be read."
    about = "about " if cost["read"] < cost["documents"] else ""
    parts = [
        f"{counted(cost['documents'], 'document')} to read, {about}"
        f"{counted(cost['passages'], 'passage')}, {cost['to_encode']:,} of them to encode"
    ]
    if cost["seconds"] is None:
        parts.append("No estimate of the time: the encoders are not installed")
    elif cost["to_encode"]:
        parts.append(f"About {duration(cost['seconds'])} of encoding")
    parts.append(f"About {size_text(cost['bytes'])} more on the disk; {size_text(free)} are free")
    return f"{'. '.join(parts)}."


def show_plan(
    key: str,
    plan: Mapping[str, Any],
    free: int,
    start: Callable[[], None],
    put_away: Callable[[], None],
) -> None:
    """The plan in words, its documents below, and the choice."""
    changes = any(plan[kind] for kind in ("added", "changed", "removed", "moved"))
    cost = plan["cost"]
    with st.container(border=True):
        st.markdown(f"**What it would do to {plain(str(plan['index']))}**")
        st.markdown(plain(plan_words(plan)))
        st.caption(plain(cost_words(cost, free)))
        if cost["bytes"] > free:
            st.warning("There is not enough space on the disk.", icon=":material/warning:")
        if changes or plan["failures"]:
            with st.expander("Which documents"):
                st.dataframe(_rows(plan), hide_index=True, width="stretch")
        with st.container(horizontal=True):
            if changes or plan["failures"]:
                st.button("Start", type="primary", key=f"start-{key}", on_click=start)
            st.button("Put away", key=f"put-away-{key}", on_click=put_away)


def _rows(plan: Mapping[str, Any]) -> list[dict[str, str]]:
    words = {"added": "new", "changed": "changed", "removed": "gone"}
    rows = [
        {"what": word, "document": str(uri), "why": ""}
        for kind, word in words.items()
        for uri in plan[kind][:_MOST]
    ]
    rows += [
        {"what": "moved", "document": move["uri"], "why": f"was {move['origin']}"}
        for move in plan["moved"][:_MOST]
    ]
    return rows + [
        {"what": "cannot be read", "document": f["uri"], "why": f"{f['reason']} ({f['remedy']})"}
        for f in plan["failures"][:_MOST]
    ]
