"""The retrieval playground: one query, every stage's list, weights tried out at once."""

from __future__ import annotations

import streamlit as st

from app.components.context import Opened, opened
from app.components.kept_lists import KeptLists
from app.components.notices import errors_shown
from app.components.ranked import show_fate, show_missing
from app.components.ranked_lists import opening, show_lists
from app.components.text import plain
from app.components.weighing import Weighing, show_weighing
from app.components.words import SEARCHES
from indexes.explaining.explain import explain_lists
from indexes.explaining.why_not import fate
from indexes.index import Index
from indexes.manifest import STAGES
from indexes.queries import MAX_QUERY_CHARACTERS

_NO_OTHER = "–"


def _choose(home: Opened) -> list[str]:
    """The index to search, and a second one to compare with where one was chosen."""
    names = sorted(manifest.name for manifest in home.workspace.indexes())
    if not names:
        return []
    default = home.workspace.settings.retrieval.index
    first, second = st.columns(2)
    name = first.selectbox(
        "Index",
        names,
        index=names.index(default) if default in names else 0,
        format_func=plain,
        key="retrieval-index",
    )
    others = [other for other in names if other != name]
    if not others:
        return [name]
    other = second.selectbox(
        "Compare with", [_NO_OTHER, *others], format_func=plain, key="retrieval-other"
    )
    return [name] if other == _NO_OTHER else [name, other]


def _show_why_not(kept: KeptLists, indexes: list[Index], query: str, weighing: Weighing) -> None:
    wanted = st.text_area(
        "The passage that you miss",
        placeholder="Paste text of it, or the name or path of its document",
        max_chars=MAX_QUERY_CHARACTERS,
        key="retrieval-wanted",
    )
    st.button("Find out", type="primary", key="find-out")  # pressing it takes the text over
    if not wanted.strip():
        return
    for index in indexes:
        if len(indexes) > 1:
            st.markdown(f"In **{plain(index.manifest.name)}**")
        with errors_shown():
            lost = fate(
                index,
                kept.whole(index, query),
                kept.place(index, wanted),
                depth=weighing.depth,
                weights=weighing.weights,
                fusion=weighing.fusion,
                limit=weighing.shown,
                names=SEARCHES,
            )
            show_fate(lost, opening(index), f"why-{index.manifest.name}")


def main() -> None:
    home = opened()
    st.header("Retrieval", anchor=False)
    names = _choose(home)
    if not names:
        st.markdown("There is no index yet. Make one in the library.")
        return
    box, button = st.columns([5, 1], vertical_alignment="bottom")
    query = box.text_input(
        "Search for",
        placeholder="Words or a question",
        max_chars=2_000,
        key="retrieval-query",
        icon=":material/search:",
    ).strip()
    button.button("Search", width="stretch", on_click=KeptLists.forget)
    if not query:
        st.caption(
            "Shows what each way of searching finds by itself, why, and what becomes of it when "
            "they are weighed together."
        )
        return
    indexes = [home.workspace.index(name) for name in names]
    kept = KeptLists(home.workspace.settings)
    lists = [kept.first(index, query) for index in indexes]
    taking_part = [s for s in STAGES if any(s in own.rankings[0] for own in lists)]
    weighing = show_weighing(home.workspace.settings, taking_part)
    if len(names) == 1:
        show_missing(lists[0].missing)
    if not any(weighing.weights[stage] > 0 for stage in taking_part):
        st.info("Nothing has a weight, so nothing is found together.", icon=":material/info:")
    explained = [
        explain_lists(
            index,
            own,
            depth=weighing.depth,
            weights=weighing.weights,
            fusion=weighing.fusion,
            limit=weighing.shown,
        )
        for index, own in zip(indexes, lists, strict=True)
    ]
    found, missed = st.tabs(["What is found", "Why is a passage not found?"])
    with found, errors_shown():
        show_lists(indexes, explained)
    with missed, errors_shown():
        _show_why_not(kept, indexes, query, weighing)


with errors_shown():
    main()
