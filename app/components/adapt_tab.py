"""The tab in which the search is adapted to one index, and that is taken back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.adapt_choice import (
    ADAPT,
    ESTIMATE,
    PHASES,
    UNDO,
    Choice,
    ask_for_choice,
)
from app.components.adapt_results import cost_lines, show_in_use, show_report
from app.components.context import Opened
from app.components.index_work import IndexWork
from app.components.notices import errors_shown, sentence, show_warning
from app.components.own_run import whose
from app.components.progress import duration, progress_text
from app.components.teaching import teachers_there
from app.components.text import plain
from assistant.adapting.gathering import ENOUGH
from assistant.adapting.installed import FOLDER, RECORD
from assistant.adapting.looking import look
from assistant.adapting.starting import require_training
from assistant.adapting.work import WorkFolder
from assistant.errors import KnowledgeAssistantError
from assistant.jobs import Job
from assistant.workspace import Workspace
from indexes.manifest import Manifest
from indexes.postgres.index import has_engine

_EVERY = 2.0  # seconds between two looks at running work
_ABOUT = (
    "**Fit the search to these documents.** Two small models take part in a search. One finds "
    "passages by what they mean (an *embedder*). The other, a *reranker*, reads the best of them "
    "beside the question and puts them in order. Here copies of both go on learning from the "
    "documents of this index, and serve it alone. What does not make its search measurably better "
    "is not used."
)
_HOW = """
1. **Questions** about the passages are gathered. They are those that were prepared under
   *Knowledge*; a language model writes more, if there is one. A quarter is held back.
2. **Learning** from the others, on this computer. Nothing is sent anywhere, unless you choose a
   language model elsewhere to write questions.
3. **Measuring**: the questions held back, and those that you kept as tests (under *Evaluation*),
   are searched with and without what was learnt.
4. **In use** is only what finds the held-back ones better, by more than chance, and yours no worse.
   It can be taken back at any time.

