"""The words of KGCL text: names, quoted strings, identifiers, the notes behind a statement, and
which edges three words mean.

Everything is written so that a reader of plain KGCL, which knows no escapes in quotes and no
comments, still finds its own tokens: no quotation mark, line break or ` # ` stands inside a quoted
string, and no white space inside an identifier. `kgcl` writes with these, `kgcl_reader` reads.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote as percent_decoded

from assistant.errors import UsageError
from assistant.thoughts.model import Fact, fact_id
from assistant.thoughts.state import GraphState

# Longer lines are none that we write: a node with all its texts at their limits stays below.
MAX_LINE = 1_000_000

# Controls, line and paragraph separators, directions, and halves of surrogate pairs.
_INVISIBLE = "\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_IN_JSON = re.compile(f"[{_INVISIBLE}]")
_IN_QUOTES = re.compile(rf"[\\'{_INVISIBLE}]|(?:(?<=\s)|^)#")
_IN_NAME = re.compile(rf"[_%\\'\"<>#{_INVISIBLE}]|\s")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\\": r"\\"}
_LONG = {"n": "\n", "t": "\t", "r": "\r"}
_TOKEN = re.compile(
    r"\s*(?:(?P<note>\#(?=\s|$)(?P<json>.*))|'(?P<single>(?:[^'\\]|\\.)*)'(?=\s|$)"
    r'|"(?P<double>(?:[^"\\]|\\.)*)"(?=\s|$)|(?P<bare>[^\s\'"]\S*))',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A token of a statement; `quoted` words are labels and texts, others names and keywords."""

    text: str
    quoted: bool = False


def quoted(text: str) -> str:
    """The text in single quotes, on one line."""
    return f"'{_IN_QUOTES.sub(_escaped, text)}'"


def encoded(name: str, *, spaces: bool = True) -> str:
    """A node's id or a relation as one word: `_` for a space, `%5F` for `_`, percent for others.

    Args:
        spaces: whether `_` stands for a space; ids of passages keep their `_`, and have `%20`.
    """
    return _IN_NAME.sub(lambda found: _in_name(found[0], spaces), name)


def decoded(word: str, *, spaces: bool = True) -> str:
    """What `encoded` wrote.

    Raises:
        UsageError: its percent signs are no UTF-8.
    """
    if spaces:
        word = word.replace("_", " ")
    try:
        return percent_decoded(word, errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise UsageError(f"'{word[:80]}' is not percent-encoded UTF-8") from error


def note(values: dict[str, Any]) -> str:
    """` # ` and the values as JSON on one line; nothing where there are none."""
    if not values:
        return ""
    text = json.dumps(values, ensure_ascii=False, separators=(", ", ": "))
    return " # " + _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def split(line: str) -> tuple[list[Word], dict[str, Any]]:
    """The words of one line and the note behind them.

    Raises:
        UsageError: an unfinished quotation, a line that is too long, or a note in braces that is
            no JSON object. Other comments are left out.
    """
    if len(line) > MAX_LINE:
        raise UsageError(f"a line of {len(line):,} characters: at most {MAX_LINE:,} are read")
    words: list[Word] = []
    position = 0
    while line[position:].strip():
        found = _TOKEN.match(line, position)
        if found is None:
            rest = line[position:].strip()
            raise UsageError(
                f"a quotation does not end: {rest[:40]}",
                remedy="end it with ' and a space; write \\' for one inside",
            )
        if found["note"] is not None:
            return words, _read_note(found["json"])
        for kind in ("single", "double"):
            if found[kind] is not None:
                words.append(Word(unescaped(found[kind]), quoted=True))
        if found["bare"] is not None:
            words.append(Word(found["bare"]))
        position = found.end()
    return words, {}


def identity_of(fact: Fact) -> str:
    """The id that follows from what the fact says."""
    return fact_id(
        fact.subject,
        fact.relation,
        fact.object,
        negated=fact.negated,
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
    )


def edges_between(graph: GraphState, subject: str, relation: str, object_: str) -> list[Fact]:
    """The facts with these ends and this relation, obsolete ones included."""
    keys = graph.networkx.get_edge_data(subject, object_, default={})
    found = (graph.fact(key) for key in keys)
    return [fact for fact in found if fact.relation == relation]


def _read_note(text: str) -> dict[str, Any]:
    text = text.strip()
    if not text.startswith("{"):
        return {}  # a person's own comment
    try:
        values = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "the note behind # is not a JSON object", remedy='e.g. # {"confidence": 0.9}'
        ) from error
    return dict(values)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _escaped(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"


def unescaped(text: str) -> str:
    """What stands between quotes, without its escapes."""
    return _ESCAPE.sub(
        lambda found: chr(int(found[1], 16)) if found[1] else _LONG.get(found[2], found[2]), text
    )


def _in_name(character: str, spaces: bool) -> str:
    if character == "_" and not spaces:
        return character
    if character == " " and spaces:
        return "_"
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
