"""Which way a message is understood: the person's choice, or the best that is installed."""

from __future__ import annotations

from assistant.errors import ModelMissingError, UsageError
from assistant.understanding.model import ModelUnderstander
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.types import AspectQuery, Understander, Understanding
from assistant.understanding.words import Phrases
from assistant.workspace import Workspace


def choose_understander(workspace: Workspace, phrases: Phrases) -> Understander:
    """The understander that the settings name.

    "auto" takes the model that answers: the remote endpoint if one is set, else the local answerer
    if its weights are installed; and rules where there is none, or where the answers are to be
    quoted without a model.

    Raises:
        ModelMissingError: a model was named and there is none.
    """
    rules = RuleUnderstander(phrases)
    settings = workspace.settings
    way, reader = settings.understanding.way, settings.answering.reader
    if way == "rules" or (way == "auto" and reader == "extractive"):
        return rules
    if settings.models.remote_url and reader != "answerer":
        return ModelUnderstander(workspace.remote_model(), rules)
    try:
        return ModelUnderstander(workspace.answerer(), rules)
    except ModelMissingError:
        if way == "model":
            raise
    except UsageError:
        if way == "model":
            raise
    return rules


def as_written(question: str) -> Understanding:
    """The understanding of somebody who wrote down how the question is meant."""
    return Understanding(
        standalone=question,
        queries=(AspectQuery(question, "question"),),
        way="person",
        reason="as you wrote it",
    )
