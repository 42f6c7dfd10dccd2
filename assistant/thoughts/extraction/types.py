"""What an extractor takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from assistant.thoughts.model import normal_form


@dataclass(frozen=True, slots=True)
class Source:
    """A passage to read: its id, its text, and the title and headings that say what it is about."""

    id: str
    text: str
    title: str = ""
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A name as it stands in the passage (or, for what "it" refers to, in its title).

    Attributes:
        label: the words, without leading article; the heading's or the name's own words where the
            text has a pronoun.
        kind: an entity, or a value (a date, a number with its unit).
        type: spaCy's or the model's type in lower case ("person", "gpe", "org", "date",
            "quantity"…); "" where unknown, as for common noun phrases.
        named: it is a proper name or a value, not a common noun phrase.
    """

    label: str
    kind: Literal["entity", "value"] = "entity"
    type: str = ""
    named: bool = False

    @property
    def normal(self) -> str:
        return normal_form(self.label)


@dataclass(frozen=True, slots=True)
class Mention:
    """A term at a place of the passage's text (character offsets, end exclusive).

    `about` marks the thing that the whole passage is about: its title's, with start = end = 0
    where the title itself is not in the text.
    """

    term: Term
    start: int
    end: int
    about: bool = False


@dataclass(frozen=True, slots=True)
class Triple:
    """One fact that a sentence states; `start`/`end` are the sentence's offsets in the passage.

    The other fields are those of `assistant.thoughts.model.Fact`.
    """

    subject: Term
    relation: str
    object: Term
    start: int
    end: int
    confidence: float = 1.0
    negated: bool = False
    hedged: bool = False
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one passage mentions and states, in reading order."""

    passage_id: str
    mentions: tuple[Mention, ...]
    triples: tuple[Triple, ...]


class Extractor(Protocol):
    """Reads passages. `fingerprint` changes whenever the same passage could give another result."""

    @property
    def fingerprint(self) -> str: ...

    def extract(self, sources: Sequence[Source]) -> list[Extraction]:
        """One extraction for each source, in their order; a passage that cannot be read gives an
        empty one."""
        ...
