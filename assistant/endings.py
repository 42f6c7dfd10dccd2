"""How a turn ends: with an answer, with a reply of the assistant itself, or with a failure."""

from __future__ import annotations

import logging

from assistant.answering.abstention import ABSTENTION, closest_passages, missing_piece
from assistant.answering.citing import answer_text
from assistant.answering.readers import Reader
from assistant.clock import Clock
from assistant.errors import KnowledgeAssistantError
from assistant.events import AnswerDone, FoundPassage, SentenceChecked, TurnFailed

_log = logging.getLogger(__name__)


def failure(error: Exception) -> TurnFailed:
    """The error in words; what is unexpected goes to the log in full."""
    if isinstance(error, KnowledgeAssistantError):
        return TurnFailed(error.message, error.remedy, error.exit_status)
    _log.error("a turn failed", exc_info=error)
    reason = f"something unexpected went wrong: {type(error).__name__}: {str(error)[:200]}"
    return TurnFailed(reason, "ask again; if it stays, run `assistant doctor`")


def answered(
    question: str,
    sentences: tuple[SentenceChecked, ...],
    passages: tuple[FoundPassage, ...],
    reader: Reader,
    clock: Clock,
    *,
    abstained: bool,
    quoted: bool,
    missing_fact: str = "",
) -> AnswerDone:
    missing = " ".join(filter(None, (missing_piece(question, passages), missing_fact)))
    missing = missing if abstained else ""
    return AnswerDone(
        text=f"{ABSTENTION} {missing}" if abstained else answer_text(sentences),
        sentences=sentences,
        reader=reader.kind,
        quoted=quoted,
        abstained=abstained,
        missing=missing,
        closest=closest_passages(passages) if abstained else (),
        seconds=clock.finished(),
    )


def replied(reply: str, clock: Clock) -> AnswerDone:
    """The end of a turn in which the assistant spoke for itself."""
    return AnswerDone(
        text=reply,
        sentences=(),
        reader="assistant",
        quoted=False,
        abstained=False,
        missing="",
        closest=(),
        seconds=clock.finished(),
    )
