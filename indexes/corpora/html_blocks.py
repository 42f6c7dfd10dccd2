"""From HTML elements to blocks; also used for Word (through mammoth) and HTML inside Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection
from typing import Any

from indexes.corpora.blocks import DocumentBuilder, names, one_line

_SKIPPED = names(
    "script style noscript template nav footer aside button select textarea iframe svg canvas "
    "object audio video head title dialog menu"
)
_BLOCKS = names(
    "address article blockquote body caption center dd details div dl dt fieldset figcaption "
    "figure header hgroup hr html legend li main ol p section summary ul pre table tr td th thead "
    "tbody tfoot h1 h2 h3 h4 h5 h6"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE_PARENTS = frozenset(["p", "li", "td", "th", "span", "a", "em", "strong", *_HEADINGS])
_ROLES = frozenset(["navigation", "banner", "contentinfo", "search", "complementary"])
_LINK_MARKS = frozenset(["¶", "#", "§", "🔗"])
_LONG_CELL = 400  # characters; a table with longer cells lays out a page
_DEEPEST = 200


def text_of(element: Any, without: Collection[str] = ()) -> str:
    """All text below an element, white space as it is; scripts, styles and `without` left out."""
    parts: list[str] = []
    stack: list[Any] = [element]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        if isinstance(item.tag, str):
            if item.tag == "br":
                parts.append("\n")
            if item is element or (item.tag not in _SKIPPED and item.tag not in without):
                children: list[Any] = [item.text or ""]
                for child in item:
                    children += [child, child.tail or ""]
                stack.extend(reversed(children))
    return "".join(parts)


def heading_text(element: Any) -> str:
    """A heading in one line, without the sign that links to it in documentation."""
    words = one_line(text_of(element)).split()
    if len(words) > 1 and words[-1] in _LINK_MARKS:
        words.pop()
    return re.sub("^§|[¶§]$", "", " ".join(words))


class HtmlBlocks:
    """Walks elements in order and gives a builder what a reader would see."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._inline: list[str] = []

    def add(self, element: Any) -> None:
        """Add everything below `element`."""
        self._walk(element, 0)
        self._flush()

    def _flush(self) -> None:
        text = "".join(self._inline)
        self._inline = []
        lines = (one_line(line) for line in text.split("\n\x00"))
        self._builder.add("\n".join(line for line in lines if line))

    def _walk(self, element: Any, depth: int) -> None:
        tag = element.tag
        if not isinstance(tag, str) or _is_hidden(element):
            return
        if depth > _DEEPEST:
            self._inline.append(text_of(element))
            return
        if tag in _HEADINGS:
            self._flush()
            self._builder.heading(_HEADINGS[tag], heading_text(element))
        elif tag == "pre" and not _is_inline_pre(element):
            self._flush()
            self._builder.add(textwrap.dedent(text_of(element).strip("\n")), "code")
        elif tag == "table" and not _is_layout(element):
            self._flush()
            self._builder.add(_table(element), "table")
        elif tag in ("ul", "ol") and not _has(element, "pre", "table", *_HEADINGS):
            self._flush()
            self._builder.add("\n".join(_items(element, "")), "list")
        elif tag == "dl" and not _has(element, "pre", "table", "dl", *_HEADINGS):
            self._flush()
            self._builder.add("\n".join(_definitions(element)), "list")
        elif tag == "br":
            self._inline.append("\n\x00")  # a break that survives the joining of white space
        else:
            self._descend(element, depth, own_block=tag in _BLOCKS)

    def _descend(self, element: Any, depth: int, *, own_block: bool) -> None:
        if own_block:
            self._flush()
        self._inline.append(element.text or "")
        for child in element:
            self._walk(child, depth + 1)
            self._inline.append(child.tail or "")
        if own_block:
            self._flush()


def _is_hidden(element: Any) -> bool:
    if element.tag in _SKIPPED or element.get("role") in _ROLES or element.get("hidden") == "":
        return True
    if element.get("aria-hidden") == "true" or "display:none" in _style(element):
        return True
    if element.tag == "header":  # of the page, not of an article
        parent = element.getparent()
        return parent is not None and parent.tag == "body"
    return element.tag == "a" and "headerlink" in (element.get("class") or "")


def _style(element: Any) -> str:
    return (element.get("style") or "").replace(" ", "").lower()


def _is_inline_pre(element: Any) -> bool:
    """`<pre>` inside a line of text, as trafilatura marks code words."""
    parent = element.getparent()
    inside = parent is not None and parent.tag in _INLINE_PARENTS
    return inside and "\n" not in text_of(element).strip()


def _is_layout(table: Any) -> bool:
    if _has(table, "table", "pre", "h1", "h2", "h3"):
        return True
    return any(len(text_of(cell)) > _LONG_CELL for cell in table.iter("td"))


def _has(element: Any, *tags: str) -> bool:
    return any(found is not element for found in element.iter(*tags))


def _table(table: Any) -> str:
    """One line a row, cells between bars; the caption first."""
    lines = [one_line(text_of(caption)) for caption in table.iter("caption")]
    for row in table.iter("tr"):
        cells = [one_line(text_of(cell)) for cell in row.iter("td", "th")]
        if any(cells):
            lines.append(" | ".join(cells))
    return "\n".join(lines)


def _items(element: Any, indent: str) -> list[str]:
    """The lines of a list; lists inside it are indented."""
    lines: list[str] = []
    number = 0
    for item in element:
        if not isinstance(item.tag, str) or _is_hidden(item):
            continue
        if item.tag in ("ul", "ol"):
            lines += _items(item, indent + "  ")
            continue
        number += 1
        mark = f"{number}." if element.tag == "ol" else "-"
        nested = [child for child in item.iter("ul", "ol") if _nearest_list(child) is element]
        text = one_line(text_of(item, without=("ul", "ol")))
        if text:
            lines.append(f"{indent}{mark} {text}")
        for child in nested:
            lines += _items(child, indent + "  ")
    return lines


def _nearest_list(element: Any) -> Any:
    return next((a for a in element.iterancestors("ul", "ol")), None)


def _definitions(element: Any) -> list[str]:
    """`term: definition`, a line each."""
    lines: list[str] = []
    for child in element.iter("dt", "dd"):
        text = one_line(text_of(child))
        if child.tag == "dd" and lines and lines[-1].endswith(":"):
            lines[-1] += f" {text}"
        elif child.tag == "dt":
            lines.append(f"{text.rstrip(':')}:")
        else:
            lines.append(text)
    return [line for line in lines if line != ":"]
