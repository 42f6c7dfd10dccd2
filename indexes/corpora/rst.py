"""reStructuredText, as package descriptions and docstrings use it.

Not a validating parser: it finds sections, paragraphs, lists, tables and literal blocks, takes
the marks off words, and leaves out what is for the typesetter only (targets, substitutions,
images, comments). What it does not know stays as text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal

from indexes.corpora.blocks import DocumentBuilder, Parsed, clean, names
from indexes.corpora.rst_words import (
    BULLET,
    FIELD,
    definitions_text,
    indent_of,
    list_text,
    plain_words,
)
from indexes.corpora.text import decode

_RULE = re.compile(r"([=\-`:.'\"~^_*+#<>])\1{2,}\s*$")
_DIRECTIVE = re.compile(r"\.\. +([\w:+-]+)::(?:\s+(.*))?$")
_FOOTNOTE = re.compile(r"\.\. +\[(\w+)\]\s+(\S.*)$")
_ATX = re.compile(r"#{1,5} +(\S.*?)#*")
_EXPLICIT = re.compile(r"\.\.(?:\s|$)|__\s")
_GRID = re.compile(r"\+[-=+]+\+\s*$")
_SIMPLE_TABLE = re.compile(r"=+(?:\s+=+)+\s*$")

_CODE = names(
    "code code-block sourcecode literalinclude parsed-literal math doctest testcode prompt"
)
_DROPPED = names(
    "image figure contents toctree raw include target-notes sectnum index only meta highlight "
    "currentmodule module automodule autofunction autoclass autosummary plot role default-role "
    "list-table-end container"
)


def read_rst(data: bytes, name: str) -> Parsed:
    """A reStructuredText document."""
    builder = DocumentBuilder(PurePath(name).stem)
    add_rst(builder, decode(data, name))
    parsed = builder.parsed()
    first = parsed.blocks[0] if parsed.blocks else None
    if first is not None and first.kind == "heading":
        builder.title = parsed.text[first.start : first.end]
    return builder.parsed()


def add_rst(builder: DocumentBuilder, text: str, *, level: int = 0, sections: bool = True) -> None:
    """Add reStructuredText to a document.

    Args:
        level: by how many levels its headings are deeper in the document.
        sections: whether underlined lines are headings; in a docstring ("Parameters",
            "Returns") they only name what follows.
    """
    _Reader(builder, level, sections).read(clean(text).expandtabs(4).split("\n"))


class _Reader:
    def __init__(self, builder: DocumentBuilder, level: int, sections: bool) -> None:
        self._builder = builder
        self._level = level
        self._sections = sections
        self._styles: list[tuple[str, bool]] = []
        self._lines: list[str] = []
        self._at = 0

    def read(self, lines: list[str]) -> None:
        self._lines, self._at = lines, 0
        while self._at < len(self._lines):
            if not self._lines[self._at].strip():
                self._at += 1
            elif not (self._fence() or self._heading() or self._explicit() or self._table()):
                self._paragraph()

    # -- sections ---------------------------------------------------------------------------

    def _heading(self) -> bool:
        """An underlined line, or one between two rules; a rule alone is only passed over."""
        lines, at = self._lines, self._at
        rule = _RULE.match(lines[at])
        if (
            rule
            and at + 2 < len(lines)
            and _is_rule(lines[at + 2], rule[1])
            and lines[at + 1].strip()
        ):
            self._begin(rule[1], True, lines[at + 1].strip())
            self._at += 3
            return True
        under = at + 1 < len(lines) and _RULE.match(lines[at + 1])
        if under and not rule and len(lines[at + 1].strip()) >= min(len(lines[at].strip()), 4):
            self._begin(under[1], False, lines[at].strip())
            self._at += 2
            return True
        if rule and not _SIMPLE_TABLE.match(lines[at]) and self._is_blank(at + 1):
            self._at += 1
            return True
        return False

    def _begin(self, character: str, over: bool, title: str) -> None:
        title = plain_words(title)
        if not self._sections:
            self._builder.add(f"{title}:")
            return
        style = (character, over)
        if style not in self._styles:
            self._styles.append(style)
        self._builder.heading(self._styles.index(style) + 1 + self._level, title)

    # -- Markdown, which many docstrings are written in -------------------------------------

    def _fence(self) -> bool:
        """A fenced listing, or in docstrings a `## Heading`."""
        line = self._lines[self._at]
        bare = line.strip()
        if not self._sections and (heading := _ATX.fullmatch(bare)):
            self._begin("#", False, heading[1])
            self._at += 1
            return True
        if not bare.startswith("```"):
            return False
        self._at += 1
        begin = self._at
        while self._at < len(self._lines) and self._lines[self._at].strip() != "```":
            self._at += 1
        self._builder.add(textwrap.dedent("\n".join(self._lines[begin : self._at])), "code")
        self._at += 1
        return True

    # -- directives, comments, targets ------------------------------------------------------

    def _explicit(self) -> bool:
        line = self._lines[self._at]
        bare = line.strip()
        if not _EXPLICIT.match(bare):
            return False
        indent = indent_of(line)
        directive = _DIRECTIVE.match(bare)
        self._at += 1
        body = self._indented(indent)
        if footnote := _FOOTNOTE.match(bare):
            note = " ".join([footnote[2], *(line.strip() for line in body)])
            self._builder.add(plain_words(f"[{footnote[1]}] {note}"), "list")
            return True
        if directive is None or directive[1].lower() in _DROPPED:
            return True
        options = 0
        while options < len(body) and re.match(r":[\w-]+:", body[options]):
            options += 1
        content = body[options:]
        if directive[1].lower() in _CODE or ":" in directive[1]:
            self._builder.add(textwrap.dedent("\n".join(content)), "code")
            return True
        argument = plain_words(directive[2] or "")
        self._builder.add(argument if directive[1].lower() != "list-table" else "")
        _Reader(self._builder, self._level + 3, self._sections).read(content)
        return True

    def _indented(self, indent: int) -> list[str]:
        """The following lines that are indented deeper than `indent`, taken in and dedented."""
        begin = self._at
        end = begin
        for position in range(begin, len(self._lines)):
            line = self._lines[position]
            if line.strip():
                if indent_of(line) <= indent:
                    break
                end = position + 1
        self._at = end
        return textwrap.dedent("\n".join(self._lines[begin:end])).strip("\n").split("\n")

    # -- tables -----------------------------------------------------------------------------

    def _table(self) -> bool:
        bare = self._lines[self._at].strip()
        if not (_GRID.match(bare) or _SIMPLE_TABLE.match(bare)):
            return False
        grid = bare.startswith("+")
        rows: list[str] = []
        rules = 0
        while self._at < len(self._lines):
            line = self._lines[self._at].strip()
            is_rule = bool((_GRID if grid else _SIMPLE_TABLE).match(line))
            rules += is_rule
            if not line and (grid or rules >= 2):
                break
            if line and not is_rule:
                cells = line.strip("|").split("|") if grid else re.split(r"\s{2,}", line)
                rows.append(" | ".join(plain_words(cell.strip()) for cell in cells))
            self._at += 1
            if not grid and is_rule and rules >= 2 and self._is_blank(self._at):
                break
        self._builder.add("\n".join(rows), "table")
        return True

    # -- paragraphs, lists, literal blocks --------------------------------------------------

    def _paragraph(self) -> None:
        lines = list(self._take())
        first = lines[0].strip()
        if first.startswith(">>>"):
            self._builder.add(textwrap.dedent("\n".join(lines)), "code")
            return
        literal = lines[-1].rstrip().endswith("::")
        if literal:
            lines[-1] = re.sub(r"\s*::\s*$", ":", lines[-1]) if lines[-1].strip() != "::" else ""
        if BULLET.match(first) or FIELD.match(first):
            self._say(list_text(lines), "list")
        elif any(indent_of(line) > indent_of(lines[0]) for line in lines[1:]):
            self._say(definitions_text(lines), "list")
        else:
            self._say(plain_words(" ".join(line.strip() for line in lines)), "text")
        if literal:
            indent = indent_of(lines[0]) if lines[0] else -1
            code = self._indented(max(indent, 0))
            self._builder.add("\n".join(code), "code")

    def _say(self, text: str, kind: Literal["text", "list"]) -> None:
        if any(character.isalnum() for character in text):  # not what badges leave behind
            self._builder.add(text, kind)

    def _take(self) -> Iterator[str]:
        """The lines up to an empty line, a heading or the start of another kind of block."""
        code = self._lines[self._at].strip().startswith(">>>")
        yield self._lines[self._at]
        self._at += 1
        while not self._is_blank(self._at):
            bare = self._lines[self._at].strip()
            following = "" if self._is_blank(self._at + 1) else self._lines[self._at + 1].strip()
            heading = _RULE.match(following) and len(following) >= len(bare)
            starts = bare.startswith((">>>", "```")) or _EXPLICIT.match(bare)
            if not code and (starts or heading):
                return
            yield self._lines[self._at]
            self._at += 1

    def _is_blank(self, position: int) -> bool:
        return position >= len(self._lines) or not self._lines[position].strip()


def _is_rule(line: str, character: str) -> bool:
    rule = _RULE.match(line)
    return rule is not None and rule[1] == character
