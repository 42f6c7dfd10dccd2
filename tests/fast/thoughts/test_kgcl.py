"""The change log as KGCL text and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings

from assistant.errors import GraphError, UsageError
from assistant.thoughts.changes import (
    CreateEdge,
    CreateNode,
    DeleteEdge,
    MoveEdge,
    ObsoleteEdge,
    RenameNode,
    ReviseEdge,
    ReviseNode,
)
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.kgcl import from_kgcl, to_kgcl
from assistant.thoughts.model import Evidence, Node, make_fact
from tests.fast.thoughts.strategies import graphs

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)

# KGCL's own grammar of the statements that we write, as regular expressions: a quoted string has
# no quotation mark and no line break, an identifier no white space.
_Q, _I = r"'[^'\n]*'", r"[^\s']\S*"
_GRAMMAR = re.compile(
    rf"create node {_I} {_Q}|rename {_I} from {_Q} to {_Q}|delete {_I}"
    rf"|(?:create|remove) synonym {_Q} for {_I}|add definition {_Q} to {_I}"
    rf"|(?:create|delete|obsolete|unobsolete) edge {_I} {_I} {_I}"
    rf"|move {_I} {_I} {_I} from {_I} to {_I}"
    rf"|change annotation of {_I} with {_I} from {_Q} to {_Q}"
)

TOWER = Node("entity:eiffel tower", "entity", "Eiffel Tower", type="building")
MAN = Node("entity:stephen sauvestre", "entity", "Stephen Sauvestre")
FACT = make_fact(
    MAN.id,
    "design",
    TOWER.id,
    evidence=(Evidence("passage", "h12", "Sauvestre designed it.", 4, 26),),
    confidence=0.9,
    valid_from="1889",
)


def tower() -> ThoughtGraph:
    graph = ThoughtGraph()
    changes = [CreateNode(TOWER), CreateNode(MAN), CreateEdge(FACT)]
    graph.apply(changes, author="rule", reason="read h12", step=1)
    return graph


@SLOW
@given(graphs())
def test_a_log_survives_being_written_and_read(graph: ThoughtGraph) -> None:
    read = from_kgcl(to_kgcl(graph.log))
    assert tuple(read) == graph.log
    assert ThoughtGraph.replay(read).snapshot() == graph.snapshot()


@SLOW
@given(graphs())
def test_a_reader_without_escapes_and_comments_finds_kgcl_statements(graph: ThoughtGraph) -> None:
    for line in to_kgcl(graph.log).split("\n"):
        statement = line.partition(" # ")[0]
        assert not statement or statement.startswith("#") or _GRAMMAR.fullmatch(statement), line


@SLOW
@given(graphs())
def test_the_end_of_a_log_can_be_written_alone(before: ThoughtGraph) -> None:
    half = len(before.log) // 2
    base = ThoughtGraph.replay(before.log[:half])
    rest = before.log[half:]
    assert tuple(from_kgcl(to_kgcl(rest, base), base)) == rest


def test_what_is_written() -> None:
    graph = tower()
    more = FACT.with_evidence((Evidence("person", "me"),), 1.0)
    graph.apply([ReviseEdge(FACT, more)], author="model", reason="it's so", step=2)
    graph.apply([ObsoleteEdge(FACT.id, "a draft")], author="person", reason="read again")
    assert to_kgcl(graph.log).split("\n") == [
        "# batch 1 by rule at step 1: 'read h12'",
        """create node entity:eiffel_tower 'Eiffel Tower' # {"type": "building"}""",
        "create node entity:stephen_sauvestre 'Stephen Sauvestre'",
        "create edge entity:stephen_sauvestre design entity:eiffel_tower"
        ' # {"evidence": [{"kind": "passage", "source": "h12", "quote": "Sauvestre designed it.",'
        ' "start": 4, "end": 26}], "confidence": 0.9, "valid_from": "1889"}',
        "",
        r"# batch 2 by model at step 2: 'it\u0027s so'",
        f"change annotation of fact:{FACT.id} with evidence from '1' to '2'"
        ' # {"evidence": [{"kind": "passage", "source": "h12", "quote": "Sauvestre designed it.",'
        ' "start": 4, "end": 26}, {"kind": "person", "source": "me"}]}',
        f"change annotation of fact:{FACT.id} with confidence from '0.9' to '1.0'"
        ' # {"joined": true}',
        "",
        "# batch 3 by person at step 0: 'read again'",
        'obsolete edge entity:stephen_sauvestre design entity:eiffel_tower # {"reason": "a draft"}',
        "",
    ]


