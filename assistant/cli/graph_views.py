"""What `assistant graph show` writes: the slots and facts of a graph, or one entity's page."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from assistant.cli.graph_places import Place
from assistant.cli.output import console, write_json
from assistant.errors import GraphError, UnknownNameError
from assistant.thoughts.contradictions import find_contradictions
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.verbalise import fact_in_words, one_line, thought_in_words

MOST_FACTS = 200  # that are listed for people; `--json` and `export` have all


@dataclass(frozen=True, slots=True)
class EntityPage:
    """An entity or value with every fact that it is part of, obsolete ones last."""

    node: Node
    facts: tuple[Fact, ...]


def labels_of(place: Place, page: EntityPage | None = None) -> dict[str, str]:
    """Names of nodes by id: of the whole graph, or of those on a page."""
    if page is None or place.kept is None:
        return {node.id: node.label for node in place.graph.nodes()}
    ends = [end for fact in page.facts for end in (fact.subject, fact.object)]
    return {identity: node.label for identity, node in place.kept.nodes(ends).items()}


def entity_page(place: Place, name: str) -> EntityPage:
    """The page of the entity or value with that name or id.

    Raises:
        UnknownNameError: there is none; it names the nearest.
        GraphError: several are called so.
    """
    if place.kept is not None:
        return _kept_page(place.kept, name)
    graph = place.graph
    joined = [node for node in graph.nodes() if node.kind in ("entity", "value")]
    found = [node for node in joined if node.id == name] or [
        node for node in graph.named(name) if node.kind in ("entity", "value")
    ]
    if not found:
        raise UnknownNameError("entity", name, [node.label for node in joined])
    identity = _one(found, name).id
    facts = [f for f in graph.facts(obsolete=True) if identity in (f.subject, f.object)]
    return EntityPage(found[0], tuple(sorted(facts, key=lambda fact: bool(fact.obsolete))))


def _kept_page(kept: KnowledgeGraph, name: str) -> EntityPage:
    found = kept.entities_named(name)
    if not found:
        near = [node for word in name.split()[:5] for node in kept.search(word, 50)]
        raise UnknownNameError("entity", name, [node.label for node in near])
    page = kept.entity(_one(found, name).id, limit=MOST_FACTS)
    if page is None:
        raise UnknownNameError("entity", name, [])
    return EntityPage(page.node, tuple(sorted(page.facts, key=lambda fact: bool(fact.obsolete))))


def _one(found: list[Node], name: str) -> Node:
    exact = [node for node in found if node.id == name]
    if len(found) > 1 and not exact:
        ids = ", ".join(f"'{node.id}'" for node in found)
        raise GraphError(f"{len(found)} are called '{name}'", remedy=f"name one by its id: {ids}")
    return (exact or found)[0]


def fact_row(fact: Fact, labels: dict[str, str]) -> dict[str, Any]:
    """The fact's fields, its ends' names, and the whole in words."""
    return {
        **dataclasses.asdict(fact),
        "subject_label": labels[fact.subject],
        "object_label": labels[fact.object],
        "words": fact_in_words(fact, labels),
    }


def show_entity(page: EntityPage, labels: dict[str, str]) -> None:
    """The entity's names and description, then its facts with their sentences."""
    node = page.node
    _line(f"{node.label} ({node.type or node.kind}), {node.id}")
    if node.aliases:
        _line(f"also called: {', '.join(node.aliases)}")
    if node.description:
        _line(node.description)
    _facts(page.facts, labels)


def show_graph(place: Place, *, as_json: bool) -> None:
    """The slots with what became of them, then the facts."""
    graph = place.graph
    labels = labels_of(place)
    thoughts = list(graph.nodes("thought"))
    facts = sorted(graph.facts(obsolete=True), key=lambda fact: bool(fact.obsolete))
    contradictions = find_contradictions(graph)
    counts = {kind: len(list(graph.nodes(kind))) for kind in ("entity", "value", "passage")}
    if as_json:
        rows = [fact_row(fact, labels) for fact in facts]
        write_json(
            {
                "graph": place.title,
                "thoughts": thoughts,
                "facts": rows,
                "contradictions": contradictions,
                "counts": {**counts, "thought": len(thoughts), "fact": len(facts)},
                "changes": len(graph.log),
                "index": place.kept.counts() if place.kept is not None else None,
            }
        )
        return
    _line(f"{place.title}: {counts['entity']} entities, {counts['value']} values,", end=" ")
    _line(f"{counts['passage']} passages, {len(facts)} facts, {len(graph.log)} changes")
    if place.kept is not None:
        all_ = place.kept.counts()
        _line(f"its documents: {all_.entities:,} entities and values, {all_.facts:,} facts", end="")
        _line(f" in {all_.passages:,} passages; above is what was changed by hand")
    for thought in thoughts:
        _line(thought_in_words(thought))
    _facts(facts, labels)
    for contradiction in contradictions:
        _line(f"contradiction: {contradiction.why}")


def _facts(facts: list[Fact] | tuple[Fact, ...], labels: dict[str, str]) -> None:
    for fact in facts[:MOST_FACTS]:
        _line(f"- {fact_in_words(fact, labels)}")
        for item in fact.evidence:
            if item.quote:
                _line(f"    {item.source}: “{one_line(item.quote)}”")
    if len(facts) > MOST_FACTS:
        _line(f"… and {len(facts) - MOST_FACTS:,} more facts: --json, or graph export")


def _line(text: str, end: str = "\n") -> None:
    # Names come from documents: nothing in them may steer the terminal.
    indent = " " * (len(text) - len(text.lstrip(" ")))
    console().print(indent + one_line(text), markup=False, end=end)
