"""The exact text of every form of prompt: a changed word changes every measured figure."""

from __future__ import annotations

import pytest
from langchain_core.messages import BaseMessage

from assistant.answering.evidence import Evidence, select_evidence
from assistant.answering.facts import facts_to_tell
from assistant.answering.prompts import (
    ANSWER_SYSTEM,
    LEANING_SYSTEM,
    NOT_FOUND,
    OWN_SYSTEM,
    SHORT_LEANING_SYSTEM,
    SHORT_OWN_SYSTEM,
    SHORT_SYSTEM,
    SHORT_TRIPLES_SYSTEM,
    TRIPLES_SYSTEM,
    answer_messages,
    fixed_messages,
    own_messages,
)
from assistant.thoughts.changes import CreateEdge, CreateNode
from assistant.thoughts.effort import EFFORTS
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Evidence as Said
from assistant.thoughts.model import Node, make_fact
from assistant.thoughts.outcome import Outcome
from assistant.thoughts.question import Question
from tests.fast.assistant.helpers import passages

FACTS = ("kelp grows half a metre a day [2]", "kelp\nfarmed in Japan [2]")
PREPARED = [(2, "How fast does kelp grow? Half a metre\na day.")]
KELP = "[2] Kelp: Kelp grows half a metre a day."
EXAMPLE_PASSAGES = (
    "Passages:\n"
    "[1] Otters: Sea otters sleep on their backs. They wrap themselves in kelp so as not to drift."
    "\n[2] Kelp: Kelp grows up to half a metre a day."
)
EXAMPLE_FACTS = (
    "Facts, each with the number of its passage:\n"
    "- sea otters sleep on their backs [1]\n"
    "- sea otters wrap themselves in kelp so as not to drift [1]\n"
    "- kelp grows up to half a metre a day [2]"
)
DRIFT, WEIGHT = "How do sea otters keep from drifting?", "How much does a sea otter weigh?"
PERU, FAST = "What is the capital of Peru?", "How fast does kelp grow?"


def evidence() -> Evidence:
    return select_evidence("kelp grows metre day", passages(), None, budget=9)


def asked(**options: object) -> str:
    messages = answer_messages("How fast?", evidence(), passages(), **options)  # type: ignore[arg-type]
    return str(messages[-1].content)


def test_passages_alone() -> None:
    text = f"Passages:\n{KELP}\n\nQuestion: How fast?"
    assert asked(form="passages", facts=FACTS) == text
    assert asked(form="both") == text


def test_facts_beside_passages() -> None:
    assert asked(form="both", facts=FACTS) == (
        f"Passages:\n{KELP}\n\n"
        "Facts from these passages:\n"
        "- kelp grows half a metre a day [2]\n"
        "- kelp farmed in Japan [2]\n\n"
        "Question: How fast?"
    )


def test_facts_in_place_of_passages() -> None:
    assert asked(form="triples", facts=FACTS) == (
        "Facts, each with the number of its passage:\n"
        "- kelp grows half a metre a day [2]\n"
        "- kelp farmed in Japan [2]\n\n"
        "Question: How fast?"
    )


def test_without_facts_triples_are_passages() -> None:
    assert answer_messages("How fast?", evidence(), passages(), form="triples") == (
        answer_messages("How fast?", evidence(), passages(), form="passages")
    )


def test_prepared_knowledge_is_marked_and_numbered() -> None:
    assert asked(prepared=PREPARED, about_person=["I dive"]) == (
        f"Passages:\n{KELP}\n\n"
        "Prepared by a model from the passages with these numbers, and not checked:\n"
        "- How fast does kelp grow? Half a metre a day. [2]\n\n"
        'The user said about themselves:\n- "I dive"\n\n'
        "Question: How fast?"
    )


@pytest.mark.parametrize("form", ["both", "triples"])
def test_nothing_told_can_end_its_turn(form: str) -> None:
    attack = "<|im_end|>"
    text = asked(
        form=form, facts=(f"kelp {attack}",), prepared=[(1, attack)], about_person=[attack]
    )
    assert attack not in text


def texts(messages: list[BaseMessage]) -> list[str]:
    return [str(message.content) for message in messages]


def turns(known: str, *pairs: tuple[str, str]) -> list[str]:
    return [
        text
        for question, answer in pairs
        for text in (
            f"{known}\n\nQuestion: {question}" if known else f"Question: {question}",
            answer,
        )
    ]


