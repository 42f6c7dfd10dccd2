"""The tokens of a text: its words in order, and what else it can be found by.

Text is put into Unicode's form NFKC and case-folded. *Words* are runs of letters, digits, marks
and underscores; in scripts that are written without spaces each character is one. Stop words are
among them, so that a phrase can be looked up as it was written. *Extras* come on top:

    E0308, v2.13.0, ~/a/b.py, me@home.org     identifiers as a whole, with a leading "="
    snake_case, camelCase                     as a whole, and their parts
    東京都                                     pairs of neighbouring characters
    café                                      the same without its accents

Accents are kept in the word itself, since they tell words apart (schon, schön); the unaccented
form is one more way to find it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from indexes.lexical.languages import VERBATIM

VERSION = f"1-unicode{unicodedata.unidata_version}"  # raise when equal texts get other tokens
UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f"
    "\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecd\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
)
_RUN = re.compile(f"[{UNSPACED}]{{2,}}")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1fff\u0386-\u03ce\u0451]")
_NOT_DECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})

# What an identifier is made of; the text is cut at white space before.
_CANDIDATE = re.compile(r"(?:--?|[~.]*[/\\]+|\.)?\w(?:[\w.+#/\\:@~%-]*[\w+#])?", re.ASCII)
_IDENTIFIER = re.compile(
    r"""
    .*[A-Za-z].*\d.* | .*\d.*[A-Za-z].*      # E0308, v2.13.0, GPT-4, AC-130J
    | \d+(?:[.:/-]\d+)+                      # 3.14, 192.168.0.1, 2026-11-25
    | .*\w_\w.* | .*[a-z][A-Z].*             # snake_case, camelCase
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+           # me@home.org
    | \w+(?:::\w+)+                          # std::vector
    | (?:\w*/){2,}.* | [~.]*[/\\].* | [A-Za-z]:\\.* | \w+://.* | .*/.*[._].* | .*\\.*   # paths
    | [A-Za-z]\w+(?:\.[A-Za-z]\w+)+          # numpy.linalg
    | [A-Z]{2,}(?:-[A-Z]+)+                  # ERR-CONN
    | --?[a-z][\w-]+                         # --dry-run
    | \.[a-z]\w+                             # .gitignore
    | [A-Za-z]{1,2}(?:\+\+|\#)               # C++, C#
    """,
    re.ASCII | re.VERBOSE | re.DOTALL,
)
_INSIDE = re.compile(r"[/\\@]+|::|:(?=/)")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAME = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier and what it is made of, all case-folded.

    Attributes:
        whole: the identifier itself.
        parts: pieces of snake_case and camelCase, which are no words of the text.
    """

    whole: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a text in order, and its extras."""

    words: list[str]
    extras: list[str]


class Tokenizer:
    """Cuts texts into tokens; remembers what it made of each written word."""

    _REMEMBERED = 500_000

    def __init__(self) -> None:
        self._extras: dict[str, tuple[str, ...]] = {}

    def tokens(self, text: str) -> Tokens:
        """Words and extras of a text."""
        written = normalised(text)
        folded = folded_case(written)
        words = _word_pattern().findall(folded)
        known = self._extras
        if len(known) > self._REMEMBERED:
            known.clear()
        extras: list[str] = []
        for chunk in written.split():
            found = known.get(chunk)
            if found is None:
                found = known[chunk] = tuple(_extras(chunk))
            if found:
                extras += found
        return Tokens(words, extras)


def normalised(text: str) -> str:
    """The text in form NFKC, its case kept."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def folded_case(written: str) -> str:
    """A normalised text without its case."""
    if written.isascii():
        return written.lower()
    return unicodedata.normalize("NFKC", written.casefold())


def words(text: str) -> list[str]:
    """The words of a text in order, stop words included."""
    found: list[str] = _word_pattern().findall(folded_case(normalised(text)))
    return found


def is_unspaced(word: str) -> bool:
    """Whether it is one character of a script that is written without spaces."""
    return len(word) == 1 and word >= "\u0e00" and _unspaced().match(word) is not None


def identifiers(text: str) -> list[Identifier]:
    """The identifiers of a text, those inside paths and addresses too."""
    return [found for chunk in normalised(text).split() for found in _identifiers(chunk)]


def _extras(chunk: str) -> Iterator[str]:
    if not (chunk.isascii() and chunk.isalpha() and (chunk.islower() or chunk.istitle())):
        for found in _identifiers(chunk):
            yield VERBATIM + found.whole
            yield from found.parts
    if not chunk.isascii():
        folded = folded_case(chunk)
        for run in _RUN.findall(folded):
            yield from (run[place : place + 2] for place in range(len(run) - 1))
        for word in _word_pattern().findall(folded):
            if _ACCENTED.search(word):
                plain = _without_accents(word)
                if plain != word:
                    yield plain


def _identifiers(chunk: str) -> Iterator[Identifier]:
    for match in _CANDIDATE.finditer(chunk):
        candidate = match.group()
        if not _IDENTIFIER.fullmatch(candidate):
            continue
        yield Identifier(candidate.lower(), tuple(_parts(candidate)))
        for piece in _INSIDE.split(candidate):
            if piece != candidate and _IDENTIFIER.fullmatch(piece):
                yield Identifier(piece.lower(), ())


def _parts(identifier: str) -> Iterator[str]:
    for name in _NAME.findall(identifier):
        for piece in name.split("_"):
            humps = _HUMP.findall(piece)
            if len(humps) > 1 and not (piece.isupper() or piece.islower()):
                yield from (hump.lower() for hump in humps if len(hump) > 1)
            elif piece != name and len(piece) > 1:
                yield piece.lower()


def _without_accents(word: str) -> str:
    letters = unicodedata.normalize("NFD", word.translate(_NOT_DECOMPOSED))
    return unicodedata.normalize("NFC", "".join(c for c in letters if not unicodedata.combining(c)))


@lru_cache(maxsize=1)
def _word_pattern() -> re.Pattern[str]:
    # `\w` has no marks, without which the words of Hindi, Tamil or Arabic fall apart.
    marks = "".join(
        chr(code) for code in range(0x300, 0x20F0) if unicodedata.category(chr(code))[0] == "M"
    )
    letters = f"[^\\W{UNSPACED}]"
    return re.compile(f"[{UNSPACED}]|{letters}+(?:[{marks}]+{letters}*)*")


@lru_cache(maxsize=1)
def _unspaced() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}]")
