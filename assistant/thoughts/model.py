"""What the graph of thoughts consists of: nodes, and facts with their evidence.

Nodes are *entities* and *values* (a date, a number with its unit), *passages*, and *thoughts*: the
question's slots, each wanted, known or refuted, with the reason. A *fact* is an edge between two
entities or values: subject, relation, object, where it is said, how sure, and for which time.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

from assistant.errors import GraphError

NodeKind = Literal["entity", "value", "passage", "thought"]
EvidenceKind = Literal["passage", "tool", "person"]
ThoughtStatus = Literal["", "wanted", "known", "refuted"]

# Longer names are no names; a page could not show them and a prompt could not hold them.
MAX_LABEL = 200
MAX_TEXT = 2_000  # quotes, descriptions, reasons

_ARTICLE = re.compile(r"^(?:the|a|an)\s+(?=\S)")
_NOT_WORD = re.compile(r"[^\w.%+#/-]+|(?<!\d)\.|\.(?!\d)|_")


@dataclass(frozen=True, slots=True)
class Node:
    """A node; `id` is `KIND:` and the name in its normal form, or for passages their own id.

    Attributes:
        type: what kind of entity or value ("person", "place", "date", "quantity"…); may be empty.
        aliases: other names, sorted.
        status: of a thought: wanted, known or refuted; empty for all others.
        why: of a thought: the reason for its status.
    """

    id: str
    kind: NodeKind
    label: str
    type: str = ""
    aliases: tuple[str, ...] = ()
    description: str = ""
    status: ThoughtStatus = ""
    why: str = ""

    def __post_init__(self) -> None:
        if not self.id.startswith(f"{self.kind}:") or self.id == f"{self.kind}:":
            raise GraphError(f"node id {self.id[:80]!r} does not begin with '{self.kind}:'")
        if not self.label.strip():
            raise GraphError(f"node {self.id[:80]!r} has no name")
        for name in (self.label, *self.aliases):
            if len(name) > MAX_LABEL:
                raise GraphError(
                    f"a name of {len(name):,} characters: at most {MAX_LABEL} are kept",
                    remedy="name the thing in fewer words",
                )
        if len(self.description) > MAX_TEXT or len(self.why) > MAX_TEXT:
            raise GraphError(f"the text of node {self.id[:80]!r} is longer than {MAX_TEXT:,}")
        if self.aliases != tuple(sorted(set(self.aliases))):
            object.__setattr__(self, "aliases", tuple(sorted(set(self.aliases))))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a fact comes from.

    `start` and `end` are character offsets of the sentence in the *passage's* text; `quote` is that
    sentence. A tool's evidence names it in `source`, a person's is what they said.
    """

    kind: EvidenceKind
    source: str  # passage id, tool name, or who
    quote: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """An edge. `id` follows from what it says (`fact_id`) and stays when an end is moved.

    Attributes:
        relation: verb phrase in base form ("design", "born in"), lower case.
        confidence: in [0, 1].
        valid_from, valid_to: ISO dates, also partial ("1889", "1889-03"); empty where not said.
        step: in which step of the work it was added; 0 is before the first.
        negated: the source says that it is *not* so.
        hedged: the source says that it may be so.
        obsolete: why it no longer counts; empty while it does. It stays visible.
    """

    id: str
    subject: str
    relation: str
    object: str
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 1.0
    valid_from: str = ""
    valid_to: str = ""
    step: int = 0
    negated: bool = False
    hedged: bool = False
    obsolete: str = ""

    def __post_init__(self) -> None:
        if not self.relation.strip() or len(self.relation) > MAX_LABEL:
            raise GraphError(f"a relation of {len(self.relation):,} characters")
        if not 0 <= self.confidence <= 1:
            raise GraphError(f"confidence {self.confidence} is not in [0, 1]")

    @property
    def passages(self) -> tuple[str, ...]:
        """Ids of the passages that say it."""
        return tuple(dict.fromkeys(e.source for e in self.evidence if e.kind == "passage"))

    def with_evidence(self, more: tuple[Evidence, ...], confidence: float) -> Fact:
        """The same fact, said in more places; the surest of them counts."""
        known = set(self.evidence)
        new = tuple(place for place in dict.fromkeys(more) if place not in known)
        return replace(
            self, evidence=(*self.evidence, *new), confidence=max(self.confidence, confidence)
        )


def normal_form(name: str) -> str:
    """A name without what may differ between two mentions of one thing: case, accents,
    punctuation, a leading article. Digits, `.` within numbers, `%`, `+`, `#`, `/`, `-` stay."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    plain = plain.replace("'s ", " ").replace("’s ", " ")
    plain = " ".join(_NOT_WORD.sub(" ", plain).split())
    return _ARTICLE.sub("", plain) or " ".join(name.casefold().split())


def node_id(kind: NodeKind, name: str) -> str:
    """The id of an entity, value or thought of that name; of a passage, `name` is its id."""
    return f"{kind}:{name if kind == 'passage' else normal_form(name)}"


def fact_id(
    subject: str,
    relation: str,
    object_: str,
    *,
    negated: bool = False,
    valid_from: str = "",
    valid_to: str = "",
) -> str:
    """The id of what a fact says: twelve hexadecimal digits. Sources and confidence do not matter,
    so that the same statement found twice is one fact with two pieces of evidence."""
    parts = (subject, relation, object_, "not" if negated else "", valid_from, valid_to)
    text = "\x1f".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def make_fact(
    subject: str,
    relation: str,
    object_: str,
    *,
    evidence: tuple[Evidence, ...] = (),
    confidence: float = 1.0,
    valid_from: str = "",
    valid_to: str = "",
    step: int = 0,
    negated: bool = False,
    hedged: bool = False,
) -> Fact:
    """A fact between two nodes, named by their ids, with the id that follows from it."""
    identity = fact_id(
        subject, relation, object_, negated=negated, valid_from=valid_from, valid_to=valid_to
    )
    return Fact(
        id=identity,
        subject=subject,
        relation=relation,
        object=object_,
        evidence=evidence,
        confidence=confidence,
        valid_from=valid_from,
        valid_to=valid_to,
        step=step,
        negated=negated,
        hedged=hedged,
    )
