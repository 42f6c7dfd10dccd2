"""Documents one by one: listed with their states, read again, taken out and put back."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.build import IndexWriter
from indexes.corpora import open_source
from indexes.errors import UnknownNameError
from indexes.index import Index
from indexes.listing import Listing, listing
from indexes.manifest import read_manifest
from indexes.upkeep.verify import verify
from indexes.usage import folder_size, parts_of
from tests.fast.indexes.sources import HashedEncoders, MemorySource

WORDS = "otters kelp lighthouse granite lease Lyon raft stone lamp keeper".split()


def _writer(folder: Path) -> IndexWriter:
    return IndexWriter(folder, HashedEncoders())  # type: ignore[arg-type]


def _listed(folder: Path, **wanted: object) -> Listing:
    index = Index.open(folder, HashedEncoders())  # type: ignore[arg-type]
    try:
        return listing(index.store, index.manifest, **wanted)  # type: ignore[arg-type]
    finally:
        index.close()


def _passages(folder: Path) -> list[tuple[str, str]]:
    index = Index.open(folder, HashedEncoders())  # type: ignore[arg-type]
    try:
        return [(p.uri, p.text) for p in index.store.passages()]
    finally:
        index.close()


@pytest.fixture
def notes(tmp_path: Path) -> tuple[Path, Path]:
    """An index of four files, one of them broken; and their folder."""
    files = tmp_path / "files"
    files.mkdir()
    for name in ("Ärger", "bees", "clocks"):
        (files / f"{name}.md").write_text(f"# {name}\n\nAll about {name}.\n", encoding="utf-8")
    (files / "broken.pdf").write_bytes(b"no pdf")
    folder = tmp_path / "indexes" / "notes"
    _writer(folder).build([open_source(str(files))])
    return folder, files


def test_states_of_documents(notes: tuple[Path, Path]) -> None:
    folder, files = notes
    assert [(r.title, r.state, r.passages) for r in _listed(folder).rows] == [
        ("bees", "read", 1),
        ("clocks", "read", 1),
        ("Ärger", "read", 1),
    ]
    (broken,) = _listed(folder, state="failed").rows
    assert broken.uri == str(files / "broken.pdf")
    assert "not a PDF" in broken.reason
    assert "ending" in broken.remedy

    os.utime(files / "clocks.md", (1, 1))  # another time, the same text: not changed
    (files / "bees.md").write_text("# bees\n\nSomething else.\n", encoding="utf-8")
    (files / "Ärger.md").unlink()
    assert [r.state for r in _listed(folder).rows] == ["changed", "read", "gone"]
    assert [r.title for r in _listed(folder, state="changed").rows] == ["bees"]
    assert [r.title for r in _listed(folder, state="gone").rows] == ["Ärger"]
    assert _listed(folder, state="read").total == 1


def test_a_file_that_broke_is_listed_with_what_it_was(notes: tuple[Path, Path]) -> None:
    folder, files = notes
    (files / "bees.md").rename(files / "bees.pdf")
    _writer(folder).update(open_source)
    (files / "clocks.md").write_bytes(b"%PDF-1.4 broken")
    _writer(folder).update(open_source)
    kept = {r.title: r for r in _listed(folder).rows}["clocks"]
    assert kept.state == "failed" and kept.id and kept.reason
    failed = {r.uri: r for r in _listed(folder, state="failed").rows}
    assert failed[str(files / "clocks.md")].id == kept.id
    assert failed[str(files / "bees.pdf")].id == ""


def test_a_list_comes_in_parts(notes: tuple[Path, Path]) -> None:
    folder, _ = notes
    first, second = (_listed(folder, limit=2, offset=offset) for offset in (0, 2))
    assert (first.total, len(first.rows), len(second.rows)) == (3, 2, 1)
    assert [r.title for r in _listed(folder, wanted="äRG").rows] == ["Ärger"]
    assert _listed(folder, wanted="% nothing _").total == 0
    assert [r.title for r in _listed(folder, order="title").rows] == ["bees", "clocks", "Ärger"]
    assert len(_listed(folder, order="newest").rows) == 3


def test_taken_out_and_put_back(notes: tuple[Path, Path]) -> None:
    folder, files = notes
    before = _passages(folder)
    bees = str(files / "bees.md")
    _writer(folder).delete_documents([bees])
    assert [r.uri for r in _listed(folder, state="excluded").rows] == [bees]
    assert bees not in {r.uri for r in _listed(folder).rows}
    _writer(folder).build([open_source(str(files))], put_back=[bees])
    assert _listed(folder, state="excluded").total == 0
    assert _passages(folder) == before


def test_one_document_is_read_again(notes: tuple[Path, Path]) -> None:
    folder, files = notes
    (files / "bees.md").write_text("# bees\n\nBees are insects.\n", encoding="utf-8")
    (files / "clocks.md").write_text("# clocks\n\nClocks tick.\n", encoding="utf-8")
    bees = str(files / "bees.md")
    result = _writer(folder).read_documents([bees], open_source)
    assert (result.changes.changed, result.changes.unchanged) == ([bees], 2)
    assert {r.title: r.state for r in _listed(folder).rows} == {
        "bees": "read",
        "clocks": "changed",
        "Ärger": "read",
    }
    assert len(read_manifest(folder).failures) == 1  # the broken file is not forgotten
    assert all(finding.ok for finding in verify(folder, HashedEncoders()))  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError):
        _writer(folder).read_documents(["nothing"], open_source)


def test_a_document_that_cannot_be_read_again_stays(notes: tuple[Path, Path]) -> None:
    folder, files = notes
    before = _passages(folder)
    (files / "bees.md").write_bytes(b"%PDF-1.4 broken")
    _writer(folder).read_documents([str(files / "bees.md")], open_source)
    assert _passages(folder) == before
    assert {r.title: r.state for r in _listed(folder).rows}["bees"] == "failed"


_texts = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join),
    min_size=1,
)


@settings(max_examples=8, deadline=None)
@given(texts=_texts, data=st.data())
def test_reading_all_again_one_by_one_equals_an_update(
    texts: dict[str, str], data: st.DataObject
) -> None:
    after = {
        uri: data.draw(st.sampled_from([text, f"{text} {WORDS[0]}"])) for uri, text in texts.items()
    }
    with tempfile.TemporaryDirectory() as root:
        one, other = Path(root) / "one", Path(root) / "other"
        for folder in (one, other):
            _writer(folder).build([MemorySource(dict(texts))])
        source = MemorySource(dict(after))
        for uri in sorted(after):
            _writer(one).read_documents([uri], lambda spec: source)
        _writer(other).update(lambda spec: source)
        assert _passages(one) == _passages(other)


def test_what_an_index_takes(notes: tuple[Path, Path]) -> None:
    folder, _ = notes
    parts = {part.name: part for part in parts_of(folder, read_manifest(folder))}
    assert {"documents", "lexical", "dense", "sparse", "cache"} <= set(parts)
    assert sum(part.disk for part in parts.values()) == folder_size(folder)
    assert parts["dense"].memory and not parts["lexical"].memory
    assert "work" not in parts
    (folder / "staging").mkdir()
    (folder / "staging" / "passages.sqlite").write_bytes(b"x" * 10)
    (work,) = [p for p in parts_of(folder, read_manifest(folder)) if p.name == "work"]
    assert work.disk == 10
