"""Understanding by the small language model: what it writes is checked, and rules stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage

from assistant.errors import ModelMissingError
from assistant.settings import load_settings
from assistant.understanding.choose import choose_understander
from assistant.understanding.in_conversation import InConversation
from assistant.understanding.rewriting_form import REWRITING_SYSTEM, rewriting_prompt
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.small import SmallUnderstander
from assistant.understanding.types import Message, Understanding
from assistant.understanding.words import simple_phrases
from assistant.workspace import Workspace

HISTORY = [
    Message("user", "Who designed the Eiffel Tower?"),
    Message("assistant", "The Eiffel Tower was designed by Maurice Koechlin. It is in Paris."),
]
RULES = RuleUnderstander(simple_phrases)
WRITTEN = "How tall is the Eiffel Tower?"


class Noting(GenericFakeChatModel):
    """Notes what it was asked."""

    def invoke(self, messages: Any, *arguments: Any, **options: Any) -> Any:
        self.__dict__.setdefault("noted", []).append((messages, options))
        return super().invoke(messages, *arguments, **options)


def writing(*texts: str) -> Noting:
    return Noting(messages=iter([AIMessage(text) for text in texts]))


def understood(text: str, message: str = "How tall is it?") -> Understanding:
    return SmallUnderstander(lambda: writing(text), RULES).understand(message, HISTORY)


def test_the_rewrite_is_searched_for_and_the_message_beside_it() -> None:
    model = writing(f"{WRITTEN}\n")
    found = SmallUnderstander(lambda: model, RULES).understand("Thanks! How tall is it?", HISTORY)
    assert (found.way, found.fallback, found.model_calls) == ("small", "", 1)
    assert found.standalone == WRITTEN and found.carried == () and found.answer == ""
    asked = [(q.aspect, q.text) for q in found.queries]
    assert asked == [("question", WRITTEN), ("as asked", "How tall is it?")]
    assert all(q.context == HISTORY[-1].content and q.context_weight > 0 for q in found.queries)
    [(messages, options)] = model.__dict__["noted"]
    assert [m.content for m in messages] == [
        REWRITING_SYSTEM,
        rewriting_prompt("How tall is it?", HISTORY),
    ]
    assert options["temperature"] == 0.0 and options["max_tokens"] <= 64


def test_a_message_that_stands_alone_is_searched_for_once() -> None:
    found = understood("how tall is the Eiffel Tower?", WRITTEN)
    assert [q.aspect for q in found.queries] == ["question"]
    assert found.reason == "it stands alone as it is"


def test_several_questions_are_parts() -> None:
    message = "How tall is the tower? Who painted the tower?"
    found = understood("How tall is the Eiffel Tower? Who painted it?", message)
    parts = [q.text for q in found.queries if q.aspect == "part"]
    assert parts == ["How tall is the tower?", "Who painted the tower?"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no question"),
        ("it it", "no question"),
        ("tower " * 6, "repeated itself"),
        ("Where do penguins sleep?", "something else"),
        ("the Eiffel Tower " + "x" * 5_000, "ran away"),
    ],
)
def test_rules_stand_in_and_say_why(text: str, why: str) -> None:
    found = understood(text)
    assert why in found.fallback and "rules were used instead" in found.fallback
    by_rules = RULES.understand("How tall is it?", HISTORY)
    assert (found.way, found.queries) == ("rules", by_rules.queries)


def test_a_rejected_rewrite_cost_a_call() -> None:
    assert understood("Where do penguins sleep?").model_calls == 1


def test_what_did_not_come_to_an_end_is_not_used() -> None:
    cut = AIMessage(WRITTEN, response_metadata={"finish_reason": "length"})
    model = GenericFakeChatModel(messages=iter([cut]))
    found = SmallUnderstander(lambda: model, RULES).understand("How tall is it?", HISTORY)
    assert found.way == "rules" and "did not come to an end" in found.fallback


def test_a_long_message_is_not_cut() -> None:
    def never() -> BaseChatModel:
        raise AssertionError("the model was asked for")

    message = "How tall is the tower " + "and its many parts " * 30 + "?"
    found = SmallUnderstander(never, RULES).understand(message, HISTORY)
    assert (found.way, found.model_calls) == ("rules", 0) and "too long" in found.fallback
    assert message in [query.text for query in found.queries]


def test_missing_weights_are_said() -> None:
    def missing() -> BaseChatModel:
        raise ModelMissingError("the weights 'x' are not installed", remedy="fetch them")

    found = SmallUnderstander(missing, RULES).understand("How tall is it?", HISTORY)
    assert found.way == "rules" and "'x' are not installed; rules were used" in found.fallback


@pytest.mark.parametrize(
    ("message", "history"),
    [(WRITTEN, []), ("Thanks!", HISTORY), ("Remember that I am vegan.", HISTORY)],
)
def test_first_messages_small_talk_and_commands_cost_no_call(message: str, history: list) -> None:
    def never() -> BaseChatModel:
        raise AssertionError("the model was asked for")

    found = SmallUnderstander(never, RULES).understand(message, history)
    assert found == RULES.understand(message, history)


_long = st.text(min_size=1).map(lambda text: f"{text} " * 60)
_text = st.one_of(
    st.sampled_from(["tower", "User: x", "<|im_end|>", "x" * 900, "a b " * 300]), st.text(), _long
)
_history = st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), _text), max_size=20)


@given(_text, _text, _history)
def test_whatever_is_written(message: str, text: str, history: list[Message]) -> None:
    found = SmallUnderstander(lambda: writing(text), RULES).understand(message, history)
    assert found.way in ("small", "rules") and found.queries
    if found.way == "small":
        assert all(len(q.text) <= 600 and q.weight > 0 for q in found.queries)
        assert found.model_calls == 1 and found.standalone == found.queries[0].text
    else:
        assert found.queries == RULES.understand(message, history).queries


@given(_text, _history)
def test_what_is_shown_is_bounded_and_a_line_for_each_message(
    message: str, history: list[Message]
) -> None:
    prompt = rewriting_prompt(message, history)
    *lines, last = prompt.split("\n")
    # Marks of turns grow by half when they are made harmless.
    assert last.startswith("Message: ") and len(prompt) < 1.5 * 1_900
    assert all(line.startswith(("User: ", "Assistant: ")) for line in lines)
    assert len(lines) <= 7 and "<|im_end|>" not in prompt
    shown = [line.partition(": ")[0] for line in lines]
    assert shown.count("Assistant") <= 2 and shown.count("User") <= 5


def test_the_first_message_and_the_last_answers_are_shown() -> None:
    history = [
        Message(role, f"{role} {turn}")
        for turn in range(1, 8)
        for role in ("user", "assistant")  # type: ignore[misc]
    ]
    assert rewriting_prompt("And then?", history).split("\n") == [
        "User: user 1",
        "User: user 4",
        "User: user 5",
        "User: user 6",
        "Assistant: assistant 6",
        "User: user 7",
        "Assistant: assistant 7",
        "Message: And then?",
    ]


def test_it_is_chosen_by_its_name(tmp_path: Path) -> None:
    given = {"understanding.way": "small"}
    chosen = choose_understander(
        Workspace(load_settings(given, home=tmp_path, environ={})), simple_phrases
    )
    assert isinstance(chosen, InConversation) and chosen.way == "small"
    found = chosen.understand("How tall is it?", HISTORY)  # its weights are not in this home
    assert found.way == "rules" and "rules were used instead" in found.fallback
