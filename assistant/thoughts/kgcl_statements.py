"""One statement of KGCL (see `kgcl`) as a change: looked up in the graph as it is at that line.

So a statement written by hand needs no more than KGCL asks for: `delete edge S P O` finds the
fact, `create synonym 'x' for entity:y` the rest of the node. A quoted word where a node is
expected is its id or its label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from assistant.errors import GraphError, UsageError
from assistant.thoughts.changes import (
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
from assistant.thoughts.checked import checked_fact, checked_node, fields_of
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.kgcl_words import Word, decoded, edges_between, identity_of
from assistant.thoughts.model import Fact, Node, NodeKind

OBSOLETE_BY_HAND = "a person made it obsolete"

_KINDS = get_args(NodeKind)
_NODE_FIELDS = frozenset({"type", "aliases", "description", "status", "why"})
_FACT_FIELDS = frozenset(
    "id evidence confidence valid_from valid_to step negated hedged obsolete".split()
)
_TO = frozenset({"to", "as", "->"})

# What each statement looks like, in capitals what is to be filled in.
_FORMS = {
    "create node": "create node KIND:NAME 'LABEL'",
    "create edge": "create edge SUBJECT RELATION OBJECT",
    "create synonym": "create synonym 'NAME' for NODE",
    "remove synonym": "remove synonym 'NAME' for NODE",
    "add definition": "add definition 'TEXT' to NODE",
    "rename": "rename NODE from 'OLD' to 'NEW'",
    "move": "move SUBJECT RELATION OBJECT from OLD to NEW",
    "delete edge": "delete edge SUBJECT RELATION OBJECT",
    "delete": "delete NODE",
    "obsolete edge": "obsolete edge SUBJECT RELATION OBJECT",
    "unobsolete edge": "unobsolete edge SUBJECT RELATION OBJECT",
    "change annotation of": "change annotation of NODE with FIELD from 'OLD' to 'NEW'",
}


class Statement:
    """The words of one line, and the change that they are in this graph."""

    def __init__(self, words: Sequence[Word], notes: dict[str, Any], graph: ThoughtGraph) -> None:
        self._words = list(words)
        self._notes = notes
        self._graph = graph
        self._form = ""

    def change(self) -> Change:
        """Raises UsageError: no statement; GraphError: it names what is not there."""
        readers: dict[str, Callable[[], Change]] = {
            "create node": self._create_node,
            "create edge": self._create_edge,
            "create synonym": lambda: self._synonym(add=True),
            "remove synonym": lambda: self._synonym(add=False),
            "add definition": self._definition,
            "rename": self._rename,
            "move": self._move,
            "delete edge": lambda: DeleteEdge(self._edge()),
            "delete": self._delete,
            "obsolete edge": self._obsolete,
            "unobsolete edge": self._restore,
            "change annotation of": self._annotation,
        }
        plain = [word.text if not word.quoted else "'" for word in self._words]
        if plain[:1] == ["create"] and plain[1:2] in (
            ["exact"],
            ["related"],
            ["broad"],
            ["narrow"],
        ):
            # KGCL can say how near a synonym is; here a name is a name.
            del plain[1], self._words[1]
        for form, read in readers.items():
            keywords = form.split()
            if plain[: len(keywords)] == keywords:
                self._form = _FORMS[form]
                del self._words[: len(keywords)]
                change = read()
                if self._words:
                    raise self._wrong(f"'{self._words[0].text[:40]}' is too much")
                return change
        raise UsageError(
            f"'{' '.join(plain)[:60]}' is no statement that a graph of thoughts has",
            remedy=f"expected one of: {'; '.join(_FORMS.values())}",
        )

    # -- statements -------------------------------------------------------------------------

    def _create_node(self) -> Change:
        identity = self._name()
        kind, _, rest = identity.partition(":")
        if kind not in _KINDS or not rest:
            raise UsageError(
                f"'{identity[:80]}' is no node's id",
                remedy=f"expected KIND:NAME, KIND one of {', '.join(_KINDS)}",
            )
        label = self._text()
        self._allow(_NODE_FIELDS)
        values = {"id": identity, "kind": kind, "label": label, **self._notes}
        return CreateNode(checked_node(values))

    def _create_edge(self) -> Change:
        subject, relation, object_ = self._node().id, self._relation(), self._node().id
        self._allow(_FACT_FIELDS)
        ends = {"subject": subject, "relation": relation, "object": object_}
        fact = checked_fact({"id": "", **ends, **self._notes})
        return CreateEdge(fact if "id" in self._notes else replace(fact, id=identity_of(fact)))

    def _synonym(self, *, add: bool) -> Change:
        self._allow(frozenset())
        alias = self._text()
        self._keyword("for")
        old = self._node()
        if (alias in old.aliases) == add:
            raise GraphError(
                f"{old.id[:80]!r} {'has' if add else 'does not have'} the name {alias[:80]!r}"
                f"{' already' if add else ''}"
            )
        others = tuple(name for name in old.aliases if name != alias)
        return ReviseNode(old, replace(old, aliases=(*others, alias) if add else others))

    def _definition(self) -> Change:
        self._allow(frozenset())
        text = self._text()
        self._keyword("to")
        old = self._node()
        return ReviseNode(old, replace(old, description=text))

    def _rename(self) -> Change:
        self._allow(frozenset())
        if len(self._words) == 3 and self._words[0].quoted:  # rename 'OLD' to 'NEW'
            node = self._node()
            old = node.label
        else:
            node = self._node()
            self._keyword("from")
            old = self._text()
        self._keyword(*_TO)
        return RenameNode(node.id, old, self._text())

    def _move(self) -> Change:
        self._allow(frozenset({"id", "end"}))
        end: Literal["subject", "object"] = self._notes.pop("end", "object")
        if end not in ("subject", "object"):
            raise self._wrong("the end that moves is 'subject' or 'object'")
        fact = self._edge()
        self._keyword("from")
        old = self._node().id
        self._keyword(*_TO)
        return MoveEdge(fact.id, end, old, self._node().id)

    def _delete(self) -> Change:
        self._allow(frozenset())
        return DeleteNode(self._node())

    def _obsolete(self) -> Change:
        self._allow(frozenset({"id", "reason"}))
        reason = self._notes.pop("reason", OBSOLETE_BY_HAND)
        if not isinstance(reason, str) or not reason:
            raise self._wrong("the reason is a text")
        return ObsoleteEdge(self._edge().id, reason)

    def _restore(self) -> Change:
        fact = self._edge()
        return RestoreEdge(fact.id, fact.obsolete)

    def _annotation(self) -> Change:
        of_fact = self._peek().startswith("fact:") and not self._words[0].quoted
        thing: Node | Fact
        if of_fact:
            thing = self._graph.fact(decoded(self._words.pop(0).text.removeprefix("fact:")))
        else:
            thing = self._node()
        self._keyword("with")
        field = self._next().text
        self._keyword("from")
        before: Any = self._text()
        self._keyword(*_TO)
        after: Any = self._text()
        allowed = (_FACT_FIELDS - {"id"}) if of_fact else (_NODE_FIELDS - {"aliases"})
        if field not in allowed:
            raise self._wrong(f"'{field[:40]}' is none of {', '.join(sorted(allowed))}")
        current = getattr(thing, field)
        if field == "evidence":
            self._allow(frozenset({"evidence"}))
            before, after = current, self._notes.get("evidence", current)
        else:
            self._allow(frozenset())
        if isinstance(thing, Fact):
            old_fact = checked_fact({**fields_of(thing), field: before})
            self._expect(current, getattr(old_fact, field), field)
            return ReviseEdge(thing, checked_fact({**fields_of(thing), field: after}))
        self._expect(current, before, field)
        return ReviseNode(thing, checked_node({**fields_of(thing), field: after}))

    # -- words ------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._words[0].text if self._words else ""

    def _wrong(self, message: str) -> UsageError:
        return UsageError(message, remedy=f"expected: {self._form}")

    def _next(self) -> Word:
        if not self._words:
            raise self._wrong("the statement ends too early")
        return self._words.pop(0)

    def _keyword(self, *keywords: str) -> None:
        found = self._next()
        if found.quoted or found.text not in keywords:
            raise self._wrong(f"'{found.text[:40]}' stands where '{keywords[0]}' should")

    def _text(self) -> str:
        found = self._next()
        if not found.quoted:
            raise self._wrong(f"{found.text[:40]} is not in quotation marks")
        return found.text

    def _name(self) -> str:
        found = self._next()
        if found.quoted:
            return found.text
        return decoded(found.text, spaces=not found.text.startswith("passage:"))

    def _relation(self) -> str:
        found = self._next()
        return found.text if found.quoted else decoded(found.text)

    def _node(self) -> Node:
        quoted = bool(self._words) and self._words[0].quoted
        identity = self._name()
        is_id = identity.partition(":")[0] in _KINDS and identity in self._graph
        if is_id or not quoted:
            return self._graph.node(identity)
        named = [node for node in self._graph.named(identity) if node.label == identity]
        if len(named) != 1:
            raise GraphError(
                f"{len(named) or 'no'} nodes are called {identity[:80]!r}",
                remedy="name it by its id" if named else "create it first: create node",
            )
        return named[0]

    def _edge(self) -> Fact:
        """The fact with these ends, or with the id in the notes."""
        self._allow(frozenset({"id"}))
        subject, relation, object_ = self._node().id, self._relation(), self._node().id
        alike = edges_between(self._graph, subject, relation, object_)
        if "id" in self._notes:
            alike = [fact for fact in alike if fact.id == self._notes["id"]]
        if len(alike) != 1:
            which = f"{subject} {relation} {object_}"[:200]
            raise GraphError(
                f"there are {len(alike)} facts '{which}'" if alike else f"no fact '{which}'",
                remedy='say which: # {"id": "…"}' if alike else "",
            )
        return alike[0]

    def _allow(self, known: frozenset[str]) -> None:
        if unknown := set(self._notes) - known:
            raise self._wrong(f"the note has unknown {', '.join(sorted(unknown))[:80]}")

    @staticmethod
    def _expect(found: object, expected: object, field: str) -> None:
        if found != expected:
            raise GraphError(
                f"{field} is {str(found)[:80]!r}, not {str(expected)[:80]!r} as the statement says"
            )
