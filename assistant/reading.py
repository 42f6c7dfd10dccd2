"""Which reader answers: the person's choice, or the best that is installed."""

from __future__ import annotations

from assistant.answering.readers import ExtractiveReader, ModelReader, Reader
from assistant.errors import ModelMissingError, UsageError
from assistant.workspace import Workspace


def choose_reader(workspace: Workspace, *, short: bool = False) -> Reader:
    """The reader that the settings name.

    "auto" takes the remote endpoint if one is set, else the local answerer if its weights are
    installed, else the extractive reader. A reader that was named and is not there is an error:
    another one would quietly give other answers.

    Raises:
        ModelMissingError: the answerer was named and its weights are missing.
        UsageError: the remote endpoint was named and none is set.
    """
    settings = workspace.settings
    wanted = settings.answering.reader
    if wanted == "remote" or (wanted == "auto" and settings.models.remote_url):
        if not settings.models.remote_url:
            raise UsageError(
                "no remote endpoint is set", remedy="set models.remote_url and models.remote_model"
            )
        return ModelReader(
            workspace.remote_model(),
            "remote",
            max_tokens=settings.answering.max_tokens,
            short=short,
        )
    if wanted in ("answerer", "auto"):
        try:
            model = workspace.answerer()
        except ModelMissingError:
            if wanted == "answerer":
                raise
        else:
            return ModelReader(
                model,
                "answerer",
                max_tokens=settings.answering.max_tokens,
                short=short,
                logprobs=True,
            )
    return ExtractiveReader(settings.answering.sentences)
