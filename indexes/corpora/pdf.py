"""PDF: the text of each page, with the outline's entries as headings.

pypdf reads; PDFium takes over what pypdf cannot (encryption without password, damaged files).
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from indexes.corpora.blocks import DocumentBuilder, Parsed, clean, one_line
from indexes.corpora.pdf_layout import Heading, add_pages
from indexes.errors import OversizedDocumentError, ProtectedDocumentError, ReadError

if TYPE_CHECKING:
    from pypdf import PdfReader

# What these libraries have to say about damaged files is said by ReadError.
for _library in ("pypdf", "pypdfium2"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

MOST_PAGES = 20_000
_LEAST_LETTERS = 4  # in a whole document; page numbers alone are no text
_DEEPEST = 6
_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD
_MEANINGLESS_TITLES = ("untitled", "microsoft word", "microsoft powerpoint", "title", "document")


def read_pdf(data: bytes, name: str) -> Parsed:
    """A PDF, paragraph by paragraph, each with its page.

    Raises:
        ProtectedDocumentError: it has a password (an empty one was tried).
        OversizedDocumentError: more pages, or larger streams, than the limits.
        ReadError: damaged beyond repair, or only pictures of text.
    """
    builder = DocumentBuilder(PurePath(name).stem)
    reader = _open(data, name)
    if reader is None:  # pypdf gives up: no outline, but PDFium may see the text
        pages = list(_pdfium_pages(data, name))
        headings: list[Heading] = []
    else:
        pages = list(_pages(reader, data, name))
        headings = list(_outline(reader))
        builder.title = _title(reader) or builder.title
    if sum(character.isalpha() for page in pages for character in page) < _LEAST_LETTERS:
        raise ReadError(
            f"{name} holds no text, only pictures",
            remedy="run OCR on it, for example with ocrmypdf, and add the result",
        )
    add_pages(builder, pages, headings)
    return builder.parsed()


def _open(data: bytes, name: str) -> PdfReader | None:
    import pypdf

    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            reader = pypdf.PdfReader(io.BytesIO(_without_encryption(data, name)))
        count = len(reader.pages)
    except ReadError:
        raise
    except pypdf.errors.LimitReachedError as error:
        raise OversizedDocumentError(f"{name}: {error}", remedy="split the document") from error
    except Exception:  # noqa: BLE001 - pypdf raises whatever a damaged file leads to
        return None
    if count > MOST_PAGES:
        raise OversizedDocumentError(f"{name} has {count} pages", remedy="split the document")
    return reader


def _without_encryption(data: bytes, name: str) -> bytes:
    """The document as PDFium saves it after opening it with the empty password."""
    import pypdfium2.raw

    document = _pdfium_document(data, name)
    plain = io.BytesIO()
    try:
        document.save(plain, flags=pypdfium2.raw.FPDF_REMOVE_SECURITY)
    finally:
        document.close()
    return plain.getvalue()


def _pdfium_document(data: bytes, name: str) -> Any:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD_ERROR or "password" in str(error).lower():
            raise ProtectedDocumentError(
                f"{name} is protected by a password", remedy="save a copy without a password"
            ) from error
        raise ReadError(
            f"{name} is not a PDF, or damaged", remedy="open it in a PDF viewer and save it again"
        ) from error


def _pages(reader: PdfReader, data: bytes, name: str) -> Iterator[str]:
    import pypdf

    for number, page in enumerate(reader.pages):
        try:
            yield clean(page.extract_text())
        except pypdf.errors.LimitReachedError as error:
            raise OversizedDocumentError(
                f"{name}, page {number + 1}: {error}", remedy="split the document"
            ) from error
        except Exception:  # noqa: BLE001 - pypdf raises whatever a damaged page leads to
            yield next(_pdfium_pages(data, name, number, number + 1), "")


def _pdfium_pages(data: bytes, name: str, first: int = 0, end: int | None = None) -> Iterator[str]:
    document = _pdfium_document(data, name)
    try:
        for number in range(first, min(len(document), MOST_PAGES if end is None else end)):
            text = document[number].get_textpage().get_text_bounded()
            yield clean(text.replace("\ufffe", "-\n"))  # PDFium's mark for a hyphen at a line end
    except Exception as error:
        raise ReadError(
            f"{name} is damaged", remedy="open it in a PDF viewer and save it again"
        ) from error
    finally:
        document.close()


def _outline(reader: PdfReader) -> Iterator[Heading]:
    """The outline's entries in order; nothing where it is missing or damaged."""
    try:
        yield from _entries(reader, reader.outline, 1)
    except Exception:  # noqa: BLE001 - an outline is a help, not a part of the text
        return


def _entries(reader: PdfReader, items: list[Any], level: int) -> Iterator[Heading]:
    for item in items:
        if isinstance(item, list):
            if level < _DEEPEST:
                yield from _entries(reader, item, level + 1)
            continue
        title = one_line(str(item.title or ""))
        page = reader.get_destination_page_number(item)
        if title and page is not None and page >= 0:
            yield Heading(level, title, page + 1)


def _title(reader: PdfReader) -> str:
    try:
        title = one_line(str((reader.metadata and reader.metadata.title) or ""))
    except Exception:  # noqa: BLE001 - as above
        return ""
    plain = title.lower()
    if (
        len(title) < 4
        or plain.startswith(_MEANINGLESS_TITLES)
        or PurePath(plain).suffix[1:].isalpha()
    ):
        return ""
    return title
