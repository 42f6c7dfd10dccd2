"""The walk through a folder, and what a document of a file carries."""

import hashlib
import os
from pathlib import Path

import pytest

from indexes.corpora import open_source
from indexes.documents import Entry, ReadFailure, document_id
from tests.fast.corpora.helpers import load, ordinary_person


def entries(folder: Path) -> dict[str, Entry | ReadFailure]:
    found = {}
    for item in open_source(str(folder)).entries():
        found[os.path.relpath(item.uri, folder.resolve())] = item
    return found


def test_files_come_in_the_order_of_their_paths_and_folders_of_tools_are_passed_over(tmp_path):
    for name in ["b.txt", "a/z.md", "a/b/c.html", "a.txt", "Z.csv"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Some text.")
    for name in [
        ".hidden.txt",
        ".git/x.txt",
        "node_modules/x.txt",
        "__pycache__/x.txt",
        "~$b.docx",
        "image.png",
        "program",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Not to be read.")
    environment = tmp_path / "my-environment"
    environment.mkdir()
    (environment / "pyvenv.cfg").touch()
    (environment / "x.txt").write_text("Not to be read.")
    assert list(entries(tmp_path)) == ["Z.csv", "a/b/c.html", "a/z.md", "a.txt", "b.txt"]


def test_links_lead_nowhere_twice(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "far.txt").write_text("Far.")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "near.txt").write_text("Near.")
    (inside / "loop").symlink_to(inside, target_is_directory=True)
    (inside / "away").symlink_to(outside, target_is_directory=True)
    (inside / "copy.txt").symlink_to(inside / "near.txt")
    (inside / "far.txt").symlink_to(outside / "far.txt")
    (inside / "gone.txt").symlink_to(tmp_path / "nothing.txt")
    found = entries(inside)
    assert list(found) == ["far.txt", "gone.txt", "near.txt"]
    assert isinstance(found["gone.txt"], ReadFailure)
    assert "link to nothing" in found["gone.txt"].reason


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "a.txt").write_text("Text.")
    assert list(entries(tmp_path)) == ["a.txt"]


def test_an_entry_is_the_hash_of_the_bytes_and_nothing_is_parsed_before_load(tmp_path):
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"not a PDF")
    entry = entries(tmp_path)["broken.pdf"]
    assert isinstance(entry, Entry)
    assert entry.fingerprint == hashlib.sha256(b"not a PDF").hexdigest()


def test_a_document_knows_where_it_comes_from(tmp_path):
    path = tmp_path / "my notes.txt"
    path.write_text("First.\r\n\r\nSecond.")
    document = load(path)
    assert document.uri == str(path.resolve())
    assert document.id == document_id(document.uri)
    assert document.title == "my notes"
    assert document.text == "First.\n\nSecond."
    assert document.media_type == "text/plain"
    assert document.modified == pytest.approx(path.stat().st_mtime)
    assert len(document.blocks) == 2


def test_the_fingerprint_is_of_the_bytes_that_were_parsed(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Old text.")
    (entry,) = open_source(str(path)).entries()
    path.write_text("New text, which came later.")
    document = entry.load()
    assert document.text == "New text, which came later."
    assert document.fingerprint == hashlib.sha256(path.read_bytes()).hexdigest()
    assert document.fingerprint != entry.fingerprint


def test_a_name_that_is_not_unicode_becomes_a_readable_uri(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    Path(os.fsdecode(path)).write_text("Coffee.")
    (entry,) = open_source(str(tmp_path)).entries()
    document = entry.load()
    assert document.uri.endswith("caf\\xe9.txt")
    assert document.title == "caf\\xe9"
    document.uri.encode("utf-8")


def test_a_deep_tree_is_walked_to_its_end(tmp_path):
    here = Path.cwd()
    try:  # one step at a time: the whole path is near what the system allows
        os.chdir(tmp_path)
        for _ in range(900):
            Path("d").mkdir()
            os.chdir("d")
        Path("leaf.txt").write_text("Deep.")
    finally:
        os.chdir(here)
    (entry,) = open_source(str(tmp_path)).entries()
    assert entry.load().text == "Deep."


def test_files_without_rights_are_listed_and_stop_nothing():
    with ordinary_person() as folder:
        (folder / "a.txt").write_text("Readable.")
        (folder / "b.txt").write_text("Secret.")
        (folder / "b.txt").chmod(0)
        (folder / "closed").mkdir()
        (folder / "closed" / "c.txt").write_text("Inside.")
        (folder / "closed").chmod(0)
        (folder / "listed").mkdir()
        (folder / "listed" / "d.txt").write_text("Its name can be seen.")
        (folder / "listed" / "e").mkdir()
        (folder / "listed").chmod(0o444)
        found = entries(folder)
    assert isinstance(found["a.txt"], Entry)
    for name in ("b.txt", "closed", "listed/d.txt", "listed/e"):
        item = found[name]
        assert isinstance(item, ReadFailure)
        assert "Permission denied" in item.reason
        assert "permissions" in item.remedy
