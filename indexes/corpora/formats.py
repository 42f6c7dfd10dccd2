"""Which reader reads what: by the bytes where they tell, else by the file name's ending."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from indexes.corpora.blocks import Parsed
from indexes.corpora.html import read_html
from indexes.corpora.markdown import read_markdown
from indexes.corpora.pdf import read_pdf
from indexes.corpora.rst import read_rst
from indexes.corpora.tables import read_csv, read_json, read_json_lines
from indexes.corpora.text import read_text
from indexes.corpora.word import read_word
from indexes.errors import OversizedDocumentError, ReadError

LARGEST_FILE = 64 * 1024 * 1024

_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML_START = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)\b",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. `read` makes of its bytes and its name what can be indexed."""

    media_type: str
    suffixes: tuple[str, ...]
    read: Callable[[bytes, str], Parsed]


TEXT = Format("text/plain", (".txt", ".text"), read_text)
HTML = Format("text/html", (".html", ".htm", ".xhtml"), read_html)
PDF = Format("application/pdf", (".pdf",), read_pdf)
WORD = Format(_WORD_TYPE, (".docx", ".docm", ".dotx"), read_word)
FORMATS = (
    TEXT,
    Format("text/markdown", (".md", ".markdown", ".mdx"), read_markdown),
    Format("text/x-rst", (".rst",), read_rst),
    HTML,
    PDF,
    WORD,
    Format("text/csv", (".csv",), read_csv),
    Format("text/tab-separated-values", (".tsv", ".tab"), read_csv),
    Format("application/jsonl", (".jsonl", ".ndjson"), read_json_lines),
    Format("application/json", (".json",), read_json),
)
_BY_SUFFIX = {suffix: form for form in FORMATS for suffix in form.suffixes}
_BY_TYPE = {form.media_type: form for form in FORMATS} | {
    "application/xhtml+xml": HTML,
    "application/x-ndjson": _BY_SUFFIX[".jsonl"],
    "text/x-markdown": _BY_SUFFIX[".md"],
}
SUFFIXES = tuple(sorted(_BY_SUFFIX))


def format_of(name: str, media_type: str = "") -> Format | None:
    """The format that a media type or a file name's ending announces; None for others."""
    kind = media_type.partition(";")[0].strip().lower()
    by_name = _BY_SUFFIX.get(PurePath(name).suffix.lower())
    if kind == "text/plain":  # how servers send Markdown, CSV and the like
        return by_name or TEXT
    return _BY_TYPE.get(kind) or by_name


def parse(data: bytes, name: str, announced: Format | None = None) -> tuple[Parsed, Format]:
    """Read the bytes of one file.

    Args:
        data: all of it.
        name: what messages call it, and the title where the text has none.
        announced: its format by media type; by default the one of the name's ending.

    Raises:
        ReadError: it cannot be read, or there is no text in it.
    """
    if len(data) > LARGEST_FILE:
        raise oversized(name, len(data))
    if not data.strip():
        raise ReadError(f"{name} is empty: no text", remedy="nothing to do if it is meant so")
    form = _sniffed(data, announced or format_of(name) or TEXT, name)
    try:
        parsed = form.read(data, name)
    except (ReadError, MemoryError):
        raise
    except Exception as error:
        # Whatever a library stumbles over in a damaged file: it costs this file, not the others.
        raise ReadError(
            f"{name} cannot be read as {form.media_type}: {type(error).__name__}: {error}",
            remedy="open it in its own application and save it again",
        ) from error
    if not parsed.text.strip():
        remedy = "nothing to do if it is meant so"
        if form.media_type == HTML.media_type:
            remedy = "a script may fill it in the browser: save the page there and add the file"
        raise ReadError(f"{name} holds no text", remedy=remedy)
    return parsed, form


def oversized(name: str, size: int) -> OversizedDocumentError:
    """The error for a file above the limit."""
    return OversizedDocumentError(
        f"{name} has {size / 1e6:.0f} MB, the limit is {LARGEST_FILE / 1e6:.0f} MB",
        remedy="split it; a collection of passages is read with trec:FILE",
    )


def _sniffed(data: bytes, announced: Format, name: str) -> Format:
    """The format that the first bytes prove, else the announced one."""
    if b"%PDF-" in data[:1024]:
        return PDF
    if data.startswith((*_ZIP, _OLE)):
        return WORD
    if _HTML_START.match(data[:4096]) and announced.media_type.startswith("text/"):
        return HTML
    if announced in (PDF, WORD):
        kind = "PDF" if announced is PDF else "Word document"
        raise ReadError(
            f"{name} is not a {kind}, though it is called one",
            remedy="give it the file name ending of its real format, or leave it out",
        )
    return announced
