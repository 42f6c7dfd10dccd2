"""GraphML, written and read by networkx: attributes are flat, lists and evidence are JSON.

XML cannot hold control characters, and its readers change line breaks; so texts are escaped like
strings of Python (`\\`, `\x00`), which the graph's attribute `escapes` says. A file without that
attribute is taken literally.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any
from xml.parsers import expat

import networkx as nx

from assistant.errors import GraphError, UsageError
from assistant.thoughts.checked import checked_fact, checked_node, fields_of
from assistant.thoughts.model import Evidence, Fact, Node
from assistant.thoughts.state import Snapshot

ESCAPES = "backslash"

_UNSAFE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]|^\\s|\\s$")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|\\)")
_JSON_FIELDS = ("aliases", "evidence")


def to_graphml(snapshot: Snapshot) -> str:
    """The state as a GraphML document: one `node` or `edge` each, its fields as `data`."""
    graph = nx.MultiDiGraph(escapes=ESCAPES)
    for node in snapshot.nodes:
        graph.add_node(_escaped(node.id), **_flat(node, left_out=("id",)))
    for fact in snapshot.facts:
        graph.add_edge(
            _escaped(fact.subject),
            _escaped(fact.object),
            key=_escaped(fact.id),
            **_flat(fact, left_out=("id", "subject", "object")),
        )
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def from_graphml(text: str) -> Snapshot:
    """The nodes and facts of a GraphML document in the form that `to_graphml` writes.

    Raises:
        UsageError: not GraphML, or one with a document type: entities could expand without end.
        GraphError: its nodes and edges make no graph of thoughts.
    """
    _refuse_document_types(text)
    try:
        graph = nx.parse_graphml(text, node_type=str, edge_key_type=str, force_multigraph=True)
    # ElementTree's own errors are SyntaxErrors.
    except (nx.NetworkXException, ValueError, LookupError, TypeError, SyntaxError) as error:
        raise UsageError(f"not GraphML: {str(error)[:200]}") from error
    escaped = graph.graph.get("escapes") == ESCAPES
    if not graph.is_directed():
        raise GraphError("the graph is undirected", remedy='it needs edgedefault="directed"')
    nodes = []
    for identity, data in graph.nodes(data=True):
        if not data:  # also what only an edge names
            raise GraphError(f"{identity[:80]!r} is no node with a kind and a label")
        nodes.append(checked_node({"id": _plain(identity, escaped), **_full(data, escaped)}))
    facts = [
        checked_fact(
            {
                "id": _plain(str(key), escaped),
                "subject": _plain(subject, escaped),
                "object": _plain(object_, escaped),
                **_full(data, escaped),
            }
        )
        for subject, object_, key, data in graph.edges(keys=True, data=True)
    ]
    return Snapshot(tuple(nodes), tuple(facts))


def _refuse_document_types(text: str) -> None:
    def refuse(*_: object) -> None:
        raise UsageError(
            "the file declares a document type, whose entities could expand without end",
            remedy="remove <!DOCTYPE …>; GraphML needs none",
        )

    # The same reading as that of the parser below, whatever encoding the text declares.
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        raise UsageError(f"not XML: {error}") from error


def _flat(thing: Node | Fact, left_out: tuple[str, ...]) -> dict[str, Any]:
    """Fields as GraphML has them, without those that are empty."""
    found: dict[str, Any] = {}
    for field, value in fields_of(thing).items():
        if field in left_out or (isinstance(value, str | tuple) and not value):
            continue
        if isinstance(value, tuple):
            plain = [dataclasses.asdict(v) if isinstance(v, Evidence) else v for v in value]
            value = json.dumps(plain, ensure_ascii=False)
        found[field] = _escaped(value) if isinstance(value, str) else value
    return found


def _full(data: dict[str, Any], escaped: bool) -> dict[str, Any]:
    values = {}
    for field, value in data.items():
        plain = _plain(value, escaped) if isinstance(value, str) else value
        if field in _JSON_FIELDS:
            try:
                plain = json.loads(str(plain))
            except (ValueError, RecursionError) as error:
                raise UsageError(f"{field} is not JSON: {str(plain)[:80]}") from error
        values[field] = plain
    return values


def _escaped(text: str) -> str:
    return _UNSAFE.sub(
        lambda found: "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", text
    )


def _plain(text: str, escaped: bool) -> str:
    if not escaped:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", text)
