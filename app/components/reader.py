"""Who writes the answers, and the offer to fetch the language model."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.notices import errors_shown
from app.components.progress import show_ended, show_jobs, size_text
from assistant.jobs import Jobs
from assistant.models.catalogue import find_entry
from assistant.models.store import ModelStatus
from assistant.settings import Settings

FETCH_TITLE = "fetch the language model"
_OFFERS = {
    "small": "**A small model answers for now.** A large one joins several passages.",
    "extractive": "**Answers are quotations for now.** The language model writes sentences.",
}


def reader_in_force(settings: Settings, installed: Sequence[ModelStatus]) -> tuple[str, str]:
    """Kind and a sentence about who writes the next answer; not escaped."""
    wanted = settings.answering.reader
    if wanted == "remote" or (wanted == "auto" and settings.models.remote_url):
        name = settings.models.remote_model or "a model"
        return "remote", f"{name} at {settings.models.remote_url or 'an endpoint not yet set'}"
    names = {m.name for m in installed if m.state == "installed"}
    local = settings.models.answerer
    has_local = local in names or local.endswith(".gguf")
    if wanted == "answerer" or (wanted == "auto" and has_local):
        missing = "" if has_local else ", which is not installed"
        return "answerer", f"{local} on this computer{missing}"
    if wanted in ("auto", "small") and "minilm" in names:
        return "small", "the small reader on this computer"
    return "extractive", "no model: answers are quotations from your documents"


def show_answerer_offer(settings: Settings, models: Sequence[ModelStatus], jobs: Jobs) -> None:
    """Without the large language model a small one answers, or answers are quotations; one click
    fetches the large one."""
    ended = show_jobs(jobs, FETCH_TITLE)
    show_ended(jobs, [job for job in ended if job.title == FETCH_TITLE])
    kind, _ = reader_in_force(settings, models)
    fetching = any(job.title == FETCH_TITLE and job.state == "running" for job in jobs.list())
    if kind not in ("small", "extractive") or settings.answering.reader != "auto" or fetching:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_OFFERS[kind], width="content")
        st.button(
            f"Fetch the language model ({size_text(find_entry('answerer').bytes)})",
            icon=":material/download:",
            on_click=fetch,
            args=(jobs, "answerer", FETCH_TITLE),
        )


def fetch(jobs: Jobs, name: str, title: str) -> None:
    """Start fetching weights in the background."""
    with errors_shown():
        jobs.start(title, ["models", "fetch", name])
