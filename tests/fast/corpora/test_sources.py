"""Specs: which source they open, and that a source's own spec opens it again."""

from pathlib import Path

import pytest

from indexes.corpora import (
    BeirSource,
    FileSource,
    PackageSource,
    TrecSource,
    WebSource,
    open_source,
)
from indexes.errors import UnknownNameError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "1", "text": "one"}\n')
    (tmp_path / "note.txt").write_text("A note.")
    return tmp_path


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("{folder}", FileSource),
        ("{folder}/note.txt", FileSource),
        ("  {folder}/../{name}/note.txt ", FileSource),
        ("beir:{folder}", BeirSource),
        ("BEIR:{folder}", BeirSource),
        ("trec:{folder}/corpus.jsonl", TrecSource),
        ("trec:{folder}", TrecSource),
        ("https://example.org/page#part", WebSource),
        ("packages", PackageSource),
        ("packages:starter", PackageSource),
        ("packages:Typer, networkx", PackageSource),
    ],
)
def test_a_source_opens_again_from_its_own_spec(folder, spec, kind):
    source = open_source(spec.format(folder=folder, name=folder.name))
    assert isinstance(source, kind)
    again = open_source(source.spec)
    assert type(again) is kind
    assert again.spec == source.spec


def test_specs_are_canonical(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert open_source("note.txt").spec == str(folder.resolve() / "note.txt")
    assert open_source("beir:.").spec == f"beir:{folder.resolve()}"
    assert open_source("https://example.org/page#part").spec == "https://example.org/page"
    assert open_source("packages:Typer,typer").spec == "packages:typer"
    monkeypatch.setenv("HOME", str(folder))
    assert open_source("~/note.txt").spec == str(folder.resolve() / "note.txt")


def test_a_file_with_a_colon_in_its_name_is_a_file(folder):
    path = folder / "note: today.txt"
    path.write_text("Text.")
    assert open_source(str(path)).spec == str(path)


def test_an_unknown_scheme_names_the_nearest_known_one(folder):
    with pytest.raises(UnknownNameError, match=r"did you mean 'beir:'") as caught:
        open_source("bier:/tmp")
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "no source given"),
        ("a\x00b", "no source given"),
        ("/no/such/folder", "there is no file or folder '/no/such/folder'"),
        ("beir:/no/such/folder", "there is no corpus.jsonl"),
        ("beir:", "names no file"),
        ("trec:/no/such/file", "there is no file"),
        ("https://", "is not a web address"),
        ("packages:no-such-package", "unknown package 'no-such-package'"),
        ("/dev/null", "neither a file nor a folder"),
    ],
)
def test_what_is_not_there_is_said_with_a_remedy(spec, message):
    with pytest.raises(UsageError, match=message):
        open_source(spec)


def test_what_is_too_long_for_a_path_is_no_crash():
    with pytest.raises(UsageError, match="cannot open"):
        open_source("/" + "x" * 5000)
    with pytest.raises(UnknownNameError):
        open_source("abc:" + "x" * 5000)
    address = "https://example.org/?q=" + "x" * 5000
    assert open_source(address).spec == address


def test_a_single_file_of_unknown_format_lists_the_known_ones(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(b"ID3")
    with pytest.raises(UsageError, match=r"known endings: .*\.docx .*\.pdf"):
        open_source(str(path))
