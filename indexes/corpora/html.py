"""HTML: the main text of a page, with its headings, lists, tables and code.

A page that marks its main part (`<main>`, one `<article>`) is taken at its word. Of a page that
has navigation around its text, trafilatura finds the main part. Anything else, such as a document
saved as HTML, is read whole.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from indexes.corpora.blocks import DocumentBuilder, Parsed, one_line
from indexes.corpora.html_blocks import HtmlBlocks, text_of
from indexes.corpora.text import decode
from indexes.errors import ReadError

_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_XML_ENCODING = re.compile(r"^\s*<\?xml[^>]*\?>", re.I)
_BOILERPLATE = "//nav | //footer | //aside | //script[@src] | //*[@role='navigation']"
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
        return lxml.html.document_fromstring(source)
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
            return parse_html(main, "page")
    return page


def _title(page: Any, builder: DocumentBuilder) -> str:
    """What the page calls itself, without the name of the site that many titles end with."""
    titles = [one_line(text_of(title)) for title in page.xpath("//head/title")]
    titles += [one_line(value) for value in page.xpath("//meta[@property='og:title']/@content")]
    title = next((title for title in titles if title), "")
    headings = [one_line(text_of(heading)) for heading in page.xpath("//h1")]
    for heading in headings:
        if heading and (not title or title.startswith(heading)):
            return heading
    return title or next(iter(builder.headings[:1]), "")
