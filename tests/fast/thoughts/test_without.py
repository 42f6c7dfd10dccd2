"""Facts that a person took away for a question: they do not count, and are not read."""

from __future__ import annotations

import pytest

from assistant.answering.evidence import select_evidence, sentences_of, whole_evidence
from assistant.errors import GraphError
from assistant.thoughts.executor import Operations
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.operations import AddFact, Quoted, Thing
from tests.fast.assistant.helpers import KELP, OTTERS, passages

QUOTE = "They wrap themselves in kelp so as not to drift away."


def adding() -> AddFact:
    start = OTTERS.index(QUOTE)
    return AddFact(
        op="add_fact",
        subject=Thing(name="otters"),
        relation="wrap in",
        object=Thing(name="kelp"),
        evidence=[
            Quoted(kind="passage", source="p1", quote=QUOTE, start=start, end=start + len(QUOTE))
        ],
    )


def test_a_fact_that_was_taken_away_does_not_come_back() -> None:
    known = {"p1": OTTERS}
    first = Operations(ThoughtGraph(), passages=known).execute(adding(), author="rule")
    graph = ThoughtGraph()
    operations = Operations(graph, passages=known, without=[first.fact.id])  # type: ignore[union-attr]
    for author in ("rule", "model"):
        with pytest.raises(GraphError, match="taken away"):
            operations.execute(adding(), author=author)  # type: ignore[arg-type]
    assert list(graph.facts()) == [] and graph.log == ()
    assert {place.quote for place in operations.left_out} == {QUOTE}


def test_its_sentence_is_not_read() -> None:
    for evidence in (
        whole_evidence(passages(), [QUOTE]),
        select_evidence("kelp drift", passages(), None, budget=500, without=[QUOTE.upper(), QUOTE]),
    ):
        texts = {sentence.text for sentence in evidence.sentences}
        assert QUOTE not in texts and texts
    assert len(sentences_of(passages())) == len(sentences_of(passages(), [QUOTE])) + 1
    assert KELP.partition(". ")[0] in sentences_of(passages(), [QUOTE])[1].text
