"""Which model and which reader answer: the person's choice, or the best that is installed."""

from __future__ import annotations

from typing import Literal

from langchain_core.language_models import BaseChatModel

from assistant.answering.readers import ExtractiveReader, ModelReader, Reader
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
    installed, else the extractive reader. A reader that was named and is not there is an error:
    another one would quietly give other answers.

    Raises:
        ModelMissingError: the answerer was named and its weights are missing.
        UsageError: the remote endpoint was named and none is set.
    """
    settings = workspace.settings.answering
    if settings.reader != "extractive":
        try:
            model, kind = answering_model(workspace)
        except ModelMissingError:
            if settings.reader != "auto":
                raise
        else:
            return ModelReader(
                model,
                kind,
                max_tokens=settings.max_tokens,
                short=short,
                logprobs=kind == "answerer",
            )
    return ExtractiveReader(settings.sentences)
