"""Understanding by a model: what it writes is checked, and rules stand in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from assistant.understanding.model import MAX_QUERIES, ModelUnderstander
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.types import Message, Understanding
from assistant.understanding.words import simple_phrases
from tests.fast.assistant.chat import writing, written

HISTORY = [
    Message("user", "Who designed the Eiffel Tower?"),
    Message("assistant", "The Eiffel Tower was designed by Maurice Koechlin. It is in Paris."),
]
QUESTION = "How tall is it, and who painted it?"
RULES = RuleUnderstander(simple_phrases)
GOOD = written(
    "How tall is the Eiffel Tower and who painted it?",
    ["Eiffel Tower height", "Eiffel Tower painter"],
    "The Eiffel Tower is 330 metres tall.",
)


def _understood(value: Any, message: str = QUESTION) -> Understanding:
    return ModelUnderstander(writing(value), RULES).understand(message, HISTORY)


def test_what_was_written_is_searched_for() -> None:
    model = writing(GOOD)
    understood = ModelUnderstander(model, RULES).understand(QUESTION, HISTORY)
    assert understood.way == "model" and understood.fallback == ""
    assert understood.standalone == GOOD["question"]
    assert understood.answer == GOOD["answer"]
    assert understood.carried == ()
    assert [(q.aspect, q.text) for q in understood.queries] == [
        ("question", GOOD["question"]),
        ("likely answer", GOOD["answer"]),
        ("part", "Eiffel Tower height"),
        ("part", "Eiffel Tower painter"),
        ("as asked", QUESTION),
    ]
    by_aspect = {query.aspect: query for query in understood.queries}
    assert by_aspect["likely answer"].context_weight == 0
    assert by_aspect["question"].context == HISTORY[-1].content
    assert all(query.weight > 0 for query in understood.queries)
    assert (len(model.asked), understood.model_calls) == (1, 1)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (written(""), "no question"),
        (written("is it the one?"), "no question"),
        (written("🦦🦦"), "no question"),
        (written("tower " * 6), "repeated itself"),
        (written("Where do penguins sleep?"), "something else"),
        (written("How do I get to the Philosopher's Path by bus?"), "something else"),
        (written("the Eiffel Tower " + "x" * 5_000), "ran away"),
        (written(" ".join(f"tower{n}" for n in range(900)) + " tall"), "ran away"),
        (written("How tall is the Eiffel Tower?", [], "y" * 5_000), "ran away"),
        (written("How tall is the Eiffel Tower?", ["z " * 5_000]), "ran away"),
        ({"question": "How tall is the tower?", "tool": "rm"}, "failed"),
        ({"queries": [], "answer": ""}, "failed"),
        ({"question": 7}, "failed"),
        ({"question": "How tall is the tower?", "queries": "tower"}, "failed"),
        ({"question": None}, "failed"),
        (None, "failed"),
        ("How tall is the tower?", "failed"),
        ([], "failed"),
        (RuntimeError("out of memory"), "out of memory"),
        (TimeoutError(), "failed"),
        (ValueError("x" * 10_000), "failed"),
        (RecursionError("deep"), "deep"),
    ],
)
def test_rules_stand_in_and_say_why(value: Any, why: str) -> None:
    model = writing(value)
    understood = ModelUnderstander(model, RULES).understand(QUESTION, HISTORY)
    assert why in understood.fallback
    assert "rules were used instead" in understood.fallback
    assert len(understood.fallback) < 300
    by_rules = RULES.understand(QUESTION, HISTORY)
    assert understood.queries == by_rules.queries
    assert (understood.way, understood.standalone) == ("rules", by_rules.standalone)
    assert (len(model.asked), understood.model_calls) == (1, 1)


@pytest.mark.parametrize("text", ["not JSON", '{"question": ', "[]", '{"question": "tower"} x'])
def test_model_without_structured_output_is_no_failure_of_the_turn(text: str) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage(text)]))
    understood = ModelUnderstander(model, RULES).understand(QUESTION, HISTORY)
    assert understood.way == "rules" and understood.fallback


def test_first_message_costs_no_call() -> None:
    model = writing()
    understood = ModelUnderstander(model, RULES).understand(QUESTION, [])
    assert understood == RULES.understand(QUESTION, [])
    assert (len(model.asked), understood.model_calls) == (0, 0)


@pytest.mark.parametrize("text", ["Thanks!", "Remember that I am vegan.", "forget my flat"])
def test_small_talk_and_commands_cost_no_call(text: str) -> None:
    model = writing()
    understood = ModelUnderstander(model, RULES).understand(text, HISTORY)
    assert understood.fallback == ""
    assert (len(model.asked), understood.model_calls) == (0, 0)


def test_one_call_for_each_turn() -> None:
    model = writing(*[GOOD] * 4)
    understander = ModelUnderstander(model, RULES)
    history: list[Message] = []
    for turn in range(5):
        understander.understand(QUESTION, history)
        assert len(model.asked) == turn
        history = [*history, *HISTORY]


def test_equal_queries_are_searched_for_once() -> None:
    value = written(QUESTION.upper(), [QUESTION, "tower height", "Tower HEIGHT", "", "  "], "…")
    understood = _understood(value)
    assert [(q.aspect, q.text) for q in understood.queries] == [
        ("question", QUESTION.upper()),
        ("part", "tower height"),
    ]


_text = st.one_of(st.sampled_from(["Tower height", "tower HEIGHT", "", " "]), st.text(max_size=40))


@given(
    _text,
    st.one_of(
        st.none(),
        st.text(max_size=20),
        st.builds(written, _text, st.lists(_text, max_size=9), _text),
        st.dictionaries(st.sampled_from(["question", "queries", "answer", "more"]), _text),
    ),
    st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), _text), max_size=6),
)
def test_whatever_is_written(message: str, value: Any, history: list[Message]) -> None:
    understood = ModelUnderstander(writing(value), RULES).understand(message, history)
    texts = [query.text for query in understood.queries]
    assert 1 <= len(texts) <= MAX_QUERIES
    assert all(query.weight > 0 for query in understood.queries)
    assert understood.queries[0].weight == max(query.weight for query in understood.queries)
    if understood.way == "model":
        assert len({text.casefold() for text in texts}) == len(texts)
        assert texts[0] == understood.standalone
        assert not understood.fallback
    else:
        assert bool(understood.fallback) == bool(understood.model_calls)
