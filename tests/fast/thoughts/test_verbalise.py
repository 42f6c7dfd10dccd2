"""Facts and changes in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from assistant.thoughts.changes import (
    Batch,
    CreateEdge,
    CreateNode,
    MoveEdge,
    ObsoleteEdge,
    RenameNode,
    RestoreEdge,
    ReviseEdge,
    ReviseNode,
)
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Evidence, Node
from assistant.thoughts.relation_words import predicate
from assistant.thoughts.verbalise import (
    MOST_CHANGES,
    Narrator,
    change_in_words,
    fact_in_words,
    thought_in_words,
)
from tests.fast.thoughts.strategies import graphs
from tests.fast.thoughts.test_kgcl import FACT, MAN, TOWER

LABELS = {TOWER.id: "the Eiffel Tower", MAN.id: MAN.label}
FACTS = {FACT.id: FACT}


@pytest.mark.parametrize(
    ("relation", "said", "denied"),
    [
        ("design", "designs", "does not design"),
        ("study at", "studies at", "does not study at"),
        ("have", "has", "does not have"),
        ("teach", "teaches", "does not teach"),
        ("play", "plays", "does not play"),
        ("consist of", "consists of", "does not consist of"),
        ("born in", "was born in", "was not born in"),
        ("located in", "is located in", "is not located in"),
        ("made of", "is made of", "is not made of"),
        ("is a", "is a", "is not a"),
        ("be the author of", "is the author of", "is not the author of"),
        ("was", "was", "was not"),
        ("has won", "has won", "has not won"),
        ("can reach", "can reach", "can not reach"),
        ("capital of", "is the capital of", "is not the capital of"),
        ("member of", "is a member of", "is not a member of"),
        ("part of", "is part of", "is not part of"),
        # Not sure: as it stands.
        ("spouse", "— spouse —", "— not spouse —"),
        ("population", "— population —", "— not population —"),
        ("glimmer", "— glimmer —", "— not glimmer —"),
        ("feed", "— feed —", "— not feed —"),
        ("designed", "— designed —", "— not designed —"),
        ("smell of", "— smell of —", "— not smell of —"),
        ("is", "is", "is not"),
        ("has", "— has —", "— not has —"),
    ],
)
def test_a_relation_is_inflected_only_where_that_is_sure(
    relation: str, said: str, denied: str
) -> None:
    assert predicate(relation) == said
    assert predicate(relation, negated=True) == denied


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (FACT, "Stephen Sauvestre designs the Eiffel Tower (1889–) [h12]"),
        (
            replace(FACT, valid_to="1890", evidence=()),
            "Stephen Sauvestre designs the Eiffel Tower (1889–1890)",
        ),
        (
            replace(FACT, valid_from="", valid_to="1890", evidence=()),
            "Stephen Sauvestre designs the Eiffel Tower (–1890)",
        ),
        (
            replace(FACT, valid_to="1889", evidence=()),
            "Stephen Sauvestre designs the Eiffel Tower (1889)",
        ),
        (
            replace(FACT, negated=True, hedged=True, valid_from=""),
            "possibly: Stephen Sauvestre does not design the Eiffel Tower [h12]",
        ),
        (
            replace(FACT, obsolete="a\ndraft", valid_from=""),
            "Stephen Sauvestre designs the Eiffel Tower [h12] (no longer counts: a draft)",
        ),
        (
            replace(
                FACT,
                valid_from="",
                evidence=(Evidence("person", "me"), *FACT.evidence, Evidence("tool", "clock")),
            ),
            "Stephen Sauvestre designs the Eiffel Tower [h12] [me] [clock]",
        ),
        (
            replace(FACT, object="entity:unknown", valid_from="", evidence=()),
            "Stephen Sauvestre designs unknown",
        ),
    ],
)
def test_a_fact(fact: object, words: str) -> None:
    assert fact_in_words(fact, LABELS) == words


def test_sources_are_cited_as_the_caller_likes() -> None:
    plain = "Stephen Sauvestre designs the Eiffel Tower (1889–)"
    assert fact_in_words(FACT, LABELS, cite={"h12": "3"}.__getitem__) == f"{plain} [3]"
    assert fact_in_words(FACT, LABELS, cite=None) == plain


def test_nothing_in_it_can_steer_a_terminal() -> None:
    evil = {TOWER.id: "\x1b[2Jx\u202ey\n\tz", MAN.id: MAN.label}
    assert fact_in_words(FACT, evil, cite=None) == "Stephen Sauvestre designs [2Jxy z (1889–)"


def test_a_thought() -> None:
    slot = Node("thought:who", "thought", "who designs it", status="wanted", why="asked")
    assert thought_in_words(slot) == "wanted: who designs it (asked)"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (CreateNode(TOWER), "new entity (building): Eiffel Tower"),
        (
            ReviseNode(TOWER, replace(TOWER, type="", aliases=("La Tour",))),
            "Eiffel Tower: type building → unset; aliases 1 more",
        ),
        (ReviseNode(TOWER, TOWER), "Eiffel Tower: as before"),
        (
            MoveEdge(FACT.id, "object", TOWER.id, MAN.id),
            "object of 'Stephen Sauvestre designs the Eiffel Tower (1889–)':"
            " Stephen Sauvestre instead of the Eiffel Tower",
        ),
        (
            ReviseEdge(FACT, replace(FACT, confidence=1.0, valid_from="")),
            "Stephen Sauvestre designs the Eiffel Tower:"
            " confidence 0.9 → 1.0; valid from 1889 → unset",
        ),
        (RestoreEdge("f00", "x"), "counts again: the fact f00"),
    ],
)
def test_a_change(change: object, words: str) -> None:
    assert change_in_words(change, LABELS, FACTS) == words


def test_a_log_is_told_as_it_was_then() -> None:
    graph = ThoughtGraph()
    graph.apply([CreateNode(TOWER), CreateNode(MAN)], author="rule", reason="x")
    other = Node("entity:other", "entity", "Sauvestre")
    graph.apply([CreateNode(other), CreateEdge(FACT)], author="rule", reason="read h12", step=1)
    graph.apply(
        [
            MoveEdge(FACT.id, "subject", MAN.id, other.id),
            RenameNode(other.id, "Sauvestre", "S. Sauvestre"),
            ObsoleteEdge(FACT.id, "a draft"),
        ],
        author="person",
        reason="read again",
    )
    narrator = Narrator(graph.log[:1])
    assert "\n".join(narrator.tell(batch) for batch in graph.log[1:]).split("\n") == [
        "2. rule, step 1: read h12",
        "   - new entity: Sauvestre",
        "   - new fact: Stephen Sauvestre designs Eiffel Tower (1889–) [h12]",
        "3. person, step 0: read again",
        "   - subject of 'Stephen Sauvestre designs Eiffel Tower (1889–)':"
        " Sauvestre instead of Stephen Sauvestre",
        "   - Sauvestre is now called S. Sauvestre",
        "   - no longer counts: S. Sauvestre designs Eiffel Tower (1889–) (a draft)",
    ]


def test_a_long_batch_is_cut() -> None:
    nodes = [CreateNode(Node(f"entity:{n}", "entity", f"{n}")) for n in range(MOST_CHANGES + 2)]
    lines = Narrator().tell(Batch(3, "rule", "read h12", 1, tuple(nodes))).split("\n")
    assert lines[:2] == ["3. rule, step 1: read h12", "   - new entity: 0"]
    assert (len(lines), lines[-1]) == (MOST_CHANGES + 2, "   … and 2 more changes")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(graphs())
def test_every_fact_and_change_is_one_line(graph: ThoughtGraph) -> None:
    labels = {node.id: node.label for node in graph.nodes()}
    facts = {fact.id: fact for fact in graph.facts(obsolete=True)}
    for fact in facts.values():
        assert len(fact_in_words(fact, labels).splitlines()) == 1
    narrator = Narrator()
    for batch in graph.log:
        assert len(narrator.tell(batch).splitlines()) == 1 + len(batch.changes)
