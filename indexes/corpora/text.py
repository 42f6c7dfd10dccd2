"""Plain text: finding its encoding, its paragraphs, and whether it is text at all."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath

from indexes.corpora.blocks import DocumentBuilder, Parsed, clean
from indexes.errors import ReadError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 100_000
_TELLING = 30  # fewer bytes above 127 say too little about the encoding
_NOT_WESTERN = re.compile(  # signs inside words, capitals inside words, runs of accents
    r"\w[¡-¿×÷ŒŠŽŸƒˆ˜\ufffd†‡‰\u0080-\u009f]\w|[a-z][À-Þ][a-zß-ÿ]|[À-ÿ]{4}|\ufffd"
)
_CANDIDATES = (  # the most frequent first
    "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 iso8859_2 koi8_r koi8_u mac_roman "
    "cp437 cp850 cp866 shift_jis cp932 euc_jp iso2022_jp gb18030 big5 euc_kr cp949 tis_620"
)
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n\s*")


def decode(data: bytes, name: str, declared: str | None = None) -> str:
    """Text of unknown encoding.

    In this order: a byte order mark, the `declared` encoding, UTF-8 (a few damaged bytes are
    forgiven), UTF-16 without a mark, what statistics of the bytes say, Windows-1252.

    Raises:
        ReadError: it is not text.
    """
    for mark, marked in _BOMS:
        if data.startswith(mark):
            return _checked(data[len(mark) :].decode(marked, "replace"), name)
    if (order := _utf16_order(data)) is not None:
        return _checked(data.decode(order, "replace"), name)
    for encoding in (declared, "utf-8"):
        try:
            return _checked(data.decode(encoding or "utf-8"), name)
        except (UnicodeDecodeError, LookupError):
            continue
    forgiven = data.decode("utf-8", "replace")
    damaged = forgiven.count("\ufffd")
    if damaged * 20 <= sum(not character.isascii() for character in forgiven):
        return _checked(forgiven, name)
    return _checked(data.decode(_guess(data), "replace"), name)


def _utf16_order(data: bytes) -> str | None:
    """UTF-16 without a mark: text that is mostly Latin has its NUL bytes on one side."""
    even, odd = data[:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
    if max(even, odd) * 5 < len(data[:_SAMPLE]):  # fewer than 40 % of one side
        return None
    return "utf-16-le" if odd > 4 * even else "utf-16-be" if even > 4 * odd else None


def _guess(data: bytes) -> str:
    """The encoding that statistics of the bytes suggest, Windows-1252 where they are too few."""
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE]
    telling = sum(byte > 127 for byte in sample)
    western = sample.decode("cp1252", "replace")
    if telling < _TELLING and not _NOT_WESTERN.search(western):
        return "cp1252"
    candidates = _CANDIDATES.split()
    matches = list(from_bytes(sample, cp_isolation=candidates))
    if not matches:
        return "cp1252"
    # Encodings of one family differ in few signs: where the disorder is about equal, the one that
    # reads most like a language, then the most frequent one.
    least = min(match.chaos for match in matches)
    likely = [match for match in matches if match.chaos <= least + 0.02]
    best = max(likely, key=lambda m: (m.coherence, -candidates.index(m.encoding)))
    return best.encoding


def _checked(text: str, name: str) -> str:
    sample = text[:_SAMPLE]
    if "\x00" in sample or len(_CONTROLS.findall(sample)) > 4 + len(sample) // 50:
        raise ReadError(
            f"{name} looks binary, not like text",
            remedy="give it the file name ending of its real format, or leave it out",
        )
    return text


def read_text(data: bytes, name: str) -> Parsed:
    """Paragraphs of plain text. The line breaks inside them are kept."""
    builder = DocumentBuilder(PurePath(name).stem)
    add_paragraphs(builder, decode(data, name))
    return builder.parsed()


def add_paragraphs(builder: DocumentBuilder, text: str) -> None:
    """Add each stretch between empty lines as a block of its own."""
    for paragraph in _PARAGRAPH_END.split(clean(text)):
        builder.add(paragraph)
