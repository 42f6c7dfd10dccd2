"""HTML: the main text of a page, with its headings, lists, tables and code.

A page that marks its main part (`<main>`, one `<article>`) is taken at its word. Of a page that
has navigation around its text, trafilatura finds the main part. Anything else, such as a document
saved as HTML, is read whole.
"""

from __future__ import annotations

import logging
import re
from pathlib import PurePath
from typing import Any

from indexes.corpora.blocks import DocumentBuilder, Parsed, one_line
from indexes.corpora.html_blocks import HtmlBlocks, heading_text, text_of
from indexes.corpora.text import decode
from indexes.errors import ReadError

logging.getLogger("trafilatura").addHandler(logging.NullHandler())  # not for people's eyes

_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_XML_ENCODING = re.compile(r"^\s*<\?xml[^>]*\?>", re.I)
_SCRIPTS = re.compile(r"<(script|style)\b.*?</\1\s*>", re.I | re.S)
_ANY_TAG = re.compile(r"<[/!a-zA-Z][^<>]*>")
_BOILERPLATE = "//nav | //footer | //aside | //script[@src] | //*[@role='navigation']"
_MOST = 0.99  # of the extract's characters: what an element must hold to be its origin
_DEEPEST = 60
_HARDLY_MORE = 1.5
_LEAST_MAIN = 200  # characters; a shorter "main" is an empty frame that a script would fill


def read_html(data: bytes, name: str, charset: str | None = None) -> Parsed:
    """The main text of an HTML page.

    Args:
        charset: the encoding that the server declared.

    Raises:
        ReadError: there is no HTML in it.
    """
    declared = _META_CHARSET.search(data[:4096])
    source = decode(data, name, charset or (declared[1].decode("ascii") if declared else None))
    page = parse_html(source, name)
    builder = DocumentBuilder(PurePath(name).stem)
    HtmlBlocks(builder).add(_main_part(page, source))
    if builder.is_empty:
        HtmlBlocks(builder).add(page)
    builder.title = _title(page, builder) or builder.title
    return builder.parsed()


def parse_html(source: str, name: str) -> Any:
    """The root element of an HTML page or fragment.

    Raises:
        ReadError: there is nothing that could be an element.
    """
    import lxml.etree
    import lxml.html

    # lxml refuses text with an encoding declaration; the text is decoded already.
    source = _XML_ENCODING.sub("", source).replace("\x00", "")
    try:
        parser = lxml.html.HTMLParser(huge_tree=True)  # without it, 256 levels at most
        page = lxml.html.document_fromstring(source, parser=parser)
        if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
            # Nested deeper than libxml2 follows, it cuts off the rest: keep the text at least.
            flat = _ANY_TAG.sub("<br>", _SCRIPTS.sub(" ", source))
            page = lxml.html.document_fromstring(f"<body>{flat}</body>")
        return page
    except (lxml.etree.LxmlError, ValueError, AssertionError) as error:
        raise ReadError(f"{name} is not HTML", remedy="open it in a browser and save it") from error


def add_html(builder: DocumentBuilder, fragment: str) -> None:
    """Add what a piece of HTML says to a document; tags that say nothing leave nothing."""
    if not fragment.strip():
        return
    try:
        HtmlBlocks(builder).add(parse_html(fragment, "fragment"))
    except ReadError:
        return  # a comment, or tags alone


def _main_part(page: Any, source: str) -> Any:
    for path in ("//main", "//*[@role='main']", "//article"):
        found = page.xpath(path)
        if len(found) == 1 and len(text_of(found[0])) >= _LEAST_MAIN:
            return found[0]
    if page.xpath(_BOILERPLATE):
        import trafilatura

        main = trafilatura.extract(
            source,
            output_format="html",
            include_formatting=True,
            include_tables=True,
            include_comments=False,
            favor_recall=True,
        )
        if main and len(main) >= _LEAST_MAIN:
            return _original(page, parse_html(main, "page"))
    return page


def _original(page: Any, extract: Any) -> Any:
    """The element of the page that trafilatura's extract comes from.

    The extract has lost some structure (listings become quotations, definitions lists). The page's
    own element is as good where it holds hardly more text than the extract.
    """
    pieces = [text for piece in extract.itertext() if (text := one_line(piece))]
    total = sum(map(len, pieces))
    element, inside = page, one_line(text_of(page))
    for _ in range(_DEEPEST):
        deeper = _child_with(element, pieces, _MOST * total)
        if deeper is None:
            break
        element, inside = deeper
    return element if len(inside) <= _HARDLY_MORE * total else extract


def _child_with(element: Any, pieces: list[str], most: float) -> tuple[Any, str] | None:
    for child in element:
        text = one_line(text_of(child)) if isinstance(child.tag, str) else ""
        if text and sum(len(piece) for piece in pieces if piece in text) >= most:
            return child, text
    return None


def _title(page: Any, builder: DocumentBuilder) -> str:
    """What the page calls itself, without the name of the site that many titles end with."""
    titles = [one_line(text_of(title)) for title in page.xpath("//head/title")]
    titles += [one_line(value) for value in page.xpath("//meta[@property='og:title']/@content")]
    title = next((title for title in titles if title), "")
    headings = [heading_text(heading) for heading in page.xpath("//h1")]
    for heading in headings:
        if heading and (not title or title.startswith(heading)):
            return heading
    return title or next(iter(builder.headings[:1]), "")
