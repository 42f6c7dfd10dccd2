"""Pairs of a short text and its passage, from questions or from the passages themselves."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from assistant.distillation.examples import AnyExample, TextPair, hash_texts
from assistant.distillation.sources.base import SOURCES, DataSource, json_lines
from assistant.errors import ReadError

# An end of a sentence that is good enough where a wrong cut costs nothing.
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'(]?[A-Z0-9])")
_SHORTEST = 25  # characters of a sentence that says something


@SOURCES.register("texts")
class TextSource(DataSource):
    """Lines `{passage, question?, title?}`, or a plain text file with a passage on each line.

    A question makes a pair with its passage. Of each passage `sentences` of its sentences make
    pairs with what is left of it (inverse cloze, Lee et al., 2019, arXiv 1906.00300); a share
    `kept` of them keeps the sentence in the passage.
    """

    questions: bool = True
    sentences: int = Field(1, ge=0)
    kept: float = Field(0.1, ge=0, le=1)
    title: bool = True
    seed: int = 0

    def examples(self, file: Path) -> Iterator[AnyExample]:
        rows = _lines(file) if file.suffix == ".txt" else _rows(file)
        seen: set[str] = set()
        for title, passage, question in rows:
            whole = f"{title}\n{passage}" if title and self.title else passage
            if question and self.questions:
                yield pair_of(question, whole, domain=title)
            if passage in seen:
                continue
            seen.add(passage)
            yield from self._cloze(title, passage)

    def _cloze(self, title: str, passage: str) -> Iterator[TextPair]:
        found = _sentences(passage)
        usable = [place for place, text in enumerate(found) if len(text) >= _SHORTEST]
        if len(found) < 2 or not usable or not self.sentences:
            return
        draw = random.Random(f"{self.seed}\0{passage}")
        for place in draw.sample(usable, min(self.sentences, len(usable))):
            rest = passage
            if draw.random() >= self.kept:
                rest = _rest(found, place)
            yield pair_of(
                found[place], f"{title}\n{rest}" if title and self.title else rest, domain=title
            )


def cloze_pairs(passage: str) -> Iterator[TextPair]:
    """Every sentence of a passage with what is left of it: all that the source may draw from."""
    found = _sentences(passage)
    for place, sentence in enumerate(found if len(found) > 1 else ()):
        yield pair_of(sentence, _rest(found, place))


def _sentences(passage: str) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(passage)]


def _rest(sentences: Sequence[str], place: int) -> str:
    """What is left of a passage without the sentence at a place."""
    return " ".join(text for at, text in enumerate(sentences) if at != place)


def pair_of(query: str, passage: str, **fields: Any) -> TextPair:
    """The pair of two texts, which are its identity; `fields` are its others."""
    return TextPair(hash_texts(query, passage)[:24], query, passage, **fields)


def _rows(file: Path) -> Iterator[tuple[str, str, str]]:
    for number, row in json_lines(file):
        passage = row.get("passage")
        if not isinstance(passage, str) or not passage.strip():
            raise ReadError(
                f"{file}, line {number}: no 'passage'",
                remedy="a line has a passage, and maybe a question and a title",
            )
        title = str(row.get("title") or "").replace("_", " ")
        yield title, passage.strip(), str(row.get("question") or "").strip()


def _lines(file: Path) -> Iterator[tuple[str, str, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ReadError(
            f"{file} cannot be read: {error}", remedy="it is UTF-8, a passage on each line"
        ) from error
    yield from (("", line.strip(), "") for line in text.splitlines() if line.strip())
