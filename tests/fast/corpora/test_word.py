"""Word documents, and archives that only look like one."""

import io
import zipfile

import docx
import pytest

from indexes.corpora import word as word_module
from indexes.corpora.word import read_word
from indexes.errors import OversizedDocumentError, ProtectedDocumentError, ReadError
from tests.fast.corpora.helpers import blocks_of, word


def archive(parts: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return data.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    """A real Word document with one part replaced or added."""
    with zipfile.ZipFile(io.BytesIO(word())) as file:
        parts = {part: file.read(part) for part in file.namelist()}
    return archive({**parts, name: content})


def test_structure():
    parsed = read_word(word(), "handbook.docx")
    assert parsed.title == "Handbook"
    leave, carry = ("Leave",), ("Leave", "Carry over")
    assert blocks_of(parsed) == [
        ("heading", "Handbook", ()),
        ("heading", "Leave", ()),
        ("text", "You have thirty days of leave.", leave),
        ("list", "- ask early\n- write it down", leave),
        ("table", "Year | Days\n2024 | 30", leave),
        ("heading", "Carry over", leave),
        ("text", "Unused days expire in March.", carry),
    ]


def test_the_title_of_the_properties_where_there_is_no_heading():
    document = docx.Document()
    document.core_properties.title = "Minutes of May"
    document.add_paragraph("We met.")
    data = io.BytesIO()
    document.save(data)
    assert read_word(data.getvalue(), "a.docx").title == "Minutes of May"


def test_a_bomb_is_refused_before_it_is_parsed():
    bomb = with_part("word/document.xml", b"<w:p>" + b" " * (40 * 1024 * 1024) + b"</w:p>")
    assert len(bomb) < 1024 * 1024
    with pytest.raises(OversizedDocumentError, match=r"unpacks to 4\d MB or more"):
        read_word(bomb, "bomb.docx")


def test_a_bomb_of_many_parts_is_refused():
    bomb = archive(
        {"word/document.xml": b"<x/>"} | {f"word/media/{n}.bin": b" " * 2**20 for n in range(8)}
    )
    with pytest.raises(OversizedDocumentError):
        read_word(bomb, "bomb.docx")


def test_a_bomb_that_lies_about_its_size_is_refused():
    """The sizes in the archive's directory are claims; what counts is what comes out."""
    content = b"<w:p>" + b" " * (2 * 1024 * 1024) + b"</w:p>"
    bomb = bytearray(with_part("word/document.xml", content))
    size = len(content).to_bytes(4, "little")
    assert bomb.count(size) == 2  # in front of the part and in the directory
    lie = (1000).to_bytes(4, "little")
    with pytest.raises(ReadError):
        read_word(bytes(bomb.replace(size, lie)), "bomb.docx")


def test_the_real_size_counts_beside_the_claimed_one(monkeypatch):
    monkeypatch.setattr(word_module, "LARGEST_PART", 1000)
    with pytest.raises(OversizedDocumentError):
        read_word(word(), "a.docx")


@pytest.mark.parametrize(
    "declaration",
    [
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_are_refused(declaration):
    content = b'<?xml version="1.0"?>' + declaration + b"<w:document/>"
    with pytest.raises(ReadError, match="declares XML entities"):
        read_word(with_part("word/document.xml", content), "a.docx")


def test_other_archives_are_called_what_they_are():
    with pytest.raises(ReadError, match="is a zip archive, not a Word document"):
        read_word(archive({"a.txt": b"text"}), "a.docx")


def test_a_password_is_asked_for_in_words():
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
    encrypted = ole + "EncryptedPackage".encode("utf-16-le") + bytes(500)
    with pytest.raises(ProtectedDocumentError, match="protected by a password"):
        read_word(encrypted, "a.docx")
    with pytest.raises(ReadError, match="old Word format"):
        read_word(ole, "a.docx")


@pytest.mark.parametrize(
    "content", [b"", b"<w:document", b"<html/>", b"\xff\xfe\x00", b"<a>" * 5000]
)
def test_a_damaged_main_part_is_a_read_error_or_no_text(content):
    try:
        assert read_word(with_part("word/document.xml", content), "a.docx").text == ""
    except ReadError as error:
        assert error.remedy


def test_pictures_are_left_out_and_their_bytes_not_kept():
    document = docx.Document()
    document.add_paragraph("Before the picture.")
    picture = io.BytesIO(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8"
            "cfc000000301010018dd8db00000000049454e44ae426082"
        )
    )
    document.add_picture(picture)
    document.add_paragraph("After it.")
    data = io.BytesIO()
    document.save(data)
    assert read_word(data.getvalue(), "a.docx").text == "Before the picture.\n\nAfter it."
