"""The rows of the ablation: what is searched for, from the bare message to the human's rewrite.

raw              the message as it was typed
history          all of the person's messages and this one, as one query
rules            the rules' understanding, by words and the last answer
rules+vector     …and the vector of the message in its conversation, as it is by default
distilled        the tagger's: the message with the words that it leaves unsaid
distilled+vector …and the vector of the message in its conversation, as it is by default
small            the small language model's rewrite and the message, leaning on the last answer
small+vector     …and the vector of the message in its conversation, as it is by default
model            the model's rewrite and the message, leaning on the last answer
+aspects         …and one query for each of several things asked
+answer          …and a likely answer: the model's understanding as it is by default
+statements      …and a query with the person's statements chosen for it
+all-statements  …with all of them instead
+ranking         the model's understanding, and passages near the chosen statements moved up
human            the human's rewrite alone: headroom, never an input
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.settings import Settings
from assistant.understanding.in_conversation import InConversation
from assistant.understanding.retrieval import followup_weights, search_queries, statements_query
from assistant.understanding.statements import ChosenStatement, StatementSelector
from assistant.understanding.types import Understander, Understanding
from eval.ikat.conversations import ClosedTurn
from indexes.encoders import FloatArray
from indexes.queries import Query

if TYPE_CHECKING:
    from assistant.distillation.message_encoder import MessageEncoder

NAMES = (
    "raw",
    "history",
    "rules",
    "rules+vector",
    "distilled",
    "distilled+vector",
    "small",
    "small+vector",
    "model",
    "+aspects",
    "+answer",
    "+statements",
    "+all-statements",
    "+ranking",
    "human",
)
NEED_MODEL = ("model", "+aspects", "+answer", "+statements", "+all-statements", "+ranking")
NEED_TAGGER = ("distilled", "distilled+vector")
NEED_WRITER = ("small", "small+vector")
NEED_VECTOR = ("rules+vector", "distilled+vector", "small+vector")
NEED_PERSON = ("+statements", "+all-statements", "+ranking")
# Weight of the statements' query where a row searches for it; the product's default is 0.
STATEMENTS_WEIGHT = 0.3
# What nearness to the chosen statements adds to a score, in the row that ranks by it; likewise 0.
RANKING_WEIGHT = 0.1

_ASPECTS = {
    "model": ("question", "as asked"),
    "+aspects": ("question", "as asked", "part"),
}


def possible_rows(
    turns: Sequence[ClosedTurn],
    *,
    model: bool,
    distilled: bool = False,
    small: bool = False,
    vector: bool = False,
) -> list[str]:
    """The rows that can be asked of these turns, given a language model, given the tagger of words,
    given the small language model, given an encoder of messages."""
    left_out = set() if model else set(NEED_MODEL)
    if not distilled:
        left_out.update(NEED_TAGGER)
    if not small:
        left_out.update(NEED_WRITER)
    if not vector:
        left_out.update(NEED_VECTOR)
    if not any(turn.statements for turn in turns):
        left_out.update(NEED_PERSON)
    if not any(turn.resolved for turn in turns):
        left_out.add("human")
    return [name for name in NAMES if name not in left_out]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one row asks for one turn; `near` are statements that move the passages near them up."""

    queries: list[Query]
    model_calls: int = 0
    understanding: Understanding | None = None
    near: tuple[ChosenStatement, ...] = ()


Asker = Callable[[ClosedTurn], Asked]


class Ablation:
    """Makes the queries of every row.

    Args:
        rules, model, distilled, small: the understanders; the rows of one that is None cannot be
            asked.
        selector: chooses statements; its threshold is that of the settings.
        encoder: gives messages the vector of their conversation.
    """

    def __init__(
        self,
        settings: Settings,
        rules: Understander,
        model: Understander | None,
        selector: StatementSelector,
        distilled: Understander | None = None,
        small: Understander | None = None,
        encoder: Callable[[], MessageEncoder] | None = None,
    ) -> None:
        self._settings = settings
        self._rules, self._model, self._selector = rules, model, selector
        self._distilled, self._small = distilled, small
        self._encoder = encoder
        self._weights = followup_weights(settings)

    def asker(self, name: str) -> Asker:
        """The row of that name (`NAMES`)."""
        return {
            "raw": self._raw,
            "history": self._history,
            "rules": lambda turn: self._understood(self._rules, turn),
            "rules+vector": lambda turn: self._in_conversation(self._rules, turn),
            "distilled": lambda turn: self._understood(self._distilled, turn),
            "distilled+vector": lambda turn: self._in_conversation(self._distilled, turn),
            "small": lambda turn: self._understood(self._small, turn),
            "small+vector": lambda turn: self._in_conversation(self._small, turn),
            "human": self._human,
        }.get(name, lambda turn: self._by_model(name, turn))

    def _raw(self, turn: ClosedTurn) -> Asked:
        return Asked([Query(turn.text)])

    def _history(self, turn: ClosedTurn) -> Asked:
        said = [message.content for message in turn.history if message.role == "user"]
        return Asked([Query(" ".join([*said, turn.text]))])

    def _human(self, turn: ClosedTurn) -> Asked:
        rewrite = turn.resolved or turn.text  # some turns have none
        return Asked([Query(rewrite, stage_weights=self._weights)])

    def _understood(self, way: Understander | None, turn: ClosedTurn) -> Asked:
        assert way is not None
        understood = way.understand(turn.text, turn.history)
        queries = search_queries(understood, self._settings, running=True)
        return Asked(queries, understood.model_calls, understood)

    def _in_conversation(self, way: Understander | None, turn: ClosedTurn) -> Asked:
        assert way is not None and self._encoder is not None
        return self._understood(InConversation(way, self._encoder), turn)

    def _by_model(self, name: str, turn: ClosedTurn) -> Asked:
        assert self._model is not None
        understood = self._model.understand(turn.text, turn.history)
        if wanted := _ASPECTS.get(name):
            kept = tuple(query for query in understood.queries if query.aspect in wanted)
            understood = replace(understood, queries=kept)
        queries = search_queries(understood, self._settings, running=True)
        chosen: tuple[ChosenStatement, ...] = ()
        if name == "+all-statements":
            chosen = tuple(ChosenStatement(s.id, s.text, 1.0, "all") for s in turn.statements)
        elif name in NEED_PERSON:
            chosen = self._selector.select(turn.statements, queries[0])
        near = chosen if name == "+ranking" else ()
        if chosen and not near:
            queries.append(statements_query(understood, chosen, STATEMENTS_WEIGHT, self._weights))
        return Asked(queries, understood.model_calls, understood, near)

    def nearness(self, asked: Asked, passages: Sequence[str]) -> FloatArray:
        """What is added to the passages' scores for the person; shape (len(passages),)."""
        return RANKING_WEIGHT * self._selector.nearness(asked.near, passages)
