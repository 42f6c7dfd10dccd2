"""Which model and which reader answer: the person's choice, or the best that is installed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Literal

from langchain_core.language_models import BaseChatModel

from assistant.answering.dial import share_of
from assistant.answering.readers import ExtractiveReader, ModelReader, Reader
from assistant.answering.small_reader import SmallReader, SpanSource
from assistant.errors import ModelMissingError, UsageError
from assistant.workspace import Workspace


def answering_model(workspace: Workspace) -> tuple[BaseChatModel, Literal["answerer", "remote"]]:
    """The model that answers by the settings, and which kind it is.

    The one that the reader names; where it names none, the remote endpoint if one is set, else the
    local answerer.

    Raises:
        ModelMissingError: the answerer's weights are missing.
        UsageError: the remote endpoint was named and none is set.
    """
    wanted, url = workspace.settings.answering.reader, workspace.settings.models.remote_url
    if wanted == "remote" or (wanted != "answerer" and url):
        if not url:
            raise UsageError(
                "no remote endpoint is set", remedy="set models.remote_url and models.remote_model"
            )
        return workspace.remote_model(), "remote"
    return workspace.answerer(), "answerer"


def choose_reader(workspace: Workspace, *, short: bool = False) -> Reader:
    """The reader that the settings name.

    "auto" takes the remote endpoint if one is set, else the local answerer if its weights are
    installed, else the small reader likewise, else the extractive reader. A reader that was named
    and is not there is an error: another one would quietly give other answers.

    Raises:
        ModelMissingError: the reader was named and its weights are missing.
        UsageError: the remote endpoint was named and none is set, or the reader has no reliance
            dial and it is on.
    """
    settings = workspace.settings.answering
    reliance = share_of(settings.reliance)
    if settings.reader in ("auto", "answerer", "remote"):
        try:
            model, kind = answering_model(workspace)
        except ModelMissingError:
            if settings.reader != "auto":
                raise
        else:
            if reliance is not None and kind == "remote":
                raise UsageError(
                    "the reliance dial needs a local model: an endpoint does not tell what it "
                    "would write without the documents",
                    remedy="set answering.reliance to off, or answering.reader to answerer",
                )
            return ModelReader(
                model,
                kind,
                max_tokens=settings.max_tokens * (2 if settings.length == "long" else 1),
                short=short,
                form=settings.knowledge_form,
                logprobs=kind == "answerer",
                reliance=reliance,
                length=settings.length,
            )
    if reliance is not None:
        raise UsageError(
            "the reliance dial needs a language model with knowledge of its own: the small reader "
            "and quotations are documents alone",
            remedy="assistant models fetch answerer, or set answering.reliance to off",
        )
    if settings.reader in ("auto", "small"):
        try:
            return small_reader(workspace, short=short)
        except ModelMissingError:
            if settings.reader == "small":
                raise
    return ExtractiveReader(settings.sentences)


def small_reader(
    workspace: Workspace,
    *,
    short: bool = False,
    wording: bool = True,
    through: Callable[[SpanSource], SpanSource] = lambda spans: spans,
) -> SmallReader:
    """The reader made of the distilled models; without the language model's weights it quotes.

    Args:
        short: answer with the words alone.
        wording: False quotes in any case.
        through: what the span model is asked through.

    Raises:
        ModelMissingError: the weights of the span model, or of what it builds on, are missing.
    """
    settings = workspace.settings.answering
    spans = workspace.loaded.span_model()
    words = None
    if wording and not short:
        with contextlib.suppress(ModelMissingError):
            words = workspace.loaded.wording_model()
    return SmallReader(
        through(spans),
        words,
        threshold=spans.threshold if settings.small_threshold is None else settings.small_threshold,
        sentences=settings.sentences,
        short=short,
    )
