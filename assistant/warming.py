"""Loading what the next question needs before it is asked."""

from __future__ import annotations

import contextlib
import threading

from assistant.answering.prompts import fixed_messages
from assistant.errors import KnowledgeAssistantError
from assistant.models.shipped import SMALL_EMBEDDER
from assistant.settings import Settings
from assistant.understanding.prompts import fixed_messages as fixed_understanding_messages
from assistant.workspace import Workspace
from indexes.encoders import of_queries

_THREAD = "warm-up"
_PATIENCE = 2.0  # seconds


def warm_up(
    workspace: Workspace, *, follow_up: bool = True, after: threading.Thread | None = None
) -> threading.Thread:
    """Load what the next question needs, in the background; failures show when it is asked.

    Reading the fixed beginning of each prompt once puts it into the runtime's prompt cache, which
    saves seconds before the first word.

    Args:
        follow_up: whether questions of a running conversation may come, which alone are understood
            by the model. The reading would keep a first question waiting.
        after: begin when this thread has ended, or after two seconds: what it does (a page that is
            being drawn) would have to share Python with the loading.
    """

    def work() -> None:
        if after is not None:
            after.join(_PATIENCE)
        # Two threads that import the same libraries for the first time may find one half there;
        # whoever asks then imports it again.
        with contextlib.suppress(KnowledgeAssistantError, ImportError):
            _warm_reader(workspace)
        with contextlib.suppress(KnowledgeAssistantError, ImportError):
            of_queries(workspace.encoders.dense())
            workspace.encoders.sparse()
        if follow_up:  # last: a first question does not wait for what only later ones need
            with contextlib.suppress(KnowledgeAssistantError, ImportError):
                _warm_understanding(workspace)

    thread = threading.Thread(target=work, name=_THREAD, daemon=True)
    thread.start()
    return thread


def is_warming_up() -> bool:
    """Whether that is under way in this process; whoever needs a model then has to wait for it."""
    return any(thread.name == _THREAD for thread in threading.enumerate())


def _warm_reader(workspace: Workspace) -> None:
    answering = workspace.settings.answering
    if workspace.settings.models.remote_url:
        return
    if _answers_itself(workspace):
        fixed = fixed_messages(form=answering.knowledge_form, length=answering.length)
        workspace.answerer().invoke(fixed, max_tokens=1)
    elif answering.reader in ("auto", "small"):
        workspace.loaded.span_model()
        workspace.loaded.wording_model().invoke("Hello", max_tokens=1)


def _warm_understanding(workspace: Workspace) -> None:
    settings = workspace.settings
    way = settings.understanding.way
    if way in ("auto", "model") and settings.models.remote_url:
        return
    if way in ("auto", "model") and _answers_itself(workspace):
        workspace.answerer().invoke(fixed_understanding_messages(), max_tokens=1)
        return
    if way == "small":
        workspace.loaded.rewriting_model().invoke("Hello", max_tokens=1)
    if settings.understanding.vector == "conversation" and _common(settings):
        workspace.loaded.message_encoder()


def _answers_itself(workspace: Workspace) -> bool:
    """Whether the local language model answers."""
    answerer = workspace.settings.models.answerer
    named = workspace.settings.answering.reader in ("auto", "answerer")
    return named and workspace.models.is_installed(answerer)


def _common(settings: Settings) -> bool:
    """Whether queries are encoded by the embedder that the encoder of messages belongs to."""
    known = settings.models.embedder in ("minilm", SMALL_EMBEDDER)
    return known and not settings.models.int8