def test_statements_written_by_hand() -> None:
    text = """
        # my notes
        create node entity:ada_lovelace 'Ada Lovelace'   # she wrote the first program
        create node 'entity:london' "London"
        create node entity:paris 'Paris'
        create edge entity:ada_lovelace born_in entity:paris
        create edge 'Ada Lovelace' 'live in' 'London'
        move 'Ada Lovelace' born_in Paris from entity:paris to entity:london
        """.replace("born_in Paris", "born_in entity:paris")
    (batch,) = from_kgcl(text)
    assert (batch.number, batch.author, batch.reason, batch.step) == (
        1,
        "person",
        "written as KGCL",
        0,
    )
    born = make_fact("entity:ada lovelace", "born in", "entity:paris")
    assert batch.changes[3] == CreateEdge(born)
    assert batch.changes[5] == MoveEdge(born.id, "object", "entity:paris", "entity:london")
    graph = ThoughtGraph.replay([batch])
    assert [f.relation for f in graph.between("entity:ada lovelace", "entity:london")] == [
        "live in",
        "born in",
    ]


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        ("rename 'Eiffel Tower' as 'Tour'", RenameNode(TOWER.id, "Eiffel Tower", "Tour")),
        (
            "rename entity:eiffel_tower from 'Eiffel Tower' -> 'Tour'",
            RenameNode(TOWER.id, "Eiffel Tower", "Tour"),
        ),
        (
            "create exact synonym 'La Tour' for entity:eiffel_tower",
            ReviseNode(
                TOWER,
                Node(TOWER.id, "entity", "Eiffel Tower", type="building", aliases=("La Tour",)),
            ),
        ),
        ("delete edge entity:stephen_sauvestre design 'Eiffel Tower'", DeleteEdge(FACT)),
        (
            "obsolete edge 'Stephen Sauvestre' design 'Eiffel Tower'",
            ObsoleteEdge(FACT.id, "a person made it obsolete"),
        ),
    ],
)
def test_a_statement_by_hand_finds_what_it_means(statement: str, change: object) -> None:
    base = tower()
    (batch,) = from_kgcl(statement, base)
    assert batch.changes == (change,)
    assert batch.number == 2
    assert base.snapshot() == tower().snapshot()


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("make node entity:x 'x'", UsageError, ["is no statement", "create node KIND:NAME"]),
        ("deepen entity:x from entity:y to entity:z", UsageError, ["is no statement"]),
        ("create node entity:x", UsageError, ["ends too early", "create node KIND:NAME 'LABEL'"]),
        ("create node entity:x label", UsageError, ["not in quotation marks"]),
        ("create node entity:x 'a' 'b'", UsageError, ["too much"]),
        ("create node entity:x 'it's'", UsageError, ["quotation does not end"]),
        ("create node GO:0001 'x'", UsageError, ["no node's id", "entity, value, passage"]),
        ("create node entity: 'x'", UsageError, ["no node's id"]),
        ("create node entity:%FF 'x'", UsageError, ["not percent-encoded"]),
        ("create node entity:x ' '", GraphError, ["has no name"]),
        ("create node entity:x '" + "x" * 201 + "'", GraphError, ["201 characters"]),
        ("create node entity:eiffel_tower 'x'", GraphError, ["already"]),
        ("create edge entity:x design entity:eiffel_tower", GraphError, ["no node 'entity:x'"]),
        ("create edge 'Nobody' design 'Eiffel Tower'", GraphError, ["no nodes are called"]),
        ("delete entity:eiffel_tower", GraphError, ["still has facts"]),
        ("delete edge 'Eiffel Tower' design 'Eiffel Tower'", GraphError, ["no fact"]),
        ('create node entity:x \'x\' # {"typ": "a"}', UsageError, ["unknown typ"]),
        ("create node entity:x 'x' # {\"type\": 3}", UsageError, ["type: ", "string"]),
        ("create node entity:x 'x' # {\"type\": ", UsageError, ["not a JSON object"]),
        ("create node entity:x 'x' # {\"a\":" + "[" * 99_999, UsageError, ["not a JSON object"]),
        ("create node entity:x 'x' # {\"joined\": true}", UsageError, ["joined to"]),
        (
            "create edge 'Eiffel Tower' x 'Eiffel Tower' # {\"confidence\": 2}",
            GraphError,
            ["not in [0, 1]"],
        ),
        (
            "change annotation of entity:eiffel_tower with type from 'x' to 'y'",
            GraphError,
            ["type is 'building', not 'x'"],
        ),
        (
            "change annotation of entity:eiffel_tower with id from 'x' to 'y'",
            UsageError,
            ["'id' is none of"],
        ),
        ("# batch 1 by nobody at step 1: 'x'", UsageError, ["incomplete", "rule|model|person"]),
        ("x" * 1_000_001, UsageError, ["1,000,001 characters"]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    statement: str, kind: type[Exception], words: list[str]
) -> None:
    base = tower()
    with pytest.raises(kind) as caught:
        from_kgcl(f"# my own\n\n{statement}\n", base)
    assert type(caught.value) is kind
    for word in ("line 3: ", *words):
        assert word in str(caught.value)
    assert base.snapshot() == tower().snapshot()


def test_an_ambiguous_statement_asks_for_the_id() -> None:
    base = tower()
    other = make_fact(MAN.id, "design", TOWER.id, valid_from="1884")
    base.apply([CreateEdge(other)], author="rule", reason="two")
    statement = "delete edge 'Stephen Sauvestre' design 'Eiffel Tower'"
    with pytest.raises(GraphError, match="there are 2 facts"):
        from_kgcl(statement, base)
    (batch,) = from_kgcl(f'{statement} # {{"id": "{other.id}"}}', base)
    assert batch.changes == (DeleteEdge(other),)


def test_a_batch_without_statements_is_refused() -> None:
    with pytest.raises(GraphError, match="batch 1 has no statements"):
        from_kgcl("# batch 1 by rule at step 0: ''\n")
