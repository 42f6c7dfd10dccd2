"""The loop: read, extract, match, look for what is missing, until it is known or the budget spent.

seed       the passages found for the question; the walk over the graph's mentions ranks others
read       the best passages' facts that bear on the question enter the graph of thoughts
settle     does a fact fill a slot?
look on    a slot is open: the things that lead onward, with what is asked, become the next queries
rank       what the searches found and where the walk arrived, together

KGoT (arXiv 2504.02670) is the model of the loop; here every step is a typed operation, a vote or a
model call is the exception, and nothing is executed that was written.
"""

from __future__ import annotations

from collections.abc import Iterator

from langchain_core.language_models import BaseChatModel

from assistant.events import Event
from assistant.thoughts.deliberating import deliberate
from assistant.thoughts.outcome import Outcome
from assistant.thoughts.work import Work


class Thinker:
    """Thinks about one question.

    Args:
        work: the question, what was found for it, and the means.
        model: asked within the budget; None thinks by rules alone.
    """

    def __init__(self, work: Work, model: BaseChatModel | None = None) -> None:
        self._work, self._model = work, model

    @property
    def outcome(self) -> Outcome:
        """The result, once `think` is through."""
        return self._work.outcome

    def think(self) -> Iterator[Event]:
        """The events of the work: each change of the graph, each decision with its reason."""
        work, out = self._work, self._work.outcome
        if out.effort.name == "off" or not out.hits:
            return
        yield work.change(work.plan.thoughts(), "what has to be known")
        work.walk()
        yield from work.take_in()
        for number in range(1, out.effort.rounds + 1 if work.leads_on else 1):
            # A chain that seems complete is looked at once more: its middle may be wrong.
            if out.stopped or not (work.plan.open or (work.plan.chained and number == 1)):
                break
            texts = work.next_texts()
            if not texts:
                break
            yield from work.look_for(texts)
        if self._model is not None and not out.stopped:
            yield from deliberate(work, self._model)
        work.finish()
