"""Bad input ends in a sentence with a remedy, costs one file, and nothing else.

One folder holds everything that can go wrong beside a file that is fine; then damaged bytes of
every format, at random.
"""

import hashlib
import io
import os
import random
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.chunking import Chunker
from indexes.corpora import formats, open_source
from indexes.corpora.formats import SUFFIXES, parse
from indexes.documents import Entry, ReadFailure
from indexes.errors import OversizedDocumentError, ReadError
from tests.fast.corpora.helpers import check, failure, load, ordinary_person, pdf, scanned_pdf, word


def bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", b" " * (40 * 1024 * 1024))
    return data.getvalue()


BAD = {
    "cut short.pdf": (pdf([["Some text."]])[:200], "damaged"),
    "password.pdf": (pdf([["Secret."]], password="x"), "protected by a password"),
    "scan.pdf": (scanned_pdf(), "only pictures"),
    "called.pdf": (b"Plain text under a wrong name.", "is not a PDF"),
    "bomb.docx": (bomb(), "unpacks to"),
    "cut short.docx": (word()[:2000], "is damaged"),
    "archive.docx": (b"PK\x05\x06" + bytes(18), "not a Word document"),
    "old.docx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Word format"),
    "called.docx": (b"Plain text under a wrong name.", "is not a Word document"),
    "binary.txt": (bytes(range(256)) * 8, "looks binary"),
    "broken.json": (b'{"a": ', "is not JSON"),
    "broken.jsonl": (b"no\nno\nno\n", "is not JSON lines"),
    "empty.txt": (b"", "is empty: no text"),
    "blank.md": (b" \n\t\n", "is empty: no text"),
    "nothing.html": (b"<html><body><img src='x'></body></html>", "no text"),
    "comment.md": (b"<!-- nothing to see -->", "no text"),
}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReadError]:
    """What loading each file of the folder raised; the fine file must have come through."""
    folder = tmp_path_factory.mktemp("bad")
    for name, (data, _) in BAD.items():
        (folder / name).write_bytes(data)
    (folder / "fine.txt").write_text("This one is fine.")
    raised: dict[str, ReadError] = {}
    for item in open_source(str(folder)).entries():
        assert isinstance(item, Entry)
        try:
            document = item.load()
        except ReadError as error:
            raised[Path(item.uri).name] = error
        else:
            assert document.text == "This one is fine."
    return raised


@pytest.mark.parametrize("name", sorted(BAD))
def test_each_bad_file_says_what_is_wrong_and_what_to_do(failures, name):
    error = failures[name]
    assert BAD[name][1] in error.message
    assert name in error.message
    assert error.remedy
    assert error.exit_status == 1


def test_nothing_else_failed(failures):
    assert set(failures) == set(BAD)


def test_a_file_above_the_limit_is_not_even_read(tmp_path):
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(formats.LARGEST_FILE + 1)  # sparse: takes no space
    assert "the limit is 67 MB" in failure(path).reason
    with pytest.raises(OversizedDocumentError):
        parse(bytes(formats.LARGEST_FILE + 1), "huge.txt")


def growing(monkeypatch: pytest.MonkeyPatch, target: Path, times: int) -> None:
    """Let somebody append to `target` each time it has just been read, `times` times."""
    look, left = Path.stat, [times]

    def stat(path: Path, **options: bool) -> os.stat_result:
        if path == target and left[0]:
            left[0] -= 1
            with target.open("ab") as file:
                file.write(b" More.")
        return look(path, **options)

    monkeypatch.setattr(Path, "stat", stat)


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("Text.")
    (entry,) = open_source(str(path)).entries()
    growing(monkeypatch, path, times=1)
    document = entry.load()
    assert document.text == "Text. More."
    assert document.fingerprint == hashlib.sha256(b"Text. More.").hexdigest()


