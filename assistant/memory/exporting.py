"""Turns as text for people and for programs: plain text, Markdown, JSON; PDF is in `pdf.py`.

Everything is rendered from the stored events alone, so an old answer comes out as it was given,
whatever became of its documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.errors import UsageError
from assistant.events import (
    AnswerDone,
    FoundPassage,
    PassagesFound,
    TurnFailed,
    TurnStarted,
    TurnStopped,
    from_json,
    to_dict,
)
from assistant.memory.conversations import Turn

ExportFormat = Literal["md", "pdf", "json"]
FORMATS: tuple[ExportFormat, ...] = ("md", "pdf", "json")

_KIND = "knowledge-assistant conversation"
_VERSION = 1
# What Markdown could take for markup. Punctuation that only matters at the beginning of a line is
# escaped there.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~$&])")
_LINE_START = re.compile(r"(?m)^(\s*)([#+\-=!]|\d+(?=[.)]))")
# Web and mail addresses become links without any markup; a word joiner keeps them text.
_ADDRESS = re.compile(r"(?<=https:)(?=//)|(?<=http:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=\w)", re.I)


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage that an answer names, and its sentences that were cited (none: all of it)."""

    number: int
    title: str
    page: int | None
    uri: str
    quotes: tuple[str, ...]

    @property
    def place(self) -> str:
        """`[1] Title, page 3`; not escaped."""
        page = f", page {self.page}" if self.page is not None else ""
        return f"[{self.number}] {self.title or self.uri}{page}"


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell of a turn; nothing is escaped.

    `note` says what is to be known of the answer ("stopped"), `sources_title` heads the sources.
    """

    question: str
    answer: str
    note: str
    sources_title: str
    sources: tuple[Cited, ...]
    at: str
    index: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A conversation as `to_json` wrote it."""

    title: str
    turns: tuple[Turn, ...]


def told(turn: Turn) -> Told:
    """A stored turn, gathered from its events."""
    answer, note, heading = turn.answer, "", "Sources"
    found: dict[int, FoundPassage] = {}
    sources: tuple[Cited, ...] = ()
    at = index = ""
    for event in turn.events:
        if isinstance(event, TurnStarted):
            at, index = event.at, event.index
        elif isinstance(event, PassagesFound):
            found = {passage.number: passage for passage in event.passages}
        elif isinstance(event, AnswerDone):
            answer = event.text
            heading = "Closest passages" if event.abstained else heading
            note = "Quotations, word for word." if event.quoted and not event.abstained else note
            sources = _closest(event, found) if event.abstained else _cited(event, found)
        elif isinstance(event, TurnStopped):
            answer, note = event.text, "Stopped; what had been written was not all checked."
        elif isinstance(event, TurnFailed):
            note = f"No answer: {event.message}."
    if turn.state == "unfinished":
        note = "This answer was interrupted."
    return Told(turn.question, answer.strip(), note, heading, sources, at, index)


def to_text(turn: Turn) -> str:
    """The answer as plain text with its citation marks, and the sources; for the clipboard."""
    one = told(turn)
    parts = [one.answer, one.note]
    if one.sources:
        lines = [f"{source.place} – {source.uri}" for source in one.sources]
        parts.append("\n".join([f"{one.sources_title}:", *lines]))
    return "\n\n".join(part for part in parts if part) + "\n"


def to_markdown(turns: Sequence[Turn], title: str = "") -> str:
    """Questions as headings, answers, and their sources with what was cited of them.

    What people, models and documents wrote is escaped: it looks as it was.
    """
    blocks = [f"# {escaped(_line(title))}"] if title.strip() else []
    for turn in turns:
        one = told(turn)
        blocks.append(f"## {escaped(_line(one.question))}")
        made = ", ".join(filter(None, (one.at, f"index {one.index}" if one.index else "")))
        blocks += [f"*{escaped(made)}*"] if made else []
        blocks += [_paragraphs(one.answer)] if one.answer else []
        blocks += [f"*{escaped(one.note)}*"] if one.note else []
        if one.sources:
            blocks.append(f"**{one.sources_title}**")
            blocks.append("\n".join(_source_lines(one.sources)))
    return "\n\n".join(blocks) + "\n"


