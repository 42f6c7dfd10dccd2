"""An index of an older format: refused with the command that upgrades, then upgraded."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from indexes.build import IndexWriter
from indexes.errors import IndexCorruptError, IndexFormatError, UsageError
from indexes.files import sha256_of
from indexes.index import Index
from indexes.manifest import read_manifest
from indexes.upkeep.verify import verify
from tests.fast.indexes.sources import HashedEncoders, MemorySource
from tests.fast.indexes.test_build import TEXTS, _search

_STORE_1 = """
CREATE TABLE old_documents AS SELECT id, uri, title, media_type, fingerprint, modified, source,
    text, pages FROM documents;
CREATE TABLE old_passages AS SELECT row, id, document_id, start, "end", page, headings
    FROM passages ORDER BY row;
DROP TABLE documents; DROP TABLE passages;
ALTER TABLE old_documents RENAME TO documents; ALTER TABLE old_passages RENAME TO passages;
"""


def _older(folder: Path) -> None:
    """Make an index of format 1 of one of the present format."""
    file = folder / "manifest.json"
    values = json.loads(file.read_text())
    store = folder / values["generation"] / "passages.sqlite"
    db = sqlite3.connect(store)
    db.executescript(_STORE_1)
    db.close()
    for stage in values["stages"].values():
        stage.pop("rate")
    file.write_text(json.dumps({**values, "format": 1, "store_checksum": sha256_of(store)}))


def test_an_older_index_is_refused_then_upgraded(tmp_path: Path) -> None:
    folder, encoders = tmp_path / "notes", HashedEncoders()
    IndexWriter(folder, encoders).build([MemorySource(TEXTS)])
    expected, encoded = _search(folder, "kelp lease"), encoders.dense().encoded
    _older(folder)
    with pytest.raises(IndexFormatError) as caught:
        Index.open(folder, encoders)
    assert "assistant index upgrade notes" in caught.value.remedy
    result = IndexWriter(folder, encoders).upgrade()
    assert (result.encoded, result.changes.unchanged) == (0, 3)
    assert _search(folder, "kelp lease") == expected
    assert encoders.dense().encoded == encoded
    assert all(finding.ok for finding in verify(folder, encoders))
    assert [path.name for path in folder.glob("g*")] == [read_manifest(folder).generation]
    # Nothing is read again afterwards, so everything that tells a change was taken over.
    source = MemorySource(TEXTS)
    again = IndexWriter(folder, encoders).update(lambda spec: source)
    assert source.loaded == 0 and not again.changes


def test_upgraded_once_is_enough(tmp_path: Path) -> None:
    IndexWriter(tmp_path / "notes", HashedEncoders()).build([MemorySource(TEXTS)])
    with pytest.raises(UsageError, match="present format"):
        IndexWriter(tmp_path / "notes", HashedEncoders()).upgrade()


@pytest.mark.parametrize("version", [0, 99])
def test_what_cannot_be_upgraded_stays_as_it_is(tmp_path: Path, version: int) -> None:
    folder = tmp_path / "notes"
    IndexWriter(folder, HashedEncoders()).build([MemorySource(TEXTS)])
    file = folder / "manifest.json"
    text = json.dumps({**json.loads(file.read_text()), "format": version})
    file.write_text(text)
    with pytest.raises(IndexFormatError, match=str(version)):
        IndexWriter(folder, HashedEncoders()).upgrade()
    assert file.read_text() == text


def test_a_damaged_older_store_is_an_error_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    IndexWriter(folder, HashedEncoders()).build([MemorySource(TEXTS)])
    _older(folder)
    store = next(folder.glob("g*/passages.sqlite"))
    store.write_bytes(store.read_bytes()[:5000])
    with pytest.raises(IndexCorruptError):
        IndexWriter(folder, HashedEncoders()).upgrade()
    assert store.exists()
