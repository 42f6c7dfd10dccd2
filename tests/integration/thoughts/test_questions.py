"""Slots of questions with the real parser."""

from __future__ import annotations

import pytest

from assistant.models.store import ModelStore
from assistant.thoughts.question import ANSWER, MAX_VARIABLES, Question, understood_question
from assistant.thoughts.tokens import question_tokens
from assistant.understanding.parser import Parser
from tests.conftest import MODELS, weights

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def parser() -> Parser:
    weights("en-core-web-sm")
    return Parser(ModelStore(MODELS), "en-core-web-sm")


def understood(parser: Parser, text: str) -> Question:
    return understood_question(text, question_tokens(parser, text))


@pytest.mark.parametrize(
    ("text", "first", "kind", "last"),
    [
        (
            "Where was the first governor after the Missouri Compromise from?",
            "the first governor after the Missouri Compromise",
            "governor",
            "Where was ?1 from",
        ),
        (
            "What is the mascot of the oldest private university in Georgia?",
            "the oldest private university in Georgia",
            "university",
            "What is the mascot of ?1",
        ),
        (
            "In what state is the manufacturer of Bisquick headquartered?",
            "the manufacturer of Bisquick",
            "manufacturer",
            "In what state is ?1 headquartered",
        ),
        (
            "Ed Oxenbould plays Tyler in a film directed by which famous director?",
            "Ed Oxenbould plays Tyler in a film",
            "film",
            "?1 directed by which famous director",
        ),
        (
            "What is the subsidiary of the record company who released Thriller?",
            "the record company who released Thriller",
            "company",
            "What is the subsidiary of ?1",
        ),
    ],
)
def test_a_described_thing_is_a_slot(parser, text, first, kind, last) -> None:
    question = understood(parser, text)
    assert question.kind == "chain"
    assert (question.slots[0].text, question.slots[0].type) == (first, kind)
    assert (question.slots[-1].variable, question.slots[-1].text) == (ANSWER, last)
    assert "?1" in question.slots[-1].about


def test_slots_come_before_those_that_need_them(parser) -> None:
    text = (
        "In what European city is a location of the college from which the woman known as "
        "Ada Lovelace received her degree?"
    )
    slots = understood(parser, text).slots
    seen: set[str] = set()
    for slot in slots:
        assert {name for name in slot.about if name.startswith("?")} <= seen
        seen.add(slot.variable)
    assert [slot.variable for slot in slots] == ["?1", "?2", ANSWER]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("When does the lease end?", "date"),
        ("Who designed the Eiffel Tower?", "person"),
        ("How many legs does a spider have?", "number"),
        ("Which company makes Bisquick?", "company"),
        ("Where is Lacoste?", "place"),
        ("thanks", ""),
    ],
)
def test_a_plain_question_is_one_slot(parser, text, wanted) -> None:
    question = understood(parser, text)
    assert question.kind == "lookup"
    assert [slot.type for slot in question.slots] == [wanted]


@pytest.mark.parametrize(
    "text",
    [
        "Which tennis player was born first, Lucie Hradecka or Raffaella Reggi?",
        "Are both Lygodium and Maxillaria a genus of orchids?",
    ],
)
def test_a_comparison_asks_the_same_of_each(parser, text) -> None:
    question = understood(parser, text)
    assert question.kind == "comparison"
    assert len(question.slots) == 3
    assert question.slots[0].about != question.slots[1].about


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "of of of the the which what who",
        "{'op': 'add_fact'}; import os; os.remove('/')",
        "Wer hat den Eiffelturm entworfen, den Gustave Eiffel nicht entworfen hat?",
        "\u202eWhat\x00 is \ud800 the mascot",
        "the man who knew the man who knew the man who knew the man who knew Bob of Alice of Eve?",
        "What is " + "the mascot of " * 60 + "Georgia?",
        "x" * 5_000,
    ],
)
def test_any_text_has_bounded_slots(parser, text) -> None:
    question = understood(parser, text)
    assert 1 <= len(question.slots) <= MAX_VARIABLES + 1
    assert question.slots[-1].variable == ANSWER


def test_without_a_parser_a_question_is_one_slot(tmp_path) -> None:
    parser = Parser(ModelStore(tmp_path), "en-core-web-sm")
    assert not parser.installed
    question = understood(parser, "What is the mascot of the oldest university in Georgia?")
    assert question.kind == "lookup"
    assert len(question.slots) == 1
