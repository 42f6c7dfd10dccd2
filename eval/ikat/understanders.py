"""What the rows of the ablation need: a workspace's understanders, as far as they are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from assistant.errors import ModelMissingError, ModelRuntimeError
from assistant.understanding.distilled import DistilledUnderstander
from assistant.understanding.model import ModelUnderstander
from assistant.understanding.parser import NounPhrases
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.small import SmallUnderstander
from assistant.workspace import Workspace
from eval.ikat.ablation import (
    NAMES,
    NEED_MODEL,
    NEED_TAGGER,
    NEED_VECTOR,
    NEED_WRITER,
    Ablation,
    possible_rows,
)
from eval.ikat.conversations import ClosedTurn
from indexes.encoders import of_queries

if TYPE_CHECKING:
    from assistant.distillation.message_encoder import MessageEncoder

T = TypeVar("T")


def ablation_of(
    workspace: Workspace, turns: Sequence[ClosedTurn], rows: Sequence[str]
) -> tuple[Ablation, list[str]]:
    """The ablation and its rows: those named, or all that the turns and the models allow.

    Raises:
        ModelMissingError, ModelRuntimeError: a row that is named needs weights, or a runtime, that
            are not there.
    """
    asked = set(rows or NAMES)

    def made(names: Sequence[str], make: Callable[[], T]) -> T | None:
        """Nothing where no row needs it, or none is named and it is not there."""
        if not asked & set(names):
            return None
        try:
            return make()
        except (ModelMissingError, ModelRuntimeError):
            if rows:
                raise
            return None

    rules = RuleUnderstander(NounPhrases(workspace.parser))

    def tagger() -> DistilledUnderstander:
        workspace.loaded.tag_model()
        return DistilledUnderstander(workspace.loaded.tag_model, rules)

    def writer() -> SmallUnderstander:
        workspace.loaded.rewriting_model().invoke("Hello", max_tokens=1)  # or say what is missing
        return SmallUnderstander(workspace.loaded.rewriting_model, rules)

    model = made(NEED_MODEL, lambda: ModelUnderstander(workspace.answerer(), rules))
    distilled, small = made(NEED_TAGGER, tagger), made(NEED_WRITER, writer)
    encoder = made(NEED_VECTOR, lambda: _message_encoder(workspace))
    wanted = list(rows) or possible_rows(
        turns,
        model=model is not None,
        distilled=distilled is not None,
        small=small is not None,
        vector=encoder is not None,
    )
    selector = workspace.statement_selector
    return Ablation(workspace.settings, rules, model, selector, distilled, small, encoder), wanted


def _message_encoder(workspace: Workspace) -> Callable[[], MessageEncoder]:
    encoder = workspace.loaded.message_encoder()
    if encoder.space != of_queries(workspace.encoders.dense()).fingerprint:
        embedder = workspace.settings.models.embedder
        raise ModelMissingError(
            f"there is no encoder of messages for the embedder '{embedder}' as it is set",
            remedy="measure these rows with models.embedder=minilm and models.int8=false",
        )
    return workspace.loaded.message_encoder
