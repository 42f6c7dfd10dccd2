"""A question asked again without a fact that the person takes away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.components.again import Question, can_be_asked_again, once_more
from app.components.turn import TurnView
from assistant.thoughts.model import Fact


def asks_without(view: TurnView, ask: Callable[[Question], None]) -> Callable[[Fact], None] | None:
    """Asks a turn's question again without one of its facts, besides those it was asked without;
    None where there is nothing to ask again."""
    if not can_be_asked_again(view):
        return None

    def again(fact: Fact) -> None:
        ask(question_without(view, fact.id))

    return again


def question_without(view: TurnView, fact_id: str) -> Question:
    """The question as it was asked, without this fact too."""
    return replace(once_more(view), without_facts=(*view.without_facts, fact_id))
