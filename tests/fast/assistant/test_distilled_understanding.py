"""The rewriter's understanding, with a tagger whose probabilities are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.distillation.tags.model import Tagged
from assistant.distillation.tags.words import Word, stem_places, stems_of
from assistant.errors import ModelMissingError
from assistant.settings import load_settings
from assistant.understanding.choose import choose_understander
from assistant.understanding.distilled import MAX_WORDS, DistilledUnderstander, carried_words
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.types import Message
from assistant.understanding.words import simple_phrases
from assistant.workspace import Workspace

HISTORY = [
    Message("user", "Tell me about the University of Toronto."),
    Message("assistant", "The university is in Canada. Its computer-science program is famous."),
]
RULES = RuleUnderstander(simple_phrases)


class GivenTagger:
    """Probabilities by stem; 0 for every other word."""

    threshold = 0.5

    def __init__(self, probabilities: dict[str, float]) -> None:
        self._probabilities = probabilities
        self.asked: list[str] = []

    def tag(self, message: str, history: Sequence[Message]) -> list[Tagged]:
        self.asked.append(message)
        present = stems_of([message])
        return [
            Tagged(Word(number, start, end, stem), self._probabilities.get(stem, 0.0))
            for number in range(len(history) - 1, -1, -1)
            for start, end, stem in stem_places(history[number].content)
            if stem not in present
        ]


def understander(probabilities: dict[str, float]) -> DistilledUnderstander:
    tagger: Any = GivenTagger(probabilities)
    return DistilledUnderstander(lambda: tagger, RULES)


def test_what_is_left_unsaid_is_carried_over_as_phrases() -> None:
    found = understander({"university": 0.7, "toronto": 0.9, "computer-science": 0.6}).understand(
        "How good is its program?", HISTORY
    )
    assert found.carried == ("University of Toronto", "computer-science")
    assert found.standalone == (
        "How good is its program? (about: University of Toronto, computer-science)"
    )
    assert (found.way, found.fallback, found.model_calls) == ("distilled", "", 0)
    as_asked, with_words = found.queries
    assert as_asked.aspect == "as asked" and with_words.aspect == "question"
    assert with_words.text == "How good is its program? University of Toronto computer-science"
    assert as_asked.text == "How good is its program?"
    assert as_asked.context == with_words.context == HISTORY[1].content
    assert as_asked.weight > with_words.weight


def test_a_message_that_says_all_is_searched_for_as_it_is() -> None:
    asked = "Which bridges are there in Lyon?"
    found = understander({}).understand(asked, HISTORY)
    assert [query.text for query in found.queries] == [asked] == [found.standalone]
    assert found.carried == () and found.way == "distilled"


def test_parts_of_a_question_are_searched_for_too() -> None:
    asked = "How large is its campus? Which programs are famous there?"
    found = understander({"toronto": 0.9}).understand(asked, HISTORY)
    assert [query.aspect for query in found.queries] == ["as asked", "question", "part", "part"]


@pytest.mark.parametrize("message", ["Thanks!", "Remember that I live in Ghent."])
def test_what_is_no_matter_of_documents_is_not_tagged(message: str) -> None:
    tagger: Any = GivenTagger({})
    found = DistilledUnderstander(lambda: tagger, RULES).understand(message, HISTORY)
    assert found == RULES.understand(message, HISTORY) and tagger.asked == []


def test_a_first_message_is_understood_by_rules() -> None:
    found = understander({}).understand("How tall is it?", [])
    assert found.way == "rules" and found.fallback == ""


def test_without_weights_rules_stand_in_visibly() -> None:
    def missing() -> Any:
        raise ModelMissingError("the weights 'rewriter' are not there", remedy="fetch them")

    found = DistilledUnderstander(missing, RULES).understand("How good is its program?", HISTORY)
    by_rules = RULES.understand("How good is its program?", HISTORY)
    assert found == replace(by_rules, fallback=found.fallback)
    assert found.fallback == "the weights 'rewriter' are not there; rules were used instead"


def tagged(history: Sequence[Message], probabilities: dict[str, float]) -> list[Tagged]:
    return GivenTagger(probabilities).tag("?", history)


def test_a_word_that_was_said_twice_is_taken_from_the_longer_phrase() -> None:
    history = [Message("user", "lung cancer"), Message("assistant", "Cancer spreads.")]
    assert carried_words(tagged(history, {"cancer": 0.9, "lung": 0.8}), history) == ("lung cancer",)


def test_words_of_one_phrase_stand_side_by_side() -> None:
    history = [Message("user", "Lewis and Clark, who left Fort Clatsop in spring")]
    found = carried_words(
        tagged(history, {"lewi": 0.9, "clark": 0.8, "fort": 0.7, "clatsop": 0.6}), history
    )
    assert found == ("Lewis and Clark", "Fort Clatsop")


def test_only_so_many_words_are_carried_the_likeliest() -> None:
    words = [f"w{chr(97 + n)}x" for n in range(20)]
    history = [Message("user", ", ".join(words))]
    values = {word: 0.5 + n / 50 for n, word in enumerate(words)}
    found = carried_words(tagged(history, values), history)
    assert found == tuple(reversed(words[-MAX_WORDS:]))


@given(
    st.text(max_size=100),
    st.lists(
        st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=150)),
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_any_text_is_understood_somehow(message: str, history: list[Message], draw: Any) -> None:
    class Drawn(GivenTagger):
        def tag(self, message: str, history: Sequence[Message]) -> list[Tagged]:
            found = super().tag(message, history)
            return [replace(one, probability=draw.random()) for one in found]

    tagger: Any = Drawn({})
    found = DistilledUnderstander(lambda: tagger, RULES).understand(message, history)
    assert 1 <= len(found.queries) <= 5 and found.reason
    said = [one.content for one in history]
    plain = [" ".join(text.split()) for text in said]
    assert all(any(phrase in text for text in plain) for phrase in found.carried)


def test_the_setting_chooses_it(tmp_path: Path) -> None:
    named = {"understanding.way": "distilled", "understanding.vector": "text"}
    settings = load_settings(named, home=tmp_path, environ={})
    chosen = choose_understander(Workspace(settings), simple_phrases)
    assert isinstance(chosen, DistilledUnderstander)
    # MiniLM is not installed here: said, not raised
    found = chosen.understand("How good is its program?", HISTORY)
    assert found.way == "rules" and "rules were used instead" in found.fallback
