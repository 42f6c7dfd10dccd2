"""Which facts of the graph of thoughts a reader is told, by the form that knowledge is given in."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.evidence import estimate_tokens
from assistant.answering.forms import KnowledgeForm
from assistant.events import FoundPassage
from assistant.thoughts.outcome import Outcome


def facts_to_tell(
    outcome: Outcome | None,
    passages: Sequence[FoundPassage],
    form: KnowledgeForm,
    *,
    budget: int,
    numbered: bool = False,
) -> tuple[str, ...]:
    """The facts in words, best first where not all fit.

    Beside passages only the facts that the answer rests on are told: the rest is in the sentences.
    Where they stand for the passages, all that was read in these passages is told.

    Args:
        outcome: of thinking; None: nothing is known.
        budget: estimated tokens of the facts that stand for passages.
        numbered: facts beside passages also end with the number of their passage.
    """
    if outcome is None or form == "passages":
        return ()
    numbers = {passage.passage_id: passage.number for passage in passages}
    if form == "both":
        return outcome.in_words(numbers if numbered else None)
    told: list[str] = []
    spent = 0
    for fact in outcome.in_words(numbers, every=True):
        spent += estimate_tokens(fact)
        if told and spent > budget:
            break
        told.append(fact)
    return tuple(told)
