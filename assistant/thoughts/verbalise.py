"""Facts, changes and batches in plain words, for people and for prompts.

A relation is a verb phrase in base form. It is inflected only where that is sure: a known verb
("designs"), a participle with its preposition ("was born in", "is located in"), a phrase that
begins with a form of "be" or "have", a known noun with "of" ("is the capital of"). Anything else
stays as it is, between dashes: a clumsy sentence is better than a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from assistant.thoughts.changes import (
    Batch,
    Change,
    CreateEdge,
    CreateNode,
    DeleteEdge,
    DeleteNode,
    MoveEdge,
    ObsoleteEdge,
    RenameNode,
    RestoreEdge,
    ReviseEdge,
    ReviseNode,
)
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.relation_words import predicate

MOST_CHANGES = 20
_CUT = 80  # characters of a text that a line of a log shows


def fact_in_words(
    fact: Fact,
    label: Mapping[str, str],
    *,
    cite: Callable[[str], str] | None = str,
) -> str:
    """One line: "Stephen Sauvestre designs Eiffel Tower (1889–) [h12]".

    Args:
        label: names of nodes by id; one that is not there is shown by its id.
        cite: what stands in the brackets for a passage's id (a citation's number, say); None
            leaves the sources out.
    """
    subject, object_ = _name(fact.subject, label), _name(fact.object, label)
    words = f"{subject} {predicate(fact.relation, negated=fact.negated)} {object_}"
    if fact.hedged:
        words = f"possibly: {words}"
    if span := _span(fact.valid_from, fact.valid_to):
        words += f" ({span})"
    if cite is not None:
        words += "".join(f" [{cite(source)}]" for source in fact.passages)
        others = dict.fromkeys(e.source for e in fact.evidence if e.kind != "passage")
        words += "".join(f" [{source}]" for source in others if source)
    if fact.obsolete:
        words += f" (no longer counts: {_cut(fact.obsolete)})"
    return one_line(words)


def thought_in_words(node: Node) -> str:
    """A slot of the question: "known: who designs Eiffel Tower (Stephen Sauvestre)"."""
    why = f" ({_cut(node.why)})" if node.why else ""
    return f"{node.status or 'thought'}: {node.label}{why}"


def change_in_words(change: Change, label: Mapping[str, str], facts: Mapping[str, Fact]) -> str:
    """One line.

    Args:
        label: names of nodes by id.
        facts: by id, for changes that name a fact by its id alone.
    """
    return one_line(_change(change, label, facts))


def _change(change: Change, label: Mapping[str, str], facts: Mapping[str, Fact]) -> str:

    def said(identity: str) -> str:
        if identity not in facts:
            return f"the fact {identity}"
        return fact_in_words(facts[identity], label, cite=None)

    match change:
        case CreateNode(node):
            return f"new {_kind(node)}: {one_line(node.label)}"
        case DeleteNode(node):
            return f"gone: {_kind(node)} {one_line(node.label)}"
        case RenameNode(_, old, new):
            return f"{one_line(old)} is now called {one_line(new)}"
        case ReviseNode(old_node, new_node):
            return f"{one_line(old_node.label)}: {_revised(old_node, new_node)}"
        case CreateEdge(fact):
            return f"new fact: {fact_in_words(fact, label)}"
        case DeleteEdge(fact):
            return f"gone: {fact_in_words(fact, label)}"
        case MoveEdge(identity, end, old, new):
            return (
                f"{end} of '{said(identity)}': {_name(new, label)} instead of {_name(old, label)}"
            )
        case ReviseEdge(old_fact, new_fact):
            words = fact_in_words(new_fact, label, cite=None)
            return f"{words}: {_revised(old_fact, new_fact)}"
        case ObsoleteEdge(identity, reason):
            return f"no longer counts: {said(identity)} ({_cut(reason)})"
        case RestoreEdge(identity, _):
            return f"counts again: {said(identity)}"


class Narrator:
    """Tells a log, batch after batch, each change with the names and facts as they were then.

    Args:
        base: the log of the graph before the first batch that is told; default: it was empty.
    """

    def __init__(self, base: Iterable[Batch] = ()) -> None:
        self._graph = ThoughtGraph()
        self._label: dict[str, str] = {}
        self._facts: dict[str, Fact] = {}
        for batch in base:
            for change in batch.changes:
                self._follow(change)

    def tell(self, batch: Batch) -> str:
        """The batch's number, author, step and reason, then its changes, at most `MOST_CHANGES`.

        Raises:
            GraphError: it does not follow on what was told before.
        """
        lines = [f"{batch.number}. {batch.author}, step {batch.step}: {_cut(batch.reason)}"]
        for position, change in enumerate(batch.changes):
            if position < MOST_CHANGES:
                lines.append(f"   - {change_in_words(change, self._label, self._facts)}")
            self._follow(change)
        if len(batch.changes) > MOST_CHANGES:
            lines.append(f"   … and {len(batch.changes) - MOST_CHANGES:,} more changes")
        return "\n".join(lines)

    def _follow(self, change: Change) -> None:
        self._graph.apply([change], author="rule", reason="told")
        match change:
            case CreateNode(node):
                self._label[node.id] = node.label
            case RenameNode(identity, _, new):
                self._label[identity] = new
            case CreateEdge(fact) | ReviseEdge(_, fact):
                self._facts[fact.id] = fact
            case MoveEdge(identity) | ObsoleteEdge(identity) | RestoreEdge(identity):
                self._facts[identity] = self._graph.fact(identity)
            case _:  # what is gone may still be named
                pass


def _name(identity: str, label: Mapping[str, str]) -> str:
    return one_line(label.get(identity, identity.partition(":")[2] or identity))


def _kind(node: Node) -> str:
    return f"{node.kind} ({one_line(node.type)})" if node.type else node.kind


def _span(start: str, end: str) -> str:
    return start if start == end else f"{start}–{end}"


def _revised(old: Node | Fact, new: Node | Fact) -> str:
    parts = []
    for field in old.__dataclass_fields__:
        before, after = getattr(old, field), getattr(new, field)
        if before == after:
            continue
        if isinstance(after, tuple):
            gained = len(set(after) - set(before))
            lost = len(set(before) - set(after))
            counted = " and ".join(
                f"{count} {word}" for count, word in ((gained, "more"), (lost, "fewer")) if count
            )
            parts.append(f"{field} {counted or 'in another order'}")
        else:
            shown = field.replace("_", " ")
            parts.append(f"{shown} {_cut(str(before)) or 'unset'} → {_cut(str(after)) or 'unset'}")
    return "; ".join(parts) or "as before"


def one_line(text: str) -> str:
    """The text on one line, without what is invisible."""
    # Controls and directions of writing could steer a terminal, or hide what follows.
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def _cut(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _CUT else line[: _CUT - 1].rstrip() + "…"
