"""Why, and why not: what an answer rests on, what would fall with a source, what is missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.state import GraphState


@dataclass(frozen=True, slots=True)
class Support:
    """The smallest part of a graph that carries an answer.

    Attributes:
        facts: those that fill slots, those that the answer's sentences come from, and those that
            join them, each needed for one of these.
        nodes: their ends.
        falls: by passage, the facts among them that nothing else says: without that source they
            would be gone.
    """

    facts: tuple[Fact, ...]
    nodes: tuple[Node, ...]
    falls: dict[str, tuple[Fact, ...]]


def support_of(graph: GraphState, ids: Collection[str]) -> Support:
    """The support of an answer.

    Args:
        ids: of the facts that it follows from; unknown and obsolete ones are left out.
    """
    carrying = [graph.fact(identity) for identity in dict.fromkeys(ids) if identity in graph]
    facts = {fact.id: fact for fact in carrying if not fact.obsolete}
    for fact in _joining(graph, list(facts.values())):
        facts.setdefault(fact.id, fact)
    ends = dict.fromkeys(end for fact in facts.values() for end in (fact.subject, fact.object))
    sources = dict.fromkeys(p for fact in facts.values() for p in fact.passages)
    falls = {
        source: tuple(f for f in facts.values() if set(_sources(f)) == {source})
        for source in sources
    }
    return Support(
        tuple(facts.values()),
        tuple(graph.node(end) for end in ends),
        {source: gone for source, gone in falls.items() if gone},
    )


def _sources(fact: Fact) -> list[str]:
    return [evidence.source for evidence in fact.evidence]


def _joining(graph: GraphState, facts: list[Fact]) -> list[Fact]:
    """For each two of the facts that share no end, one fact between their ends, if there is."""
    found = []
    for position, first in enumerate(facts):
        for second in facts[position + 1 :]:
            ends, others = {first.subject, first.object}, {second.subject, second.object}
            if ends & others:
                continue
            between = [
                fact
                for start in sorted(ends)
                for end in sorted(others)
                for fact in (*graph.between(start, end), *graph.between(end, start))
            ]
            if between:
                found.append(max(between, key=lambda fact: (fact.confidence, fact.id)))
    return found


def without_source(graph: ThoughtGraph, source: str, ids: Collection[str]) -> tuple[str, ...]:
    """The slots that would be open again if one passage had never been read, by their labels.

    Args:
        ids: of the facts that fill slots.
    """
    gone = {f.id for f in support_of(graph, ids).falls.get(source, ())}
    return tuple(
        node.label
        for node in graph.nodes("thought")
        if node.status == "known" and node.why.removeprefix("by ") in gone
    )


def what_is_missing(known: Collection[tuple[str, str]], missing: str, tried: int) -> str:
    """An abstention's missing fact, in words: "Found … → …. Nothing found says: …".

    Args:
        known: slots that are filled: what was asked, and with what.
        missing: the first open slot, with what is known put in.
        tried: how many further searches there were.
    """
    if not missing:
        return ""
    found = "; ".join(f"{asked.rstrip('?. ')}: {label}" for asked, label in known)
    begun = f"Found {found}. " if found else ""
    looked = f" ({tried} more {'search' if tried == 1 else 'searches'} tried)" if tried else ""
    return f"{begun}Nothing found says: {missing.rstrip('?. ')}{looked}."
