"""Votes: different readings, stopped when decided; and when a model has nothing new to look for."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from assistant.events import StepDecided
from assistant.thoughts.deliberating import decided, says_the_same
from assistant.thoughts.effort import EFFORTS
from assistant.thoughts.thinking import Thinker
from tests.fast.assistant.chat import WritingChat
from tests.fast.thoughts.toys import work


class VotingChat(WritingChat):
    """Also answers plain questions: the next of `answers`, or fails with it."""

    answers: list[Any]
    prompts: list[str]

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.prompts.append(str(messages[-1].content))
        answer = self.answers[len(self.prompts) - 1]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])


def voting(*answers: str) -> VotingChat:
    nothing = {"facts": [], "missing": ""}
    return VotingChat(values=[nothing], asked=[], answers=list(answers), prompts=[])


def votes_of(model: VotingChat) -> tuple[str, list[str]]:
    own = work("deep")
    events = list(Thinker(own, model).think())
    assert own.outcome.calls == len(model.asked) + len(model.prompts) < EFFORTS["deep"].calls
    votes = [e.reason for e in events if isinstance(e, StepDecided) and e.step == "vote"]
    return own.outcome.vote, votes


def test_a_vote_stops_when_nothing_can_change_it() -> None:
    model = voting("Trondheim", "trondheim.", "Trondheim", "Bergen", "Bergen")
    vote, votes = votes_of(model)
    assert vote == "Trondheim"
    assert len(votes) == len(model.prompts) < 5


def test_readings_differ_from_one_another() -> None:
    model = voting("A", "B", "C", "D", "E")
    votes_of(model)
    assert len(model.prompts) == len(set(model.prompts)) > 2


def test_without_a_majority_there_is_no_vote() -> None:
    assert votes_of(voting("A", "B", "C", "D", "E"))[0] == ""
    assert votes_of(voting(*["NOT IN THE DOCUMENTS"] * 5))[0] == ""


@pytest.mark.parametrize(
    ("given", "left", "expected"),
    [
        ({"a": 2}, 1, True),
        ({"a": 2, "b": 1}, 1, False),
        ({"a": 3, "b": 1}, 1, True),
        ({"a": 1}, 1, False),
        ({}, 3, False),
        ({"a": 1, "b": 1}, 0, False),
    ],
)
def test_decided(given, left, expected) -> None:
    assert decided(Counter(given), left) is expected


def test_a_question_in_other_order_asks_nothing_new() -> None:
    question = "Where did the designer of the Eiffel Tower study?"
    assert says_the_same("where did the designer of the Eiffel Tower study", question)
    assert says_the_same("Study where, the designer of the Eiffel Tower?", question)
    assert not says_the_same("Where did Stephen Sauvestre study?", question)
    assert not says_the_same("", question)
