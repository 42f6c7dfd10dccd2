"""The tab of the own questions: ask them again, what came out, the questions themselves."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.again_jobs import go_on
from app.components.context import Opened
from app.components.own_results import run_label, show_changes, show_curve, summary
from app.components.own_run import own_title, show_run_own
from app.components.own_tests import show_new_question, show_questions
from app.components.progress import show_ended, show_jobs
from app.components.reader_choice import available_readers
from app.components.text import plain
from eval.own.changes import changes, since
from eval.own.kept import OwnRun
from eval.own.running import settings_that_matter
from eval.own.store import OwnQuestions


def show_own(home: Opened, kept: OwnQuestions) -> None:
    """All of the tab."""
    questions = kept.questions()
    settings = home.workspace.settings
    names = sorted(manifest.name for manifest in home.workspace.indexes())
    with st.container():  # always there, so that what is below does not begin anew
        show_ended(home.jobs, show_jobs(home.jobs, own_title(home.person)), go_on(home.jobs))
    if not questions:
        with st.container(border=True):
            st.markdown(
                "**:material/fact_check: No question is kept yet.** Under each answer of the chat "
                "there is “Keep as a test”: say what the answer must cite or contain. After a "
                "change of documents, models or settings all are asked again here."
            )
    else:
        models = home.workspace.models.status()
        readers = [name for name in available_readers(settings, models) if name != "auto"]
        show_run_own(home.jobs, home.person, readers, names, len(questions))
        runs = [run for run in kept.runs() if run.done]
        if runs:
            _since(home, kept, runs[-1])
            _results(kept, runs)
        st.subheader("Your questions", anchor=False)
        show_questions(kept, questions, kept.latest(), names)
    if names:
        show_new_question(kept, names, home.workspace.index, settings.retrieval.index)


def _since(home: Opened, kept: OwnQuestions, last: OwnRun) -> None:
    """Whether there is a reason to ask again."""
    generations = {manifest.name: manifest.generation for manifest in home.workspace.indexes()}
    now = settings_that_matter(home.workspace.settings)
    found = since(last.settings, kept.results(last.id), now, generations)
    if found:
        shown = [*found[:5], f"{len(found) - 5} more"] if len(found) > 5 else found
        text = f"Since the last run: {'; '.join(shown)}."
        st.caption(f":orange[:material/update:] {plain(text)}")


def _results(kept: OwnQuestions, runs: Sequence[OwnRun]) -> None:
    st.subheader("Results", anchor=False)
    newest = list(reversed(runs))
    run = st.selectbox("Run", newest, format_func=run_label, key=f"own-run-{newest[0].id}")
    position = runs.index(run)
    earlier = runs[position - 1] if position else None
    found = changes(kept.results(run.id), kept.before(run.id))
    st.markdown(f"**{plain(summary(run, found))}.**")
    show_changes(found, (earlier.settings, run.settings) if earlier else None)
    show_curve(runs)