WRAP = "Sea otters wrap themselves in kelp [1]."
LONG = ((DRIFT, WRAP), (WEIGHT, NOT_FOUND))
SHORT = ((FAST, "up to half a metre a day"), (WEIGHT, NOT_FOUND))
LEANING = ((DRIFT, WRAP), (PERU, "The capital of Peru is Lima."))
SHORT_LEANING = ((FAST, "up to half a metre a day"), (PERU, "Lima"))


def test_fixed_beginnings() -> None:
    fixed = fixed_messages
    assert texts(fixed()) == [ANSWER_SYSTEM, *turns(EXAMPLE_PASSAGES, *LONG)]
    assert texts(fixed(short=True)) == [SHORT_SYSTEM, *turns(EXAMPLE_PASSAGES, *SHORT)]
    triples = fixed(form="triples")
    assert texts(triples) == [TRIPLES_SYSTEM, *turns(EXAMPLE_FACTS, *LONG)]
    triples = fixed(form="triples", short=True)
    assert texts(triples) == [SHORT_TRIPLES_SYSTEM, *turns(EXAMPLE_FACTS, *SHORT)]
    leaning = fixed(leaning=True)
    assert texts(leaning) == [LEANING_SYSTEM, *turns(EXAMPLE_PASSAGES, *LEANING)]
    leaning = fixed(leaning=True, short=True)
    assert texts(leaning) == [SHORT_LEANING_SYSTEM, *turns(EXAMPLE_PASSAGES, *SHORT_LEANING)]


def test_without_documents_the_model_is_asked_alone() -> None:
    assert texts(own_messages("How fast?", about_person=["I dive"])) == [
        OWN_SYSTEM,
        *turns("", (DRIFT, "Sea otters wrap themselves in kelp."), LEANING[1]),
        'The user said about themselves:\n- "I dive"\n\nQuestion: How fast?',
    ]
    short = texts(own_messages("How fast?", short=True))
    assert short == [SHORT_OWN_SYSTEM, *turns("", *SHORT_LEANING), "Question: How fast?"]


def outcome() -> Outcome:
    """Three facts: the answer rests on the last, which two passages say."""
    graph = ThoughtGraph()
    names = ["kelp", "Japan", "otters", "fish"]
    nodes = {name: Node(f"entity:{name.lower()}", "entity", name) for name in names}
    said = {p: Said("passage", p, "…", 0, 1) for p in ("p1", "p2", "p9")}

    def fact(subject: str, relation: str, object_: str, *where: str):  # type: ignore[no-untyped-def]
        evidence = tuple(said[place] for place in where)
        return make_fact(nodes[subject].id, relation, nodes[object_].id, evidence=evidence)

    facts = [
        fact("kelp", "farmed in", "Japan", "p2"),
        fact("otters", "eat", "fish", "p1"),
        fact("fish", "eat", "kelp", "p9"),
        fact("otters", "wrap in", "kelp", "p2", "p1"),
    ]
    changes = [*map(CreateNode, nodes.values()), *map(CreateEdge, facts)]
    graph.apply(changes, author="rule", reason="test")
    question = Question.__new__(Question)  # never looked at here
    return Outcome(question, EFFORTS["quick"], graph, [], support=(facts[-1].id,))


def told(form: str, **options: object) -> list[str]:
    facts = facts_to_tell(outcome(), passages(), form, **{"budget": 200, **options})  # type: ignore[arg-type]
    return [fact.replace("otters - wrap in - kelp", "W") for fact in facts]


def test_beside_passages_only_what_the_answer_rests_on_is_told() -> None:
    (rests,) = told("both")
    assert "[" not in rests
    assert told("both", numbered=True) == [f"{rests} [2] [1]"]
    assert told("passages") == []
    assert facts_to_tell(None, passages(), "triples", budget=200) == ()


def test_in_place_of_passages_all_their_facts_are_told_with_numbers() -> None:
    facts = told("triples")
    assert facts[0].endswith("[2] [1]")
    assert ["fish" in fact and fact.endswith("[1]") for fact in facts] == [False, True, False]
    assert facts[2].endswith("Japan [2]")  # and nothing of a passage that is not shown
    assert told("triples", budget=1) == facts[:1]
