"""Building, updating, deleting, interrupting: the index always equals its sources."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.build import IndexWriter
from indexes.documents import Document, ReadFailure
from indexes.errors import (
    IndexCorruptError,
    IndexFormatError,
    IndexLockedError,
    IndexNotFoundError,
    ModelMissingError,
    StorageError,
    UnknownNameError,
    UsageError,
)
from indexes.index import Index
from indexes.manifest import FORMAT, check_name, read_remains
from indexes.progress import Progress
from indexes.upkeep.verify import verify
from tests.fast.indexes.sources import HashedDense, HashedEncoders, HashedSparse, MemorySource

TEXTS: dict[str, str | None] = {
    "a": "Sea otters sleep on their backs and wrap themselves in kelp.",
    "b": "Kelp forests grow half a metre a day in cold water.",
    "c": "The lease of the flat in Lyon ends on 31 March 2027.",
}


def _search(folder: Path, query: str) -> list[tuple[str, float]]:
    index = Index.open(folder, HashedEncoders())
    try:
        return [(h.passage.uri, round(h.score, 6)) for h in index.search(query).hits]
    finally:
        index.close()


def _writer(folder: Path, encoders: HashedEncoders | None = None, **options: object) -> IndexWriter:
    return IndexWriter(folder, encoders or HashedEncoders(), **options)  # type: ignore[arg-type]


def test_build_then_search(tmp_path: Path) -> None:
    result = _writer(tmp_path / "notes").build([MemorySource(TEXTS)])
    assert (result.manifest.documents, result.manifest.missing_stages) == (3, ())
    assert _search(tmp_path / "notes", "when does the lease end")[0][0] == "c"


def test_every_hit_says_where_each_stage_put_it(tmp_path: Path) -> None:
    _writer(tmp_path / "notes").build([MemorySource(TEXTS)])
    index = Index.open(tmp_path / "notes", HashedEncoders())
    best = index.search("kelp forests").hits[0]
    assert best.passage.uri == "b"
    assert {stage: place.rank for stage, place in best.stages.items()} == {
        "lexical": 1,
        "dense": 1,
        "sparse": 1,
    }
    document = index.document(best.passage.document_id)
    assert document is not None
    assert document.text[best.passage.start : best.passage.end] == best.passage.text


def test_lexical_search_answers_while_encoding_goes_on(tmp_path: Path) -> None:
    folder, seen = tmp_path / "notes", []

    def look(progress: Progress) -> None:
        if progress.stage == "dense" and progress.done == 0:
            index = Index.open(folder, HashedEncoders())
            result = index.search("lease")
            seen.append((result.hits[0].passage.uri, result.stages, sorted(result.missing)))

    _writer(folder, on_progress=look).build([MemorySource(TEXTS)])
    assert seen == [("c", ("lexical",), ["dense", "sparse"])]


def test_update_reads_and_encodes_only_what_changed(tmp_path: Path) -> None:
    folder, encoders = tmp_path / "notes", HashedEncoders()
    _writer(folder, encoders).build([MemorySource(TEXTS)])
    encoded = encoders.dense().encoded
    source = MemorySource({**TEXTS, "b": "Kelp is harvested for food.", "d": "A new note."})
    result = _writer(folder, encoders).update(lambda spec: source)
    assert (result.changes.added, result.changes.changed, result.changes.unchanged) == (
        ["d"],
        ["b"],
        2,
    )
    assert source.loaded == 2
    assert encoders.dense().encoded == encoded + 2


def test_unchanged_build_keeps_the_generation(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    first = _writer(folder).build([MemorySource(TEXTS)])
    second = _writer(folder).build([MemorySource(TEXTS)])
    assert second.manifest.generation == first.manifest.generation
    assert second.encoded == 0


def test_unreadable_document_is_listed_and_stops_nothing(tmp_path: Path) -> None:
    result = _writer(tmp_path / "notes").build([MemorySource({**TEXTS, "x": None})])
    assert [(f.uri, f.reason) for f in result.changes.failures] == [("x", "cannot be read")]
    assert result.manifest.documents == 3


def test_document_that_became_unreadable_stays_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    result = _writer(folder).build([MemorySource({**TEXTS, "c": None})])
    assert [f.uri for f in result.changes.failures] == ["c"]
    assert _search(folder, "lease")[0][0] == "c"


def test_deleted_document_leaves_no_trace_and_stays_out(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    _writer(folder).delete_documents(["c"])
    assert all(uri != "c" for uri, _ in _search(folder, "lease flat Lyon"))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not any(b"Lyon" in path.read_bytes() or b"lyon" in path.read_bytes() for path in files)
    _writer(folder).update(lambda spec: MemorySource(TEXTS))
    assert all(uri != "c" for uri, _ in _search(folder, "lease flat Lyon"))


def test_deleting_an_unknown_document_names_the_nearest(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource({"/notes/lease.md": "The lease."})])
    with pytest.raises(UnknownNameError) as caught:
        _writer(folder).delete_documents(["/notes/leese.md"])
    assert caught.value.nearest == "/notes/lease.md"
    assert _search(folder, "lease")


class _KilledError(BaseException):
    pass


@pytest.mark.parametrize("stage", ["read", "lexical", "dense", "sparse"])
def test_interrupted_build_goes_on(tmp_path: Path, stage: str) -> None:
    encoders = HashedEncoders()

    def kill(progress: Progress) -> None:
        if progress.stage == stage and progress.done:
            raise _KilledError

    with pytest.raises(_KilledError):
        _writer(tmp_path / "cut", encoders, on_progress=kill).build([MemorySource(TEXTS)])
    _writer(tmp_path / "cut", encoders).build([MemorySource(TEXTS)])
    _writer(tmp_path / "whole").build([MemorySource(TEXTS)])
    assert _search(tmp_path / "cut", "kelp") == _search(tmp_path / "whole", "kelp")
    assert encoders.dense().encoded - 1 <= len(TEXTS) + 1  # nothing was encoded twice
    assert all(f.ok for f in verify(tmp_path / "cut", encoders))


def test_interrupted_reading_does_not_read_again(tmp_path: Path) -> None:
    class Cut(MemorySource):
        def entries(self):  # type: ignore[no-untyped-def]
            yield from list(super().entries())[:2]
            raise _KilledError

    with pytest.raises(_KilledError):
        _writer(tmp_path / "notes").build([Cut(TEXTS)])
    source = MemorySource(TEXTS)
    _writer(tmp_path / "notes").build([source])
    # What was committed before the kill is reused; the rest is read.
    assert source.loaded <= 3
    assert _search(tmp_path / "notes", "lease")[0][0] == "c"


def test_readers_keep_the_old_index_during_an_update(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    old = Index.open(folder, HashedEncoders())
    seen = []

    def look(progress: Progress) -> None:
        seen.append(_search(folder, "lease")[0][0])

    _writer(folder, on_progress=look).build([MemorySource({"z": "Nothing here."})])
    assert set(seen) == {"c"}
    assert not old.is_current
    assert old.search("lease").hits[0].passage.uri == "c"


def test_another_writer_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    with FileLock(folder / "writer.lock"), pytest.raises(IndexLockedError):
        _writer(folder).build([MemorySource(TEXTS)])


def test_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("indexes.lexical.index.LexicalIndex.build", full)
        with pytest.raises(StorageError, match="no space"):
            _writer(folder).build([MemorySource({**TEXTS, "d": "New."})])
    assert _search(folder, "lease")[0][0] == "c"
    assert _writer(folder).build([MemorySource({**TEXTS, "d": "New."})]).changes.added == ["d"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "x" * 65, "x.partial"])
def test_harmful_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


def _damage(folder: Path, pattern: str, change: Callable[[Path], None]) -> None:
    change(next(path for path in sorted(folder.rglob(pattern)) if path.is_file()))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    "pattern", ["passages.sqlite", "vectors.npy", "rows.npy", "weights.npy", "*.csc.index.npy"]
)
def test_verify_finds_one_altered_byte(tmp_path: Path, pattern: str) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    assert all(finding.ok for finding in verify(folder, HashedEncoders()))
    _damage(folder, pattern, _flip)
    wrong = [f for f in verify(folder, HashedEncoders()) if not f.ok]
    assert wrong and all(f.remedy for f in wrong)


def test_removed_files_are_errors_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    for path in [p for p in folder.rglob("*") if p.is_file() and p.suffix == ".npy"]:
        kept = path.read_bytes()
        path.unlink()
        with pytest.raises(IndexCorruptError):
            Index.open(folder, HashedEncoders())
        path.write_bytes(kept)
    assert _search(folder, "lease")


def test_manifests_of_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        Index.open(tmp_path / "none", HashedEncoders())
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    manifest = folder / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace(f'"format": {FORMAT}', '"format": 99'))
    with pytest.raises(IndexFormatError, match="99"):
        Index.open(folder, HashedEncoders())
    manifest.write_text(text[: len(text) // 2])
    with pytest.raises(IndexCorruptError):
        Index.open(folder, HashedEncoders())


def test_empty_query_and_empty_index(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource({})])
    index = Index.open(folder, HashedEncoders())
    assert index.search("anything").hits == []
    with pytest.raises(UsageError):
        index.search("  ")


def test_excluding_happens_in_the_database_too(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    result = _writer(folder).build([MemorySource(TEXTS)])
    db = sqlite3.connect(folder / result.manifest.generation / "passages.sqlite")
    assert db.execute("SELECT count(*) FROM passages").fetchone() == (result.manifest.passages,)


_words = st.sampled_from(["kelp", "otter", "lease", "lyon", "bridge", "tower", "iron", "sea"])
_text = st.lists(_words, min_size=1, max_size=6).map(" ".join)
_state = st.dictionaries(st.sampled_from("abcde"), _text, max_size=5)


@settings(max_examples=25, deadline=None)
@given(st.lists(_state, min_size=1, max_size=4), st.sampled_from(["read", "dense", "sparse", ""]))
def test_any_history_equals_a_fresh_build(states: list[dict[str, str]], cut: str) -> None:
    """Add, change, delete and kill in any order: the result is that of the last state alone."""

    def kill(progress: Progress) -> None:
        if progress.stage == cut and progress.done:
            raise _KilledError

    base = Path(tempfile.mkdtemp())
    try:
        for state in states[:-1]:
            with contextlib.suppress(_KilledError):
                _writer(base / "grown", on_progress=kill).build([MemorySource(dict(state))])
        _writer(base / "grown").build([MemorySource(dict(states[-1]))])
        _writer(base / "fresh").build([MemorySource(dict(states[-1]))])
        for query in ("kelp lease", "bridge tower iron", "sea"):
            assert _search(base / "grown", query) == _search(base / "fresh", query)
        assert all(finding.ok for finding in verify(base / "grown", HashedEncoders()))
    finally:
        shutil.rmtree(base)


def test_reader_that_crashes_stops_nothing(tmp_path: Path) -> None:
    class Crashing(MemorySource):
        def _load(self, uri: str, text: str | None) -> Document:
            if uri == "b":
                raise ZeroDivisionError("deep inside a parser")
            return super()._load(uri, text)

    result = _writer(tmp_path / "notes").build([Crashing(TEXTS)])
    assert [f.uri for f in result.changes.failures] == ["b"]
    assert "deep inside a parser" in result.changes.failures[0].reason
    assert result.manifest.documents == 2


def test_folder_that_cannot_be_opened_takes_nothing_with_it(tmp_path: Path) -> None:
    class Locked(MemorySource):
        def entries(self):  # type: ignore[no-untyped-def]
            yield ReadFailure("/notes/private", "permission denied")

    folder = tmp_path / "notes"
    texts = {"/notes/private/lease.md": "The lease ends.", "/notes/privately.md": "Other."}
    _writer(folder).build([MemorySource(dict(texts))])
    changes = _writer(folder).build([Locked({})]).changes
    assert changes.removed == ["/notes/privately.md"]
    assert _search(folder, "lease")[0][0] == "/notes/private/lease.md"


def test_fresh_build_keeps_the_old_index_until_the_new_one_is_ready(tmp_path: Path) -> None:
    folder, encoders = tmp_path / "notes", HashedEncoders()
    _writer(folder, encoders).build([MemorySource(TEXTS)])

    class Broken(MemorySource):
        def entries(self):  # type: ignore[no-untyped-def]
            raise _KilledError

    with pytest.raises(_KilledError):
        _writer(folder, encoders).build([Broken(TEXTS)], fresh=True)
    assert _search(folder, "lease")[0][0] == "c"
    source, before = MemorySource(TEXTS), encoders.dense().encoded
    result = _writer(folder, encoders).build([source], fresh=True)
    assert source.loaded == 3
    assert result.encoded == 6 and encoders.dense().encoded == before + 3


@pytest.mark.parametrize("fresh", [False, True])
def test_fresh_or_not_a_deleted_document_stays_out_until_put_back(
    tmp_path: Path, fresh: bool
) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    _writer(folder).delete_documents(["c"])
    result = _writer(folder).build([MemorySource(TEXTS)], fresh=fresh)
    assert result.changes.left_out == ["c"]
    again = _writer(folder).build([MemorySource(TEXTS)], put_back=["c"])
    assert again.changes.left_out == []
    assert _search(folder, "lease")[0][0] == "c"


@pytest.mark.parametrize(
    "pattern",
    ["passages.sqlite", "vectors.npy", "rows.npy", "*.csc.index.npy", "dense.json", "tokens.npy"],
)
@pytest.mark.parametrize("change", [_flip, lambda path: path.unlink()], ids=["altered", "removed"])
def test_plain_build_mends_damage(
    tmp_path: Path, pattern: str, change: Callable[[Path], None]
) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    expected = _search(folder, "lease kelp")
    _damage(folder, pattern, change)
    _writer(folder).build([MemorySource(TEXTS)])
    assert all(finding.ok for finding in verify(folder, HashedEncoders()))
    assert _search(folder, "lease kelp") == expected


def test_other_format_is_built_anew_from_its_own_sources(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    assert read_remains(folder).sources == ["memory:"]
    _writer(folder).build([MemorySource(TEXTS)])
    assert _search(folder, "lease")[0][0] == "c"


class _NoWeights:
    def dense(self) -> HashedDense:
        raise ModelMissingError("no weights", remedy="fetch them")

    def sparse(self) -> HashedSparse:
        raise ModelMissingError("no weights", remedy="fetch them")


def test_deleting_needs_no_weights(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    result = IndexWriter(folder, _NoWeights()).delete_documents(["c"])
    assert result.manifest.missing_stages == ()
    assert [uri for uri, _ in _search(folder, "kelp otters")][:2]
    assert all(b"Lyon" not in p.read_bytes() for p in folder.rglob("*") if p.is_file())


def test_missing_weights_are_no_damage(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    _writer(folder).build([MemorySource(TEXTS)])
    findings = verify(folder, _NoWeights())
    assert all(finding.ok for finding in findings)
    assert "not checked" in findings[-1].message


def test_missing_weights_leave_lexical_search(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    with pytest.raises(ModelMissingError):
        IndexWriter(folder, _NoWeights()).build([MemorySource(TEXTS)])
    assert _search(folder, "lease")[0][0] == "c"
    assert _writer(folder).build([MemorySource(TEXTS)]).manifest.missing_stages == ()
