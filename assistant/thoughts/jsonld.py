"""JSON-LD: nodes as things of schema.org where it has the words, facts as reified statements.

Written and read in one form (compact, with the context below); other documents that mean the same
in another form are not understood.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn
from urllib.parse import quote, unquote

from assistant.errors import UsageError
from assistant.thoughts.checked import checked_fact, checked_node, fields_of
from assistant.thoughts.model import Evidence, Fact, Node
from assistant.thoughts.state import Snapshot

_OWN = "urn:knowledge-assistant:"
CONTEXT: dict[str, Any] = {
    "@version": 1.1,
    "@vocab": f"{_OWN}term:",
    "schema": "https://schema.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    **{kind: f"{_OWN}{kind}:" for kind in ("entity", "value", "passage", "thought", "fact")},
    "label": "schema:name",
    "aliases": {"@id": "schema:alternateName", "@container": "@set"},
    "description": "schema:description",
    "subject": {"@id": "rdf:subject", "@type": "@id"},
    "object": {"@id": "rdf:object", "@type": "@id"},
    "valid_from": "schema:validFrom",
    "valid_to": "schema:validThrough",
    "confidence": {"@id": f"{_OWN}term:confidence", "@type": "xsd:double"},
    "evidence": {"@id": "schema:citation", "@container": "@list"},
    "quote": "schema:text",
    "start": {"@id": f"{_OWN}term:start", "@type": "xsd:integer"},
    "end": {"@id": f"{_OWN}term:end", "@type": "xsd:integer"},
}

# Types of entities that schema.org has a class for.
_CLASSES = {
    "person": "schema:Person",
    "org": "schema:Organization",
    "organization": "schema:Organization",
    "gpe": "schema:Place",
    "loc": "schema:Place",
    "place": "schema:Place",
    "fac": "schema:Place",
    "event": "schema:Event",
    "product": "schema:Product",
    "work_of_art": "schema:CreativeWork",
    "language": "schema:Language",
    "quantity": "schema:QuantitativeValue",
}
_OF_KIND = {
    "entity": "schema:Thing",
    "value": "schema:StructuredValue",
    "passage": "schema:Quotation",
    "thought": "Thought",
}
_FACT = "rdf:Statement"
_PLAIN = "!$&'()*+,;=:@/"  # may stand in a URN beside letters and digits


def to_jsonld(snapshot: Snapshot) -> str:
    """The state as one JSON-LD document: nodes and facts in `@graph`, each by its `@id`."""
    things = [_of_node(node) for node in snapshot.nodes] + [_of_fact(f) for f in snapshot.facts]
    document = {"@context": CONTEXT, "@graph": things}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def from_jsonld(text: str) -> Snapshot:
    """The nodes and facts of a document in the form that `to_jsonld` writes.

    Raises:
        UsageError: not JSON, not of that form, or a field of the wrong type.
        GraphError: its values make no node or fact.
    """
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not JSON: {str(error)[:200]}") from error
    things = document.get("@graph") if isinstance(document, dict) else None
    if not isinstance(things, list) or not all(isinstance(thing, dict) for thing in things):
        raise UsageError(
            "not a graph in JSON-LD: '@graph' is not a list of objects",
            remedy="only documents as `assistant graph export --format jsonld` writes them",
        )
    nodes, facts = [], []
    for thing in things:
        identity = _id(thing.get("@id"))
        values = {key: value for key, value in thing.items() if not key.startswith("@")}
        if thing.get("@type") == _FACT:
            facts.append(_to_fact(identity, values))
        else:
            values["kind"] = identity.partition(":")[0]
            nodes.append(checked_node({"id": identity, **values}))
    return Snapshot(tuple(nodes), tuple(facts))


def _of_node(node: Node) -> dict[str, Any]:
    known = _CLASSES.get(node.type, _OF_KIND[node.kind])
    said = {key: value for key, value in fields_of(node).items() if value and key != "kind"}
    return {**said, "@id": _iri(said.pop("id")), "@type": known}


def _of_fact(fact: Fact) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@id": _iri(f"fact:{fact.id}"),
        "@type": _FACT,
        "subject": _iri(fact.subject),
        "relation": fact.relation,
        "object": _iri(fact.object),
        "confidence": fact.confidence,
    }
    if fact.evidence:
        made["evidence"] = [fields_of_evidence(item) for item in fact.evidence]
    rest = ("valid_from", "valid_to", "step", "negated", "hedged", "obsolete")
    return {**made, **{key: getattr(fact, key) for key in rest if getattr(fact, key)}}


def fields_of_evidence(item: Evidence) -> dict[str, Any]:
    """Source, quotation and, where it is a passage's, the sentence's offsets in its text."""
    made: dict[str, Any] = {"kind": item.kind, "source": item.source}
    if item.quote:
        made["quote"] = item.quote
    if item.start or item.end:
        made |= {"start": item.start, "end": item.end}
    return made


def _to_fact(identity: str, values: dict[str, Any]) -> Fact:
    if not identity.startswith("fact:"):
        raise UsageError(f"the '@id' of a fact begins with 'fact:', not {identity[:40]!r}")
    ends = {end: _id(values.pop(end, None)) for end in ("subject", "object")}
    return checked_fact({"id": identity.removeprefix("fact:"), **ends, **values})


def _iri(identity: str) -> str:
    """The id as a compact IRI: `entity:stephen%20sauvestre`."""
    kind, _, rest = identity.partition(":")
    return f"{kind}:{quote(rest, safe=_PLAIN, errors='surrogatepass')}"


def _id(value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"'@id', 'subject' and 'object' are texts, not {str(value)[:40]}")
    try:
        return unquote(value, errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise UsageError(f"'{value[:80]}' is not percent-encoded UTF-8") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
