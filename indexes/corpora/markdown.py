"""Markdown (CommonMark and tables): headings, paragraphs, lists, tables, code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from indexes.corpora.blocks import DocumentBuilder, Parsed, one_line
from indexes.corpora.html import add_html
from indexes.corpora.text import add_paragraphs, decode

if TYPE_CHECKING:
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_TITLE_LINE = re.compile(r"^title[ \t]*:[ \t]*(.*)$", re.I | re.M)
_DEEPEST = 160  # levels of block quotes and lists inside each other, two for each list
_NESTED = re.compile(
    r"^(?:[ \t]*(?:[>*+-]|\d{1,9}[.)])){60}|^[ \t]{120,}(?:[*+-]|\d{1,9}[.)])\s", re.M
)
_BADGE = re.compile(r"badge|shields\.io|\.svg(?:$|\?)|codecov|travis|img\.", re.I)
_ALT_WORDS = 3  # the text of a picture with fewer words ("logo") says nothing


def read_markdown(data: bytes, name: str) -> Parsed:
    """A Markdown document; the title comes from the front matter or a single top heading."""
    builder = DocumentBuilder(PurePath(name).stem)
    add_markdown(builder, decode(data, name), title=True)
    return builder.parsed()


def add_markdown(
    builder: DocumentBuilder, text: str, *, level: int = 0, title: bool = False
) -> None:
    """Add Markdown to a document.

    Args:
        level: by how many levels its headings are deeper in the document.
        title: take the document's title from the front matter or the only top heading.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if matter := _FRONT_MATTER.match(text):
        text = text[matter.end() :]
        _add_front_matter(builder, matter[1])
    if _NESTED.search(text):  # the parser leaves out what is deeper than it follows
        add_paragraphs(builder, text)
        return
    nodes = _parse(text).children
    tops = [node for node in nodes if node.type == "heading" and node.tag == "h1"]
    if title and not (matter and _TITLE_LINE.search(matter[1])):
        first = nodes[:1] if nodes and nodes[0].type == "heading" else []
        for heading in (tops if len(tops) == 1 else first)[:1]:
            builder.title = one_line(_inline(heading)) or builder.title
    for node in nodes:
        _add_node(builder, node, level)


def _parse(text: str) -> SyntaxTreeNode:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    return SyntaxTreeNode(parser.parse(text))


def _add_front_matter(builder: DocumentBuilder, matter: str) -> None:
    if title := _TITLE_LINE.search(matter):
        builder.title = one_line(title[1]).strip("\"'") or builder.title
    rest = _TITLE_LINE.sub("", matter).strip()
    if rest.count("\n") < 20:  # dates, authors, tags: people ask for them
        builder.add(rest, "list")


def _add_node(builder: DocumentBuilder, node: SyntaxTreeNode, level: int) -> None:
    kind = node.type
    if kind == "heading":
        builder.heading(int(node.tag[1]) + level, _inline(node))
    elif kind in ("fence", "code_block"):
        builder.add(node.content, "code")
    elif kind == "html_block":
        add_html(builder, node.content)
    elif kind == "table":
        builder.add("\n".join(_rows(node)), "table")
    elif kind in ("bullet_list", "ordered_list"):
        builder.add("\n".join(_list_lines(node, "")), "list")
    elif kind == "blockquote":
        for child in node.children:
            _add_node(builder, child, level)
    elif kind != "hr":
        builder.add(_inline(node))


def _inline(node: SyntaxTreeNode) -> str:
    """The words of a block as a reader sees them: no marks, no addresses of links."""
    return "".join(
        _words(child.token.children or [])
        for child in node.children
        if child.type == "inline" and child.token
    )


def _words(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            parts.append(token.content)
        elif token.type == "softbreak":
            parts.append(" ")
        elif token.type == "hardbreak" or (
            token.type == "html_inline" and token.content.lower().startswith("<br")
        ):
            parts.append("\n")
        elif token.type == "image" and _says_something(token):
            parts.append(token.content)  # the alternative text says what the picture shows
    return "\n".join(" ".join(line.split()) for line in "".join(parts).split("\n"))


def _says_something(image: Token) -> bool:
    source = str(image.attrs.get("src", ""))
    return len(image.content.split()) >= _ALT_WORDS and not _BADGE.search(source)


def _rows(table: SyntaxTreeNode) -> Iterator[str]:
    for row in table.walk():
        if row.type == "tr":
            yield " | ".join(one_line(_inline(cell)) for cell in row.children)


def _list_lines(node: SyntaxTreeNode, indent: str) -> Iterator[str]:
    """The lines of a list; what belongs to an item is indented under it."""
    number = int(node.attrs.get("start", 1))
    for position, item in enumerate(node.children):
        mark = f"{number + position}. " if node.type == "ordered_list" else "- "
        first = True
        for child in item.children:
            inner = indent + " " * len(mark)
            if child.type in ("bullet_list", "ordered_list"):
                yield from _list_lines(child, inner if not first else indent)
            else:
                for line in _plain(child).split("\n"):
                    if line.strip():
                        yield f"{indent}{mark}{line}" if first else f"{inner}{line}"
                        first = False


def _plain(node: SyntaxTreeNode) -> str:
    """A block inside a list as text."""
    if node.type in ("fence", "code_block"):
        return node.content.rstrip()
    if node.type == "html_block":
        builder = DocumentBuilder("")
        add_html(builder, node.content)
        return builder.parsed().text
    if node.type == "table":
        return "\n".join(_rows(node))
    if node.type in ("bullet_list", "ordered_list"):
        return "\n".join(_list_lines(node, ""))
    if node.type == "blockquote":
        return "\n".join(_plain(child) for child in node.children)
    return _inline(node)