The search is tried before anything learns: where nothing can be gained, it ends there. You can stop
it at any time and go on later; you can chat meanwhile, though the computer is busy.
"""
_KEPT = (
    "It could not be told whether *your* questions are answered better. Keep some as tests: press "
    "*Keep as a test* under an answer of the chat, or write them under *Evaluation*, and say which "
    "place they have to cite. Or let a language model write the questions."
)


def adapt_tab(work: IndexWork, manifest: Manifest) -> None:
    """What is in use, what came out last, and starting, stopping, taking back."""
    workspace = work.home.workspace
    folder = workspace.index_folder(work.name)
    st.markdown(_ABOUT)
    with st.expander("How it goes"):
        st.markdown(_HOW)
        depth = workspace.settings.retrieval.rerank_depth
        st.markdown(
            f"A reranker in use reads {depth} passages for every question, so each search of this "
            "index then takes longer, a second or two on a small computer."
        )
    if has_engine(folder):
        show_warning(
            "this index lies on a server, and only one in files on this computer can be adapted",
            "make an index of the same documents with New index above",
        )
        return
    found = _look(workspace, work.name, manifest.updated, _stamp(folder))
    _show_state(work, found)
    job = _running(work)
    if job is not None:
        st.fragment(run_every=_EVERY, key=f"adapt-phases-{work.name}")(_show_phases)(work, job.id)
        return
    if found["under_way"]:
        _show_unfinished(work, found["asked"])
    if manifest.stages.get("dense") is None:
        show_warning(
            "the passages of this index cannot be searched by meaning yet",
            "finish it with Update, under Sources",
        )
        return
    try:
        require_training()
    except KnowledgeAssistantError as error:
        show_warning(error.message, error.remedy)
        return
    _show_start(work)


@st.cache_data(ttl=30, max_entries=200, show_spinner=False)
def _look(_workspace: Workspace, name: str, updated: str, stamp: tuple[int, ...]) -> dict[str, Any]:
    """Cached: it compares weights with their checksums."""
    return look(_workspace, name)


def _stamp(folder: Path) -> tuple[int, ...]:
    """What changes with what is installed or under way."""
    work = WorkFolder(folder).path
    files = (folder / FOLDER / RECORD, work / "plan.json", work / "report.json")
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


def _running(work: IndexWork) -> Job | None:
    titles = {f"{kind} {work.name}" for kind in (ADAPT, ESTIMATE, UNDO)}
    jobs = work.home.jobs.list()
    return next((job for job in jobs if job.title in titles and job.state == "running"), None)


def _show_state(work: IndexWork, found: Mapping[str, Any]) -> None:
    show_in_use(found["installed"], found["last_report"])
    for problem in found["problems"]:
        show_warning(str(problem["message"]), str(problem["remedy"]))
    if found["steps_to_undo"] and _running(work) is None:
        _show_undo(work, int(found["steps_to_undo"]))
    if found["last_report"]:
        show_report(found["last_report"], found["installed"])


def _show_undo(work: IndexWork, steps: int) -> None:
    with st.popover("Take it back", icon=":material/undo:"), errors_shown():
        more = f" It is the last of {steps} times; each can be taken back." if steps > 1 else ""
        st.markdown(
            "The search of this index becomes what it was before the last adaptation, and what "
            f"was learnt is deleted.{more} Only documents that came since are read anew for it. "
            "To have it again, it has to learn again."
        )
        if st.button("Take it back now", type="primary", key=f"undo-adapt-{work.name}"):
            person = work.home.person
            work.run(UNDO, [*whose(person), "distill", "adapt", work.name, "--undo"])
            st.rerun()


def _show_phases(work: IndexWork, job_id: str) -> None:
    job = work.home.jobs.get(job_id)
    if job is None or job.state != "running":
        return  # the work at the top of the page sees it, and runs the page again
    since = duration(time.time() - job.started)
    st.markdown(f"**Under way** for {since}. *Stop* is at the top of the page.")
    if not job.progress:
        st.markdown(":material/hourglass_top: Getting ready")
    for progress in job.progress[:-1]:
        words = PHASES.get(progress.stage, progress.stage)
        st.markdown(f":green[:material/check:] {plain(sentence(words)[:-1])}")
    for progress in job.progress[-1:]:
        text = sentence(progress_text(progress, PHASES))
        st.markdown(f":material/hourglass_top: {plain(text)}")
    st.caption("It goes on when you leave this page or close it. What is done is kept.")


def _show_unfinished(work: IndexWork, asked: Mapping[str, Any]) -> None:
    with st.container(border=True):
        st.markdown(
            ":orange[:material/pause_circle:] **An adaptation was begun and has not ended.** "
            "It goes on where it stopped. If documents changed since, it begins anew with the "
            "questions that were written."
        )
        if _offered_above(work):
            st.markdown("*Go on* is at the top of the page.")
        elif st.button("Go on with it", key=f"adapt-on-{work.name}"):
            _start(work, Choice.of(asked))


def _offered_above(work: IndexWork) -> bool:
    """Whether the page shows the work as ended, with a button of its own to go on."""
    last = work.home.jobs.latest(f"{ADAPT} {work.name}")
    return last is not None and last.state == "failed"


def _show_start(work: IndexWork) -> None:
    home = work.home
    teachers = teachers_there(home.workspace.settings, home.workspace.models.status())
    choice = ask_for_choice(work.name, teachers)
    key = f"adapt-look-{work.name}"
    if st.button("Look what it takes", icon=":material/search:", key=key):
        with errors_shown():
            work.run(ESTIMATE, _command(home, work.name, choice, "--dry-run"))
            st.rerun()
    st.caption("It tries a few steps, which takes a minute or so, and changes nothing.")
    _show_estimate(work, teachers)


def _show_estimate(work: IndexWork, teachers: Mapping[str, str]) -> None:
    """What the last look found, and for which choice; that one can be started."""
    jobs = work.home.jobs
    job = jobs.latest(f"{ESTIMATE} {work.name}")
    result = jobs.result(job.id) if job is not None and job.state == "done" else None
    if job is None or result is None:
        return
    looked = Choice.of_command(jobs.arguments(job.id))
    with st.container(border=True):
        at = datetime.fromtimestamp(job.started).strftime("%H:%M")
        st.markdown(f"**What it takes**: {plain(looked.words(teachers))} (looked at {at})")
        if refused := result.get("refused"):
            show_warning(str(refused["message"]), str(refused["remedy"]))
        else:
            lines = cost_lines(result, work.home.workspace.free_bytes())
            st.markdown("\n".join(f"- {plain(line)}" for line in lines))
            if result["unjudged"]:
                st.warning(f"**Nothing would learn.** {_KEPT}", icon=":material/fact_check:")
            elif result["teacher"] and not result["kept_questions"]:
                st.caption(
                    f"If the language model writes fewer than {ENOUGH} questions, nothing will "
                    f"learn. {_KEPT}"
                )
        with st.container(horizontal=True):
            if (
                not refused
                and not result["unjudged"]
                and st.button(
                    "Start", type="primary", icon=":material/play_arrow:", key=f"adapt-{work.name}"
                )
            ):
                _start(work, looked)
            st.button(
                "Put away", key=f"adapt-away-{work.name}", on_click=work.put_away, args=(ESTIMATE,)
            )


def _start(work: IndexWork, choice: Choice) -> None:
    with errors_shown():
        work.run(ADAPT, _command(work.home, work.name, choice))
        work.put_away(ESTIMATE)
        st.rerun()


def _command(home: Opened, index: str, choice: Choice, *more: str) -> list[str]:
    return [*whose(home.person), *choice.arguments(index), *more]
