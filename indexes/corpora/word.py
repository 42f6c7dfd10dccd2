"""Word (.docx), through mammoth's HTML."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePath

from indexes.corpora.blocks import DocumentBuilder, Parsed, one_line
from indexes.corpora.html import add_html
from indexes.errors import OversizedDocumentError, ProtectedDocumentError, ReadError

LARGEST_UNPACKED = 256 * 1024 * 1024
LARGEST_PART = 32 * 1024 * 1024  # one XML part, some 5,000 pages; its tree takes 30 times that
LARGEST_RATIO = 300  # text deflates 5 to 20 times; bombs a thousand times
_SMALL = 4 * 1024 * 1024  # below this no ratio is a danger
_MOST_PARTS = 20_000
_MAIN_PART = "word/document.xml"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SAVE_AGAIN = "open it in a word processor and save it as .docx"


def read_word(data: bytes, name: str) -> Parsed:
    """A Word document: headings by style, lists, tables.

    Raises:
        ProtectedDocumentError: it has a password.
        OversizedDocumentError: it unpacks to more than the limits.
        ReadError: it is not a Word document, or damaged.
    """
    if data.startswith(_OLE):
        _refuse_ole(data, name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive, name)
            title = _core_title(archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        OSError,
        EOFError,
        ValueError,
    ) as error:
        raise ReadError(f"{name} is damaged: {error}", remedy=_SAVE_AGAIN) from error
    builder = DocumentBuilder(PurePath(name).stem)
    add_html(builder, _html(data, name))
    builder.title = _first_heading(builder) or title or builder.title
    return builder.parsed()


def _refuse_ole(data: bytes, name: str) -> None:
    if _ENCRYPTED in data:
        raise ProtectedDocumentError(
            f"{name} is protected by a password", remedy="save a copy without a password"
        )
    raise ReadError(f"{name} is in the old Word format", remedy=_SAVE_AGAIN)


def _check(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse what would fill the memory, before anything is parsed."""
    parts = archive.infolist()
    if _MAIN_PART not in {part.filename for part in parts}:
        raise ReadError(f"{name} is a zip archive, not a Word document", remedy="unpack it first")
    if any(part.flag_bits & 0x1 for part in parts):
        raise ProtectedDocumentError(
            f"{name} is protected by a password", remedy="save a copy without a password"
        )
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    bomb = unpacked > _SMALL and unpacked > LARGEST_RATIO * max(packed, 1)
    if unpacked > LARGEST_UNPACKED or len(parts) > _MOST_PARTS or bomb:
        _refuse_size(name, unpacked)
    # The sizes above are what the archive claims; these are what it really unpacks to.
    total = 0
    for part in parts:
        if part.filename.lower().endswith((".xml", ".rels")):
            total += _unpack(archive, part, name)
            if total > 2 * LARGEST_PART:
                _refuse_size(name, total)


def _unpack(archive: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> int:
    size, tail = 0, b""
    with archive.open(part) as stream:
        while piece := stream.read(1 << 20):
            size += len(piece)
            if size > LARGEST_PART:
                _refuse_size(name, size)
            # Word writes no document type; one can hold entities that multiply without end.
            if b"<!DOCTYPE" in tail + piece or b"<!ENTITY" in tail + piece:
                raise ReadError(
                    f"{name} declares XML entities, which Word never does", remedy=_SAVE_AGAIN
                )
            tail = piece[-16:]
    return size


def _refuse_size(name: str, size: int) -> None:
    raise OversizedDocumentError(
        f"{name} unpacks to {size / 1e6:.0f} MB or more",
        remedy="if it is what it seems, split it into smaller documents",
    )


def _core_title(archive: zipfile.ZipFile) -> str:
    import lxml.etree

    try:
        root = lxml.etree.fromstring(
            archive.read("docProps/core.xml"),
            lxml.etree.XMLParser(resolve_entities=False, no_network=True),
        )
    except (KeyError, lxml.etree.LxmlError):
        return ""
    found = root.find("{http://purl.org/dc/elements/1.1/}title")
    title = one_line(found.text or "") if found is not None else ""
    return "" if title.lower() in ("word document", "document", "untitled") else title


def _html(data: bytes, name: str) -> str:
    import mammoth

    try:
        result = mammoth.convert_to_html(
            io.BytesIO(data),
            convert_image=lambda image: [],
            style_map="p[style-name='Title'] => h1:fresh",
        )
    except RecursionError as error:
        raise ReadError(f"{name} is nested too deeply", remedy=_SAVE_AGAIN) from error
    except Exception as error:
        raise ReadError(f"{name} is damaged: {error}", remedy=_SAVE_AGAIN) from error
    return str(result.value)


def _first_heading(builder: DocumentBuilder) -> str:
    parsed = builder.parsed()
    first = parsed.blocks[0] if parsed.blocks else None
    return parsed.text[first.start : first.end] if first and first.kind == "heading" else ""
