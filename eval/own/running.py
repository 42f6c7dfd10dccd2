"""Asking the person's own questions again, and keeping what came of each."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from assistant.errors import KnowledgeAssistantError, UsageError
from assistant.events import Event
from assistant.pipeline import Assistant
from assistant.settings import Settings
from assistant.workspace import Workspace
from eval.own.expectations import judge
from eval.own.kept import OwnQuestion
from eval.own.store import OwnQuestions
from eval.responses import private_workspace
from indexes.progress import OnProgress, Progress

# What an answer depends on; the page's port and the like do not count.
_SECTIONS = ("models", "understanding", "retrieval", "knowledge", "thoughts", "answering")


def settings_that_matter(settings: Settings) -> dict[str, Any]:
    """The settings that answers depend on, by dotted name; without the endpoint's key."""
    values = {
        f"{section}.{name}": value
        for section in _SECTIONS
        for name, value in getattr(settings, section).model_dump(mode="json").items()
    }
    values.pop("models.remote_key", None)
    return values


def settings_mark(values: dict[str, Any]) -> str:
    """A fingerprint of `settings_that_matter`."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def run_own(
    workspace: Workspace,
    kept: OwnQuestions,
    *,
    index: str | None = None,
    only: Sequence[str] = (),
    on_progress: OnProgress = lambda progress: None,
) -> str:
    """Ask all questions (or those of the ids `only`) and keep the results; returns the run's id.

    Each is the first question of a conversation of its own, in a home folder that is gone
    afterwards: conversations and statements of the person are neither read nor written. A run that
    is interrupted keeps the results that it has.

    Args:
        index: ask this index instead of each question's own.

    Raises:
        UsageError: there is no question.
        UnknownNameError: there is no question of such an id.
        IndexNotFoundError, UnknownNameError: there is no index of the name `index`.
        KnowledgeAssistantError: every turn failed.
    """
    questions = [kept.get(identity) for identity in only] or kept.questions()
    if not questions:
        raise UsageError(
            "no question is kept as a test", remedy="keep an answer of the chat, or add a question"
        )
    if index is not None:
        workspace.index(index)  # before anything is noted
        questions = [replace(question, index=index) for question in questions]
    values = settings_that_matter(workspace.settings)
    run = kept.begin(len(questions), values, settings_mark(values))
    failures: list[str] = []
    started = time.monotonic()
    with private_workspace(workspace) as private:
        assistant = Assistant(private)
        for number, question in enumerate(questions, start=1):
            on_progress(
                Progress("ask", number - 1, len(questions), "questions", time.monotonic() - started)
            )
            events, seconds = _ask(assistant, question)
            judged = judge(question.expectation, events, seconds)
            if judged.error:
                failures.append(judged.error)
            kept.keep(run, question, _generation(workspace, question.index), judged)
            seconds = time.monotonic() - started
            on_progress(Progress("ask", number, len(questions), "questions", seconds))
    kept.end(run)
    if len(failures) == len(questions):
        raise KnowledgeAssistantError(
            f"every question failed, the first one: {failures[0]}", remedy="assistant doctor"
        )
    return run


def _ask(assistant: Assistant, question: OwnQuestion) -> tuple[list[Event], float]:
    began = time.monotonic()
    events = list(assistant.ask(question.question, index=question.index))
    return events, time.monotonic() - began


def _generation(workspace: Workspace, index: str) -> str:
    """The published generation; "" where the index is gone, which the result says by itself."""
    try:
        return workspace.index(index).manifest.generation
    except KnowledgeAssistantError:
        return ""
