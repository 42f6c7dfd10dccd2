"""Evaluation: the person's own questions as tests, collections, runs of iKAT."""

from __future__ import annotations

import streamlit as st

from app.components.again_jobs import go_on
from app.components.collection_runs import (
    MEASURING,
    collection_rows,
    folder_of,
    show_measure,
    show_measured,
)
from app.components.context import Opened, opened
from app.components.ikat_runs import choose_files, key_of, scored, show_scored
from app.components.keep_test import own_questions
from app.components.notices import errors_shown
from app.components.own_tab import show_own
from app.components.progress import show_ended, show_jobs
from eval.found_collections import find_collections, remember_folder, remembered_folder
from eval.history import evaluation_folder, history


def _collections(home: Opened) -> None:
    evaluation = evaluation_folder(home.workspace.settings.home)
    st.markdown(
        "How well passages are found, on collections of queries whose relevant passages people "
        "judged (BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv)."
    )
    before = remembered_folder(evaluation)
    typed = st.text_input(
        "Folder with collections", before, placeholder="/home/me/collections", key="collections"
    ).strip()
    with st.container():  # always there, so that what is below does not begin anew
        show_ended(home.jobs, show_jobs(home.jobs, MEASURING), go_on(home.jobs))
    if typed:
        with errors_shown():
            found = find_collections(folder_of(typed))
            if typed != before:
                remember_folder(evaluation, typed)
            if found:
                st.dataframe(collection_rows(found), hide_index=True, width="stretch")
                show_measure(home.jobs, found)
            else:
                st.markdown("There is no collection in this folder.")
    kept = history(evaluation)
    if kept:
        st.subheader("Measured", anchor=False)
        show_measured(kept)


def _ikat() -> None:
    st.markdown(
        "Runs of TREC iKAT, measured against the judgements of their year and compared turn by "
        "turn. Files are read on this computer and not kept."
    )
    chosen = choose_files()
    if chosen is None:
        st.caption("Choose at least one run and the judgements.")
        return
    show_scored(scored(chosen, key_of(chosen)), chosen.measure)


def main() -> None:
    home = opened()
    st.header("Evaluation", anchor=False)
    st.caption(
        "Whether answers got better or worse, measured on questions whose answers are known."
    )
    titles = ["Your questions", "Collections", "iKAT runs"]
    own, collections, ikat = st.tabs(titles, key="evaluation-tab", on_change="rerun")
    if own.open:
        with own, errors_shown():
            show_own(home, own_questions(home.workspace.settings.own_folder))
    if collections.open:
        with collections, errors_shown():
            _collections(home)
    if ikat.open:
        with ikat, errors_shown():
            _ikat()


with errors_shown():
    main()
