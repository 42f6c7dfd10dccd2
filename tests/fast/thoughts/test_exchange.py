"""Graphs in GraphML, JSON-LD, KGCL and Mermaid."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import HealthCheck, given, settings

from assistant.errors import GraphError, UnknownNameError, UsageError
from assistant.thoughts import exchange
from assistant.thoughts.changes import CreateEdge, CreateNode
from assistant.thoughts.exchange import IMPORT_FORMATS, additions, export, import_graph
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.mermaid import MAX_NODES, to_mermaid
from assistant.thoughts.model import Node, make_fact
from assistant.thoughts.state import Snapshot
from tests.fast.thoughts.strategies import graphs
from tests.fast.thoughts.test_kgcl import FACT, tower

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


@SLOW
@given(graphs())
@pytest.mark.parametrize("format", IMPORT_FORMATS)
def test_a_graph_survives_export_and_import(format: str, graph: ThoughtGraph) -> None:
    again = import_graph(export(graph, format), format, name="x")
    assert again.snapshot() == graph.snapshot()
    assert len(again.log) == (1 if graph.snapshot().nodes else 0)


@pytest.mark.parametrize("format", IMPORT_FORMATS)
def test_an_import_is_one_batch_of_the_persons(format: str) -> None:
    graph = import_graph(export(tower(), format), format, name="tower.xml")
    (batch,) = graph.log
    assert (batch.author, batch.reason) == ("person", "imported from tower.xml")
    assert {type(change) for change in batch.changes} == {CreateNode, CreateEdge}
    graph.undo()
    assert graph.snapshot() == ThoughtGraph().snapshot()


def test_graphml_is_readable_by_others() -> None:
    import networkx as nx

    read = nx.parse_graphml(export(tower(), "graphml"), force_multigraph=True, edge_key_type=str)
    assert read.nodes["entity:eiffel tower"] == {
        "kind": "entity",
        "label": "Eiffel Tower",
        "type": "building",
    }
    data = read.edges["entity:stephen sauvestre", "entity:eiffel tower", FACT.id]
    assert (data["relation"], data["confidence"], data["negated"]) == ("design", 0.9, False)
    assert json.loads(data["evidence"])[0]["source"] == "h12"


def test_jsonld_speaks_schema_org() -> None:
    document = json.loads(export(tower(), "jsonld"))
    by_id = {thing["@id"]: thing for thing in document["@graph"]}
    man = by_id["entity:stephen%20sauvestre"]
    assert (man["@type"], man["label"]) == ("schema:Thing", "Stephen Sauvestre")
    assert document["@context"]["label"] == "schema:name"
    fact = by_id[f"fact:{FACT.id}"]
    assert (fact["@type"], fact["subject"]) == ("rdf:Statement", "entity:stephen%20sauvestre")
    assert fact["evidence"] == [
        {
            "kind": "passage",
            "source": "h12",
            "quote": "Sauvestre designed it.",
            "start": 4,
            "end": 26,
        }
    ]
    assert (fact["valid_from"], document["@context"]["valid_from"]) == ("1889", "schema:validFrom")


def _graphml(body: str, keys: str = "", head: str = "", direction: str = "directed") -> str:
    return (
        f'<?xml version="1.0"?>{head}<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        '<key id="k" for="node" attr.name="kind" attr.type="string"/>'
        '<key id="l" for="node" attr.name="label" attr.type="string"/>'
        '<key id="r" for="edge" attr.name="relation" attr.type="string"/>'
        f'{keys}<graph edgedefault="{direction}">{body}</graph></graphml>'
    )


def _node(identity: str, kind: str = "entity", label: str = "X") -> str:
    return f'<node id="{identity}"><data key="k">{kind}</data><data key="l">{label}</data></node>'


_EDGE = '<edge source="{}" target="{}" id="e"><data key="r">design</data></edge>'
_BILLION = (
    '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


def test_graphml_of_others_is_read_literally() -> None:
    text = _graphml(_node("entity:x", label=r"a\u0041") + _node("entity:y"))
    assert [n.label for n in import_graph(text, "graphml").nodes()] == [r"a\u0041", "X"]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("", UsageError, "not XML"),
        ("{}", UsageError, "not XML"),
        ("<a>", UsageError, "not XML"),
        ("<a/>", UsageError, "not GraphML"),
        ("<y:graphml/>", UsageError, "not XML"),
        ("<graphml>\ud800</graphml>", UsageError, "not XML"),
        ("<graphml>" + "<a>" * 9_999 + "</a>" * 9_999 + "</graphml>", UsageError, "not GraphML"),
        (
            f'<?xml version="1.0" encoding="utf-16"?>{_BILLION}<graphml>&c;</graphml>',
            UsageError,
            "document type",
        ),
        (_graphml(_node("entity:x", label="&c;"), head=_BILLION), UsageError, "document type"),
        (
            _graphml(
                _node("entity:x", label="&f;"),
                head='<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
            ),
            UsageError,
            "document type",
        ),
        (_graphml(_node("entity:x"), direction="undirected"), GraphError, "undirected"),
        (_graphml(_node("planet:x", kind="planet")), UsageError, "kind"),
        (_graphml(_node("value:x", kind="entity")), GraphError, "does not begin with 'entity:'"),
        (_graphml(_node("entity:x", label="y" * 201)), GraphError, "201 characters"),
        (_graphml('<node id="entity:x"/>'), GraphError, "no node with a kind and a label"),
        (
            _graphml(_node("entity:x") + _EDGE.format("entity:x", "entity:y")),
            GraphError,
            "'entity:y' is no node with a kind and a label",
        ),
        (
            _graphml(
                _node("thought:x", kind="thought")
                + _node("entity:y")
                + _EDGE.format("entity:y", "thought:x")
            ),
            GraphError,
            "joins entities and values",
        ),
    ],
)
def test_graphml_that_is_refused(text: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as caught:
        import_graph(text, "graphml")
    assert type(caught.value) is kind
    assert words in str(caught.value)


_X = {"@id": "entity:x", "label": "X"}
_F = {"@id": "fact:1", "@type": "rdf:Statement", "relation": "r", "subject": "entity:x"}


@pytest.mark.parametrize(
    ("things", "kind", "words"),
    [
        ([{**_X, "@id": "planet:x"}], UsageError, "kind"),
        ([{**_X, "@id": 3}], UsageError, "are texts"),
        ([{**_X, "@id": "entity:%FF"}], UsageError, "percent-encoded"),
        ([{**_X, "colour": "red"}], UsageError, "a node has no colour"),
        ([{**_X, "label": 3}], UsageError, "label"),
        ([{**_X, "aliases": ["y" * 201]}], GraphError, "201 characters"),
        ([_X, _X], GraphError, "occurs twice"),
        ([_X, {**_F, "object": "entity:y"}], GraphError, "no node 'entity:y'"),
        ([_X, _F], UsageError, "are texts"),
        ([_X, {**_F, "object": "entity:x", "confidence": 7}], GraphError, "not in [0, 1]"),
        (
            [_X, {**_F, "object": "entity:x", "evidence": [{"kind": "dream", "source": ""}]}],
            UsageError,
            "evidence.0.kind",
        ),
        ([_X, {**_F, "@id": "1", "object": "entity:x"}], UsageError, "begins with 'fact:'"),
        ([3], UsageError, "not a list of objects"),
        (None, UsageError, "not a list of objects"),
    ],
)
def test_jsonld_that_is_refused(things: object, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as caught:
        import_graph(json.dumps({"@graph": things}), "jsonld")
    assert type(caught.value) is kind
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"@graph": NaN}', "<x/>"])
def test_what_is_no_jsonld_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not "):
        import_graph(text, "jsonld")


def test_a_text_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_CHARACTERS", 10)
    with pytest.raises(UsageError, match=r"big\.xml has 11 characters"):
        import_graph("x" * 11, "kgcl", name="big.xml")


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'graphml'"):
        export(tower(), "graphlm")
    with pytest.raises(UnknownNameError, match="unknown format to import 'mermaid'"):
        import_graph("flowchart LR", "mermaid")


def test_mermaid() -> None:
    assert export(tower(), "mermaid").split("\n") == [
        "flowchart LR",
        '  n1["Eiffel Tower"]',
        '  n2["Stephen Sauvestre"]',
        '  n2 -->|"design"| n1',
        "",
    ]


_LINE = re.compile(
    r'flowchart LR|  n\d+(?:\[|\(\[|\[\[|\{\{)"L+"(?:\]|\]\)|\]\]|\}\})'
    r'|  n\d+ (?:-->|-\.->)\|"L+"\| n\d+'.replace("L", r"(?:[^\W_]|[ ,.\-]|#\d+;|[^\x00-\x7f])")
)


@SLOW
@given(graphs())
def test_nothing_breaks_out_of_a_mermaid_label(graph: ThoughtGraph) -> None:
    text = to_mermaid(graph.snapshot())
    for line in text.rstrip("\n").split("\n"):
        assert _LINE.fullmatch(line), line


def test_a_drawing_of_a_part_hangs_together() -> None:
    nodes = tuple(Node(f"entity:{n:04}", "entity", f"{n}") for n in range(1000))
    ring = tuple(make_fact(f"entity:{n:04}", "r", f"entity:{n * 7 % 1000:04}") for n in range(1000))
    text = to_mermaid(Snapshot(nodes, tuple(sorted(ring, key=lambda fact: fact.id))))
    assert text.count("-->") >= MAX_NODES - 1


@pytest.mark.parametrize(
    "attack",
    [
        'x"] --> y["',
        'x"]\n  click n1 "javascript:alert(1)"',
        "<img src=x onerror=alert(1)>",
        "&lt;script&gt;",
        "%%{init: {}}%%",
        "#quot;] click",
        "`**bold**` [a](http://x)",
        "\u202egpj.exe",
        "$$x$$",
        "style n1 fill:#f00;",
    ],
)
def test_a_label_can_only_be_text(attack: str) -> None:
    text = to_mermaid(Snapshot((Node("entity:x", "entity", attack),), ()))
    first, second, end = text.split("\n")
    assert (first, end) == ("flowchart LR", "")
    assert _LINE.fullmatch(second)
    assert "\u202e" not in second


def test_a_large_drawing_says_what_it_leaves_out() -> None:
    nodes = tuple(Node(f"entity:{n:03}", "entity", f"{n}") for n in range(MAX_NODES + 5))
    hub = tuple(make_fact("entity:000", "r", node.id) for node in nodes)
    text = to_mermaid(Snapshot(nodes, hub))
    assert "  %% 5 nodes and 5 facts are left out" in text
    assert 'more["5 nodes and 5 facts are left out"]' in text
    assert text.count('"]') == MAX_NODES + 1


@SLOW
@given(graphs(), graphs())
def test_additions_add_and_lose_nothing(first: ThoughtGraph, second: ThoughtGraph) -> None:
    before, more = first.snapshot(), second.snapshot()
    changes = additions(first, more)
    if changes:
        first.apply(changes, author="person", reason="more")
    assert additions(first, more) == []
    for node in before.nodes:
        kept = first.node(node.id)
        assert kept.label == node.label and set(node.aliases) <= set(kept.aliases)
    for node in more.nodes:
        kept = first.node(node.id)
        assert {node.label, *node.aliases} <= {kept.label, *kept.aliases}
    for fact in (*before.facts, *more.facts):
        assert set(fact.evidence) <= set(first.fact(fact.id).evidence)
        assert first.fact(fact.id).confidence >= fact.confidence


@pytest.mark.filterwarnings("ignore:No key type")
@pytest.mark.parametrize("format", IMPORT_FORMATS)
def test_a_damaged_file_is_read_or_refused_in_words(format: str) -> None:
    words = [word for word in re.split(r"(\W)", export(tower(), format)) if word]
    others = ["<", ">", "&", "null", "true", "-1", "1e999", "[]", "{}", "\x00", "\ud800", "'", "#"]
    chance = random.Random(5)
    outcomes = set()
    for _ in range(400):
        damaged = list(words)
        position = chance.randrange(len(damaged))
        damaged[position : position + chance.randint(0, 2)] = [chance.choice(words + others)]
        try:
            import_graph("".join(damaged), format)
            outcomes.add("read")
        except (UsageError, GraphError) as error:
            outcomes.add("refused")
            assert error.message
    assert outcomes == {"read", "refused"}
