"""What a person expects of an answer, and whether an answer is so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assistant.errors import UsageError
from assistant.events import AnswerDone, Event, FoundPassage, PassagesFound, TurnFailed
from assistant.knowledge.entries import normal
from indexes.documents import Passage

MAX_CHARACTERS = 2_000
MAX_REQUIREMENTS = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A document, a page of it, or a sentence of it, that an answer has to cite.

    Documents are told by `uri` and sentences by their words, since a rebuild gives passages other
    ids. `page` None and `quote` "" ask for less.
    """

    uri: str
    title: str = ""
    page: int | None = None
    quote: str = ""

    @property
    def in_words(self) -> str:
        """`Otters, p. 2, “They sleep on their backs.”`; not escaped."""
        page = f", p. {self.page}" if self.page is not None else ""
        quote = f", “{self.quote}”" if self.quote else ""
        return f"{self.title or self.uri}{page}{quote}"

    def holds(self, passage: FoundPassage | Passage) -> bool:
        """Whether a passage stands there."""
        return (
            passage.uri == self.uri
            and (self.page is None or passage.page == self.page)
            and normal(self.quote) in normal(passage.text)
        )


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an answer has to be: all of it.

    Attributes:
        cites: places that it has to cite, each of them.
        contains: words that have to stand in it; case and spacing do not matter.
        not_there: it has to say that the documents do not tell; then the others are empty.
    """

    cites: tuple[Place, ...] = ()
    contains: tuple[str, ...] = ()
    not_there: bool = False

    def checked(self) -> Expectation:
        """The same, tidied.

        Raises:
            UsageError: it asks for nothing, for both an answer and none, or for too much.
        """
        words = tuple(dict.fromkeys(filter(None, (" ".join(w.split()) for w in self.contains))))
        if self.not_there and (words or self.cites):
            raise UsageError(
                "an answer that is not there can neither cite nor contain anything",
                remedy="expect one or the other",
            )
        if not (self.not_there or words or self.cites):
            raise UsageError(
                "nothing is expected of the answer",
                remedy="choose what it must cite, or give words that it must contain",
            )
        if len(words) + len(self.cites) > MAX_REQUIREMENTS:
            raise UsageError(f"at most {MAX_REQUIREMENTS} things can be expected of one answer")
        if (longest := max(map(len, words), default=0)) > MAX_CHARACTERS:
            raise UsageError(
                f"a text of {longest:,} characters was given, at most {MAX_CHARACTERS:,} are kept",
                remedy="give the few words that matter",
            )
        return Expectation(tuple(dict.fromkeys(self.cites)), words, self.not_there)

    def to_json(self) -> str:
        """As one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Expectation:
        """What `to_json` wrote."""
        values: Mapping[str, Any] = json.loads(text)
        cites = tuple(Place(**place) for place in values["cites"])
        return cls(cites, tuple(values["contains"]), bool(values["not_there"]))

    @property
    def in_words(self) -> str:
        """In one line; not escaped."""
        return "; ".join(_wanted(self))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was expected, and whether the answer is so."""

    what: str
    met: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What was answered, and how it compares with what was expected.

    `answer` has no citation marks; `sources` are the cited places in words; `reader` is the kind
    that answered ("" after an error, which is in `error`); `seconds` is the whole turn's.
    """

    passed: bool
    checks: tuple[Check, ...]
    answer: str
    sources: tuple[str, ...]
    reader: str
    abstained: bool
    seconds: float
    error: str = ""


def fingerprint(question: str, expectation: Expectation) -> str:
    """Tells a test from what it was before somebody changed it."""
    return hashlib.sha256(f"{question}\n{expectation.to_json()}".encode()).hexdigest()[:16]


def judge(expectation: Expectation, events: Sequence[Event], seconds: float) -> Judged:
    """Compare a turn with what was expected of it."""
    passages: dict[str, FoundPassage] = {}
    for event in events:
        if isinstance(event, PassagesFound):
            passages.update({passage.passage_id: passage for passage in event.passages})
    last = events[-1] if events else None
    if not isinstance(last, AnswerDone):
        why = last.message if isinstance(last, TurnFailed) else "the turn did not end"
        checks = tuple(Check(what, False) for what in _wanted(expectation))
        return Judged(False, checks, "", (), "", False, seconds, why)
    kept = [] if last.abstained else [s for s in last.sentences if s.status != "dropped"]
    text = " ".join(sentence.text for sentence in kept) or last.text
    numbers = dict.fromkeys(citation.passage_id for s in kept for citation in s.citations)
    cited = [passages[number] for number in numbers if number in passages]
    met = (
        [last.abstained]
        if expectation.not_there
        else [
            *(any(place.holds(passage) for passage in cited) for place in expectation.cites),
            *(not last.abstained and _says(text, words) for words in expectation.contains),
        ]
    )
    checks = tuple(Check(what, ok) for what, ok in zip(_wanted(expectation), met, strict=True))
    sources = tuple(dict.fromkeys(Place(p.uri, p.title, p.page).in_words for p in cited))
    return Judged(all(met), checks, text, sources, last.reader, last.abstained, round(seconds, 3))


def _wanted(expectation: Expectation) -> list[str]:
    """Each thing that is expected, in words, in the order of `judge`."""
    if expectation.not_there:
        return ["says that it is not there"]
    cited = [f"cites {place.in_words}" for place in expectation.cites]
    return [*cited, *(f"contains “{words}”" for words in expectation.contains)]


def _says(text: str, words: str) -> bool:
    return " ".join(words.split()).casefold() in " ".join(text.split()).casefold()
