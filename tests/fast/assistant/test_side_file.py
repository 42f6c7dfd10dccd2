"""A file beside an index: made, read in one state, refused, and what is deleted is gone."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import (
    GraphError,
    IndexCorruptError,
    IndexFormatError,
    StorageError,
)
from assistant.side_file import SideFile, note, set_note

FILE = SideFile(
    what="herbarium",
    format="1",
    schema="CREATE TABLE plants (name TEXT);",
    missing=lambda index: GraphError(f"the index '{index}' has no herbarium"),
    remake=lambda index: f"plant {index}",
    first_notes=lambda: {"season": "spring"},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "garden"
    folder.mkdir()
    return folder / "plants.sqlite"


def test_it_is_made_only_where_asked_for(path: Path) -> None:
    for opening in (FILE.reading, FILE.writing):
        with pytest.raises(GraphError, match="'garden' has no herbarium"), opening(path):
            pass
    with FILE.writing(path, create=True) as db:
        assert note(db, "season") == "spring"
        with db:
            set_note(db, "season", "autumn")
    with FILE.writing(path, create=True) as db:
        assert (note(db, "season"), note(db, "soil")) == ("autumn", "")


def test_a_file_in_which_there_is_nothing_yet_is_missing(path: Path) -> None:
    path.touch()
    with pytest.raises(GraphError, match="no herbarium"), FILE.reading(path):
        pass


def test_another_format_and_another_file_are_refused_in_words(path: Path) -> None:
    with FILE.writing(path, create=True):
        pass
    with (
        pytest.raises(IndexFormatError, match="format 1, this version reads 2") as caught,
        replace(FILE, format="2").reading(path),
    ):
        pass
    assert caught.value.remedy.endswith("run: plant garden")
    path.unlink()
    sqlite3.connect(path).execute("CREATE TABLE others (x)").connection.close()
    with pytest.raises(IndexFormatError, match="format unknown"), FILE.reading(path):
        pass
    path.write_bytes(b"not a database" * 100)
    with pytest.raises((StorageError, IndexCorruptError)), FILE.reading(path):
        pass


def test_a_reader_sees_one_state_and_cannot_write(path: Path) -> None:
    with FILE.writing(path, create=True) as writer, FILE.reading(path) as reader:
        count = "SELECT count(*) FROM plants"
        assert reader.execute(count).fetchone() == (0,)
        with writer:
            writer.execute("INSERT INTO plants VALUES ('sage')")
        assert reader.execute(count).fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM plants")
    with FILE.reading(path) as reader:
        assert reader.execute(count).fetchone() == (1,)


def test_what_is_deleted_is_in_no_file_and_what_was_not_finished_is_undone(path: Path) -> None:
    with FILE.writing(path, create=True) as db:
        with db:
            db.execute("INSERT INTO plants VALUES ('hemlock of the secret garden')")
        with db:
            db.execute("DELETE FROM plants")
        db.execute("INSERT INTO plants VALUES ('left in the middle')")
    for file in path.parent.iterdir():
        assert b"hemlock" not in file.read_bytes()
    with FILE.reading(path) as db:
        assert db.execute("SELECT * FROM plants").fetchall() == []
