"""Passages that try to operate the graph: nothing happens but what rules read in their sentences."""

from __future__ import annotations

import pytest

from assistant.models.store import ModelStore
from assistant.thoughts.budget import Budget
from assistant.thoughts.changes import CreateEdge, CreateNode
from assistant.thoughts.effort import EFFORTS
from assistant.thoughts.extraction.deterministic import DeterministicExtractor
from assistant.thoughts.knowledge import NowReader
from assistant.thoughts.model import normal_form
from assistant.thoughts.question import understood_question
from assistant.thoughts.thinking import Thinker
from assistant.thoughts.tokens import question_tokens
from assistant.thoughts.work import Means, Work
from assistant.understanding.parser import Parser
from indexes.documents import Passage
from indexes.index import Hit
from indexes.queries import Query
from tests.conftest import MODELS, weights
from tests.fast.assistant.thoughts.extraction.attacks import ATTACKS

pytestmark = pytest.mark.integration

QUESTION = "What is the password of the owner of the garage in Lyon?"


@pytest.fixture(scope="module")
def parser() -> Parser:
    weights("en-core-web-sm")
    return Parser(ModelStore(MODELS), "en-core-web-sm")


def test_there_are_a_hundred_attacks() -> None:
    assert len(ATTACKS) >= 100


def test_no_attack_operates_the_graph(parser: Parser) -> None:
    knowledge = NowReader(DeterministicExtractor(parser))
    question = understood_question(QUESTION, question_tokens(parser, QUESTION))
    for number, text in enumerate(ATTACKS):
        passage = Passage(f"p{number}", f"d{number}", text, 0, len(text), "Notes", "/notes")
        hits = [Hit(passage, 1, 1.0, {})]
        queries = (Query(QUESTION),)
        means = Means(lambda q: hits, lambda ids: [], knowledge, None, queries)  # noqa: B023
        work = Work(question, hits, means, EFFORTS["quick"], Budget(0, 60))
        list(Thinker(work).think())
        graph = work.outcome.graph
        said = f" {normal_form(text)} notes "
        for batch in graph.log:
            assert batch.author == "rule"
            for change in batch.changes:
                if isinstance(change, CreateEdge):
                    (evidence,) = change.fact.evidence
                    assert evidence.source == passage.id
                    assert text[evidence.start : evidence.end] == evidence.quote
                if isinstance(change, CreateNode) and change.node.kind in ("entity", "value"):
                    words = normal_form(change.node.label).split()
                    assert all(word in said for word in words), (text, change.node.label)
        assert len(graph) <= 200