def test_a_file_that_keeps_changing_is_a_failure(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("Text.")
    (entry,) = open_source(str(path)).entries()
    growing(monkeypatch, path, times=2)
    with pytest.raises(ReadError, match="changed while it was read") as caught:
        entry.load()
    assert "later" in caught.value.remedy


def test_a_file_that_goes_away_between_listing_and_reading(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Text.")
    (entry,) = open_source(str(path)).entries()
    path.unlink()
    with pytest.raises(ReadError, match="is gone"):
        entry.load()


def test_a_folder_that_goes_away_is_a_failure(tmp_path):
    source = open_source(str(tmp_path))
    tmp_path.rmdir()
    (found,) = source.entries()
    assert isinstance(found, ReadFailure)
    assert "is gone" in found.reason
    tmp_path.mkdir()


def test_a_folder_without_rights_given_by_itself():
    with ordinary_person() as folder:
        closed = folder / "closed"
        closed.mkdir()
        closed.chmod(0)
        (found,) = open_source(str(closed)).entries()
    assert isinstance(found, ReadFailure)
    assert "Permission denied" in found.reason


def test_files_are_read_from_several_threads(tmp_path):
    for n in range(12):
        (tmp_path / f"{n}.pdf").write_bytes(pdf([[f"Page of file {n}."]], password=""))
    entries = list(open_source(str(tmp_path)).entries())
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda e=entry: found.append(e.load().text)) for entry in entries
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"Page of file {n}." for n in range(12))


GOOD = {
    ".txt": "Fußgänger gehen.\n\nZweiter Absatz.".encode(),
    ".md": b"---\ntitle: T\n---\n# A\n\n- x\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n",
    ".rst": b"Title\n=====\n\nText ``x``::\n\n    code\n\n* item\n\n.. note::\n\n   Note\n",
    ".html": b"<html><head><title>T</title></head><body><nav>n</nav><h1>A</h1><p>x</p></body></html>",
    ".pdf": pdf([["First page with text."], ["Second."]], outline=[("First", 0, 1)]),
    ".docx": word(),
    ".csv": b'name;note\n"a";"b; c"\nx;y\n',
    ".json": b'{"a": [{"b": 1}], "c": "\\u00e9"}',
    ".jsonl": b'{"a": 1}\n{"b": [1, 2]}\n',
}


def read_and_check(data: bytes, name: str) -> None:
    try:
        parsed, _ = parse(data, name)
    except ReadError as error:
        assert error.message
        assert error.remedy
    else:
        check(parsed)
        assert parsed.text.strip()


@pytest.mark.parametrize("suffix", sorted(GOOD))
def test_damaged_bytes_of_every_format(suffix):
    """Bytes flipped, cut out, doubled: an error in words or a sound document, never a crash."""
    chance = random.Random(suffix)
    for _ in range(40):
        data = bytearray(GOOD[suffix])
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randrange(1, 30)]
                case 2:
                    data[at:at] = data[at : at + chance.randrange(1, 30)]
                case _:
                    data = data[: max(at, 1)]
            if not data:
                data = bytearray(b"x")
        read_and_check(bytes(data), f"damaged{suffix}")


@given(st.binary(max_size=400), st.sampled_from(SUFFIXES))
@settings(max_examples=100)
def test_any_bytes_under_any_name(data, suffix):
    read_and_check(data, f"file{suffix}")


@given(st.text(max_size=400), st.sampled_from(SUFFIXES))
@settings(max_examples=100)
def test_any_text_under_any_name(text, suffix):
    read_and_check(text.encode("utf-8", "replace"), f"file{suffix}")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("deep.html", b"<div>" * 30_000 + b"words"),
        ("deep.html", b"<ul><li>" * 1500 + b"words"),
        ("deep.html", b"<table><tr><td>" * 800 + b"words"),
        ("deep.md", b"> " * 5000 + b"words"),
        ("deep.md", b"[" * 4000 + b"words"),
        ("deep.md", b"*a **b " * 3000 + b"words"),
        ("deep.rst", b"".join(b" " * n + b"- words\n\n" for n in range(300))),
        ("deep.rst", b"".join(b"   " * n + b".. note::\n\n" for n in range(200)) + b" words"),
        ("deep.json", b'{"a":' * 600 + b'"words"' + b"}" * 600),
        ("deep.jsonl", b"[" * 50_000 + b"\n" + b'{"a": "words"}\n' * 2),
        ("line.txt", b"words " * 200_000),
        ("line.txt", b"x" * 1_000_000 + b" words"),
        ("rules.rst", b"=====\n" * 5000 + b"words"),
        ("bars.md", b"|" * 20_000 + b"\nwords"),
    ],
)
def test_extreme_shapes_are_read_without_losing_the_words(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    document = load(path)
    assert "words" in document.text
    assert any("words" in passage.text for passage in Chunker().split(document))
