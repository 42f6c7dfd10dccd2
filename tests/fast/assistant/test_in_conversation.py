"""Queries that bring the vector of a message in its conversation, with an encoder that is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ModelMissingError
from assistant.settings import load_settings
from assistant.understanding.choose import choose_understander
from assistant.understanding.distilled import DistilledUnderstander
from assistant.understanding.in_conversation import REASON, InConversation
from assistant.understanding.model import ModelUnderstander
from assistant.understanding.retrieval import search_queries
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.types import Message
from assistant.understanding.words import simple_phrases
from assistant.workspace import Workspace

HISTORY = [
    Message("user", "Tell me about the University of Toronto."),
    Message("assistant", "The university is in Canada."),
]
RULES = RuleUnderstander(simple_phrases)


class GivenEncoder:
    space = "the embedder's"

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def encode(self, message: str, history: Sequence[Message]) -> Any:
        self.asked.append((message, len(history)))
        return np.array([0.0, 1.0], np.float32)


def understander(encoder: GivenEncoder) -> InConversation:
    given: Any = encoder
    return InConversation(RULES, lambda: given)


def test_the_message_as_it_was_asked_brings_the_vector(tmp_path: Path) -> None:
    encoder = GivenEncoder()
    asked = "Thanks! How old are its oldest buildings? Where does the longest river of Canada end?"
    found = understander(encoder).understand(asked, HISTORY)
    [(message, count)] = encoder.asked
    assert message.startswith("How old") and count == 2
    settings = load_settings(home=tmp_path, environ={})
    queries = search_queries(found, settings, running=True)
    brought = {one.aspect: one.vector for one in found.queries}
    for aspect in ("as asked", "question"):
        vector = brought[aspect]  # type: ignore[index]
        assert vector is not None and vector.space == "the embedder's"
    assert brought["part"] is None
    assert [query.vector for query in queries] == [one.vector for one in found.queries]
    # words, weights and what is told to the person are the inner one's
    by_rules = RULES.understand(asked, HISTORY)
    assert found == replace(by_rules, reason=found.reason) and found.reason.endswith(REASON)


@pytest.mark.parametrize(
    ("message", "history"), [("How old is it?", []), ("Thank you!", HISTORY), ("hi", HISTORY)]
)
def test_what_stands_alone_is_not_encoded(message: str, history: list[Message]) -> None:
    encoder = GivenEncoder()
    found = understander(encoder).understand(message, history)
    assert encoder.asked == [] and all(query.vector is None for query in found.queries)


def test_without_weights_the_vector_is_that_of_the_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def missing() -> Any:
        raise ModelMissingError("the weights are not there", remedy="fetch them")

    found = InConversation(RULES, missing).understand("How old is it?", HISTORY)
    assert found.queries[0].vector is None and found.queries[0].context == HISTORY[1].content
    assert "the weights are not there" in caplog.text


@given(
    st.text(max_size=60),
    st.lists(
        st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=60)),
        max_size=5,
    ),
)
def test_any_conversation_is_understood_as_without_it(message: str, history: list[Message]) -> None:
    found = understander(GivenEncoder()).understand(message, history)
    by_rules = RULES.understand(message, history)
    assert found == replace(by_rules, reason=found.reason)


def test_the_setting_chooses_it(tmp_path: Path) -> None:
    def chosen(**values: str) -> Any:
        named = {f"understanding.{key}": value for key, value in values.items()}
        settings = load_settings(named, home=tmp_path, environ={})
        return choose_understander(Workspace(settings), simple_phrases)

    assert isinstance(chosen(way="rules"), InConversation)
    assert isinstance(chosen(way="rules", vector="text"), RuleUnderstander)
    distilled = chosen(way="distilled")
    assert isinstance(distilled, InConversation) and distilled.way == "distilled"
    assert isinstance(chosen(way="distilled", vector="text"), DistilledUnderstander)
    assert not isinstance(chosen(), ModelUnderstander)  # none is installed here
