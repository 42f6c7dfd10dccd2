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

from assistant.errors import ModelMissingError, ModelRuntimeError
from assistant.events import Event, PassagesFound, QueriesWritten, TurnStarted
from assistant.pipeline import Assistant
from assistant.settings import load_settings
from assistant.understanding.choose import choose_understander
from assistant.understanding.distilled import DistilledUnderstander
from assistant.understanding.in_conversation import REASON, InConversation
from assistant.understanding.retrieval import search_queries
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.statements import StatementSelector
from assistant.understanding.types import Message, Understanding
from assistant.understanding.words import simple_phrases
from assistant.workspace import Workspace
from indexes.queries import Query
from tests.fast.assistant.helpers import hashed_workspace
from tests.fast.indexes.sources import HashedDense

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


def without_vectors(found: Understanding) -> Understanding:
    return replace(found, queries=tuple(replace(one, vector=None) for one in found.queries))


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
    assert without_vectors(found) == replace(by_rules, reason=found.reason)
    assert found.reason.endswith(REASON)


@pytest.mark.parametrize(
    ("message", "history"), [("How old is it?", []), ("Thank you!", HISTORY), ("hi", HISTORY)]
)
def test_what_stands_alone_is_not_encoded(message: str, history: list[Message]) -> None:
    encoder = GivenEncoder()
    found = understander(encoder).understand(message, history)
    assert encoder.asked == [] and all(query.vector is None for query in found.queries)


class Failing(GivenEncoder):
    def encode(self, message: str, history: Sequence[Message]) -> Any:
        raise ModelRuntimeError("no memory is left")


def test_without_an_encoder_the_vector_is_that_of_the_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def missing() -> Any:
        raise ModelMissingError("the weights are not there", remedy="fetch them")

    by_rules = RULES.understand("How old is it?", HISTORY)
    assert by_rules.queries[0].context == HISTORY[1].content
    failing: Any = Failing()
    for encoder in (missing, lambda: failing, lambda: None):
        assert InConversation(RULES, encoder).understand("How old is it?", HISTORY) == by_rules
    assert "the weights are not there" in caplog.text and "no memory is left" in caplog.text


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
    assert without_vectors(found) == replace(by_rules, reason=found.reason)


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
    assert isinstance(chosen(), InConversation)  # no model is installed here


TEXTS = {
    "otters": "Sea otters sleep on their backs, wrapped in kelp.",
    "lease": "The lease of the flat in Lyon ends on the last day of May.",
    "basalt": "Basalt forms where lava cools quickly at the surface.",
}


class OfTheIndex(GivenEncoder):
    """Puts every follow-up beside the passage about basalt."""

    space = HashedDense().fingerprint

    def encode(self, message: str, history: Sequence[Message]) -> Any:
        super().encode(message, history)
        return HashedDense().encode([TEXTS["basalt"]])[0]


def _two_turns(workspace: Workspace) -> list[Event]:
    assistant = Assistant(workspace)
    first = list(assistant.ask("Where do sea otters sleep?"))
    [started] = [event for event in first if isinstance(event, TurnStarted)]
    asked = "And when does the lease in Lyon end?"
    return list(assistant.ask(asked, conversation_id=started.conversation_id))


@pytest.mark.parametrize("space", [OfTheIndex.space, "another embedder"])
def test_a_turn_searches_with_the_vector_of_its_index_s_embedder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: str
) -> None:
    workspace = hashed_workspace(
        tmp_path, TEXTS, retrieval__lexical_weight=0, retrieval__sparse_weight=0
    )
    workspace.person.add("I collect basalt.")
    encoder = OfTheIndex()
    monkeypatch.setattr(workspace.loaded, "message_space", lambda: space)
    monkeypatch.setattr(workspace.loaded, "message_encoder", lambda: encoder)
    compared: list[Query] = []
    select = StatementSelector.select

    def noting(self: Any, statements: Any, query: Query, passages: Any = ()) -> Any:
        compared.append(query)
        return select(self, statements, query, passages)

    monkeypatch.setattr(StatementSelector, "select", noting)
    events = _two_turns(workspace)
    [written] = [event for event in events if isinstance(event, QueriesWritten)]
    found = next(event for event in events if isinstance(event, PassagesFound))
    fits = space == OfTheIndex.space
    assert len(encoder.asked) == fits
    assert written.reason.endswith(REASON) == fits
    assert found.passages[0].uri == ("basalt" if fits else "lease")
    assert compared and all(query.vector is None for query in compared)