def to_json(turns: Sequence[Turn], title: str = "") -> str:
    """Turns with all their events, as `read_json` takes them back."""
    value: dict[str, Any] = {
        "kind": _KIND,
        "version": _VERSION,
        "title": title,
        "turns": [
            {
                "id": turn.id,
                "question": turn.question,
                "answer": turn.answer,
                "state": turn.state,
                "events": [to_dict(event) for event in turn.events],
            }
            for turn in turns
        ],
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def read_json(text: str) -> Exported:
    """What `to_json` wrote.

    Raises:
        UsageError: it is something else, or damaged.
    """
    try:
        value = json.loads(text)
        if value["kind"] != _KIND or value["version"] != _VERSION:
            raise UsageError(
                f"not a conversation of a version that is known: {value['version']!r}",
                remedy="export it with this version of the assistant",
            )
        turns = tuple(
            Turn(
                str(one["id"]),
                str(one["question"]),
                str(one["answer"]),
                str(one["state"]),
                tuple(from_json(json.dumps(event)) for event in one["events"]),
            )
            for one in value["turns"]
        )
        return Exported(str(value["title"]), turns)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            "this is not a conversation that was exported as JSON",
            remedy="choose a file that `assistant conversations export --format json` wrote",
        ) from error


def export(turns: Sequence[Turn], title: str, wanted: ExportFormat) -> bytes:
    """The turns in one of the `FORMATS`, as a file's content.

    Raises:
        UsageError: PDF cannot be written (see `pdf.to_pdf`).
    """
    if wanted == "md":
        return to_markdown(turns, title).encode()
    if wanted == "json":
        return to_json(turns, title).encode()
    from assistant.memory.pdf import to_pdf

    return to_pdf(turns, title)


def file_name(title: str, wanted: ExportFormat) -> str:
    """A name for the file, of letters and digits that any file system takes."""
    words = re.sub(r"[^\w]+", "-", title, flags=re.ASCII).strip("-").lower()
    return f"{words[:40].rstrip('-') or 'conversation'}.{wanted}"


def escaped(text: str) -> str:
    """Markdown that shows `text` as it is."""
    text = _ADDRESS.sub("\u2060", text)
    text = _MARKUP.sub(r"\\\1", text)
    return _LINE_START.sub(
        lambda found: (
            f"{found[1]}{found[2]}\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"
        ),
        text,
    )


def _paragraphs(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "\n\n".join(escaped(line) for line in lines if line)


def _source_lines(sources: Sequence[Cited]) -> list[str]:
    lines = []
    for source in sources:
        lines.append(f"- {escaped(_line(source.place))} – {_code(source.uri)}")
        lines += [f"    - “{escaped(_line(quote))}”" for quote in source.quotes]
    return lines


def _code(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{_line(text)}{space}{fence}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _cited(done: AnswerDone, found: dict[int, FoundPassage]) -> tuple[Cited, ...]:
    quotes: dict[int, list[str]] = {}
    for sentence in done.sentences:
        if sentence.status != "dropped":
            for citation in sentence.citations:
                quotes.setdefault(citation.number, []).append(citation.quote)
    return tuple(
        _source(found[number], tuple(dict.fromkeys(own)))
        for number, own in sorted(quotes.items())
        if number in found
    )


def _closest(done: AnswerDone, found: dict[int, FoundPassage]) -> tuple[Cited, ...]:
    return tuple(_source(found[number], ()) for number in done.closest if number in found)


def _source(passage: FoundPassage, quotes: tuple[str, ...]) -> Cited:
    return Cited(passage.number, passage.title, passage.page, passage.uri, quotes)
