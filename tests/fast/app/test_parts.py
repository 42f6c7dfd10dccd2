"""Progress in words, uploads, settings' fields, readers: the logic of the components."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.components.fields import changed, help_text
from app.components.library import index_rows
from app.components.models import details
from app.components.notices import sentence
from app.components.progress import duration, fraction, progress_text, size_text
from app.components.reader import reader_in_force
from app.components.uploads import keep_uploads, safe_name, sources_with
from assistant.errors import UsageError
from assistant.models.store import ModelStatus
from assistant.settings import RetrievalSettings, load_settings
from indexes.corpora.formats import format_of
from indexes.manifest import Manifest
from indexes.progress import Progress


def test_progress_in_words() -> None:
    half = Progress("dense", 120, 300, "passages", 3.0, 4.5)
    assert progress_text(half) == ("dense: 120 of 300 passages · 40 per second · about 4 s left")
    assert fraction(half) == 0.4
    assert progress_text(Progress("read", 3, None, "documents", 0.0)) == "read: 3 documents"
    assert fraction(Progress("read", 3, None, "documents", 0.0)) == 0.0
    done = Progress("fetch", 1_100_000_000, 1_100_000_000, "bytes", 10.0, 0.0)
    assert progress_text(done) == "fetch: 1.1 GB of 1.1 GB"


@pytest.mark.parametrize(("seconds", "words"), [(4.4, "4 s"), (200, "3 min"), (7800, "2 h 10 min")])
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(12, "12 bytes"), (18e6, "18 MB"), (1.1e9, "1.1 GB")])
def test_sizes(count: float, words: str) -> None:
    assert size_text(count) == words


@dataclass
class Upload:
    name: str
    data: bytes = b"x"

    def getvalue(self) -> bytes:
        return self.data


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.md", "notes.md"),
        ("../../etc/notes.md", "notes.md"),
        ("C:\\Users\\me\\notes.md", "notes.md"),
        (".hidden.md", "hidden.md"),
        ("a\x00b\u202ec.txt", "abc.txt"),
        ("what?.txt", "what_.txt"),
    ],
)
def test_names_of_uploads_are_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300))
def test_no_name_leaves_the_folder(name: str) -> None:
    try:
        safe = safe_name(f"{name}.txt")
    except UsageError:
        return
    assert Path(safe).name == safe
    assert not safe.startswith(".")
    assert len(safe) <= 120
    assert format_of(safe) is not None


def test_nothing_is_written_when_one_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    with pytest.raises(UsageError, match=r"program\.exe"):
        keep_uploads(folder, [Upload("a.md"), Upload("program.exe")])
    assert not folder.exists()


def test_uploads_are_kept_and_replaced(tmp_path: Path) -> None:
    keep_uploads(tmp_path, [Upload("a.md", b"one")])
    (path,) = keep_uploads(tmp_path, [Upload("a.md", b"two")])
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.md"]


def test_sources_are_added_once() -> None:
    assert sources_with(["/a", "/b"], ["/b", "/c"]) == ["/a", "/b", "/c"]


def test_help_of_a_setting_has_limits_and_default() -> None:
    info = RetrievalSettings.model_fields["passages"]
    assert help_text(info) == (
        "Passages handed to the answer stage (at least 1, at most 100, default 10)"
    )


def test_only_what_differs_is_saved() -> None:
    assert changed({"a": 1, "b": 2}, {"a": 1, "b": 3}) == {"b": 3}


def status(state: str) -> ModelStatus:
    return ModelStatus("qwen2.5-1.5b", "answerer", "Qwen", "Apache-2.0", state, 10, Path())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "state", "kind"),
    [
        ({}, "installed", "answerer"),
        ({}, "missing", "extractive"),
        ({"answering.reader": "extractive"}, "installed", "extractive"),
        ({"answering.reader": "answerer"}, "missing", "answerer"),
        ({"models.remote_url": "http://localhost:1"}, "installed", "remote"),
    ],
)
def test_the_reader_in_force(
    tmp_path: Path, changes: dict[str, str], state: str, kind: str
) -> None:
    settings = load_settings(changes, home=tmp_path, environ={})
    assert reader_in_force(settings, [status(state)])[0] == kind


def test_the_small_reader_answers_where_its_base_is_installed(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path, environ={})
    base = ModelStatus("minilm", "embedder", "MiniLM", "Apache-2.0", "installed", 10, Path())
    assert reader_in_force(settings, [status("missing"), base])[0] == "small"


def test_details_of_a_model() -> None:
    assert details(status("missing")) == (
        "answerer: writes answers · qwen2.5-1.5b · 10 bytes · Apache-2.0"
    )


def test_rows_of_indexes() -> None:
    manifest = Manifest("notes", "g000001", ["/a"], 3, 5, "c", "", updated="2026-01-02T03:04:05")
    (row,) = index_rows([manifest], {"notes": 2_000})
    assert row["state"] == "without lexical, dense, sparse"
    assert (row["on disk"], row["updated"]) == ("2 kB", "2026-01-02 03:04")


def test_messages_become_sentences() -> None:
    assert sentence("the disk is full") == "The disk is full."
    assert sentence("Why?") == "Why?"
    assert sentence("") == ""
