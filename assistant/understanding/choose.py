"""Which way a message is understood: the person's choice, or the best that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.errors import ModelMissingError, UsageError
from assistant.reading import answering_model
from assistant.understanding.distilled import DistilledUnderstander
from assistant.understanding.in_conversation import InConversation
from assistant.understanding.model import ModelUnderstander
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.small import SmallUnderstander
from assistant.understanding.types import AspectQuery, Understander, Understanding
from assistant.understanding.words import Phrases
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from assistant.distillation.message_encoder import MessageEncoder

_QUICK = ("extractive", "small")  # readers


def choose_understander(
    workspace: Workspace, phrases: Phrases, index: str | None = None
) -> Understander:
    """The understander that the settings name.

    "auto" takes the model that answers: the remote endpoint if one is set, else the local answerer
    if its weights are installed; and rules where there is none, or where quotations or the small
    reader were chosen: whoever wants an answer within a second does not wait for a large model to
    understand the question. Without a model the queries of a follow-up bring the vector of the
    conversation.

    Args:
        index: the one that is asked; None: one of the common embedder.

    Raises:
        ModelMissingError, UsageError: a model was named and there is none.
    """
    rules: Understander = RuleUnderstander(phrases)
    way, reader = workspace.settings.understanding.way, workspace.settings.answering.reader
    if way == "distilled":
        distilled = DistilledUnderstander(workspace.loaded.tag_model, rules)
        return _in_conversation(distilled, workspace, index)
    if way == "small":
        small = SmallUnderstander(workspace.loaded.rewriting_model, rules)
        return _in_conversation(small, workspace, index)
    if way == "rules" or (way == "auto" and reader in _QUICK):
        return _in_conversation(rules, workspace, index)
    try:
        model, _ = answering_model(workspace)
    except (ModelMissingError, UsageError):
        if way == "model":
            raise
        return _in_conversation(rules, workspace, index)
    return ModelUnderstander(model, rules)


def _in_conversation(
    understander: Understander, workspace: Workspace, index: str | None
) -> Understander:
    if workspace.settings.understanding.vector == "text":
        return understander

    def encoder() -> MessageEncoder | None:
        if index is not None and _query_space(workspace, index) != workspace.loaded.message_space():
            return None
        return workspace.loaded.message_encoder()

    return InConversation(understander, encoder)


def _query_space(workspace: Workspace, index: str) -> str | None:
    """The fingerprint of what encodes the queries of an index; None where nothing is encoded yet.

    Raises:
        IndexNotFoundError: there is no such index.
    """
    dense = workspace.index(index).manifest.stages.get("dense")
    return workspace.loaded.query_space(dense.fingerprint) if dense is not None else None


def as_written(question: str) -> Understanding:
    """The understanding of somebody who wrote down how the question is meant."""
    return Understanding(
        standalone=question,
        queries=(AspectQuery(question, "question"),),
        way="person",
        reason="as you wrote it",
    )
