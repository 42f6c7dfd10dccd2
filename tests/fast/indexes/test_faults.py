"""Damage of every kind: the index answers or says what to do, verify names it, repair mends it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.crash import Tally, run
from benchmarks.crash_states import contents, judge, state_of
from benchmarks.crash_worker import Order, Zygote
from benchmarks.hashed import HashedEncoders, TextSource
from indexes.build import IndexWriter
from indexes.errors import IndexNotFoundError, KnowledgeAssistantError, UsageError
from indexes.index import Index
from indexes.upkeep.repair import Repaired
from indexes.upkeep.verify import Finding, verify

OLD = {
    "a": "Sea otters sleep on their backs and wrap themselves in kelp.",
    "b": "Kelp forests grow half a metre a day in cold water.",
    "c": "The lease of the flat in Lyon ends on 31 March 2027.\n\n" + "A bridge of iron. " * 400,
    "d": "Error E4711 means that the harbour engine is cold.",
}
NEW = {**OLD, "b": "Kelp is harvested for food.", "e": "The copper signal of winter."}


def _write(path: Path, texts: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(texts))
    return path


def _build(folder: Path, source: Path) -> None:
    IndexWriter(folder, HashedEncoders()).build([TextSource(str(source))])


def _repair(folder: Path) -> Repaired:
    return IndexWriter(folder, HashedEncoders()).repair(TextSource)


def _wrong(folder: Path) -> list[Finding]:
    return [finding for finding in verify(folder, HashedEncoders()) if not finding.ok]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished index of OLD; never changed. Its source lies beside it."""
    base = tmp_path_factory.mktemp("whole")
    _build(base / "notes", _write(base / "texts.json", OLD))
    return base / "notes"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as waiting:
        yield waiting


def _files(folder: Path) -> list[str]:
    """Every file of an index, but for those whose content means nothing: the lock, and what a
    staging folder notes for the build that goes on from it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(str(path.relative_to(folder)) for path in files)
    return [name for name in names if Path(name).name not in ("writer.lock", "chunker")]


def _flip(path: Path, share: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[int((len(data) - 1) * share)] ^= 0x5A
    path.write_bytes(bytes(data))


def _flip_early(path: Path) -> None:
    _flip(path, 0.02)


def _flip_late(path: Path) -> None:
    _flip(path, 0.98)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _remove(path: Path) -> None:
    path.unlink()


def _same_content(whole: Path, damaged: Path) -> bool:
    """Whether the damage altered nothing: a byte between a database's rows, an empty file."""
    if whole.name != "encodings.sqlite":
        return damaged.exists() and whole.read_bytes() == damaged.read_bytes()
    if not damaged.exists():
        return True  # a cache may be missing
    rows = []
    for path in (whole, damaged):
        db = sqlite3.connect(path)
        try:
            db.execute("PRAGMA query_only = ON")
            rows.append(db.execute("SELECT * FROM encodings").fetchall())
        except sqlite3.DatabaseError as error:
            rows.append([(str(error),)])
        finally:
            db.close()
    return bool(rows[0] == rows[1])


def _answers_or_says(folder: Path, expected: object) -> None:
    """A search either finds what it should or is refused in words."""
    try:
        found, _ = state_of(folder)
    except KnowledgeAssistantError as error:
        assert error.remedy, error
    else:
        # An undetected byte may change a score; then verify must have something to say.
        assert found == expected or _wrong(folder)


@pytest.mark.parametrize("damage", [_flip, _flip_early, _flip_late, _truncate, _remove])
def test_each_file_damaged_in_turn(
    whole: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    expected, held = state_of(whole)[0], contents(whole)
    for name in _files(whole):
        folder = tmp_path / "notes"
        shutil.copytree(whole, folder)
        damage(folder / name)
        _answers_or_says(folder, expected)
        found = _wrong(folder)
        if not _same_content(whole / name, folder / name):
            assert found, f"{damage.__name__} of {name} was not noticed"
            assert all(finding.remedy for finding in found)
            told = " ".join(finding.message for finding in found)
            assert Path(name).name.partition("-")[0] in told, (name, told)
        repaired = _repair(folder)
        assert repaired.ok, (name, repaired.after)
        assert not repaired.lost, (name, repaired.lost)
        assert state_of(folder)[0] == expected, name
        assert contents(folder) == held
        shutil.rmtree(folder)


def test_repair_of_a_structure_reads_no_source_and_encodes_nothing(
    whole: Path, tmp_path: Path
) -> None:
    folder, encoders = tmp_path / "notes", HashedEncoders()
    shutil.copytree(whole, folder)
    for name in _files(folder):
        if "dense" in name or "sparse" in name or "lexical" in name:
            _flip(folder / name)

    def no_source(spec: str) -> TextSource:
        raise AssertionError(f"{spec} was opened")

    repaired = IndexWriter(folder, encoders).repair(no_source)
    assert (repaired.ok, repaired.encoded) == (True, 0)
    assert state_of(folder)[0] == state_of(whole)[0]


def test_repair_of_a_sound_index_changes_nothing(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    shutil.copytree(whole, folder)
    repaired = _repair(folder)
    assert repaired.ok and repaired.done == () and repaired.encoded == 0
    assert contents(folder) == contents(whole)


def test_manifest_without_a_copy_is_made_from_the_store(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    shutil.copytree(whole, folder)
    for path in folder.rglob("manifest.json"):
        path.unlink()
    assert [f.check for f in _wrong(folder)] == ["manifest"]
    repaired = _repair(folder)
    assert repaired.ok and "deleted" in " ".join(repaired.lost)
    assert state_of(folder)[0] == state_of(whole)[0]
    # …and its sources are known, so an update works.
    done = IndexWriter(folder, HashedEncoders()).update(TextSource)
    assert done.changes.unchanged == len(OLD)


def test_damaged_manifest_without_a_copy_keeps_what_can_be_read(tmp_path: Path) -> None:
    folder, source = tmp_path / "notes", _write(tmp_path / "texts.json", OLD)
    _build(folder, source)
    IndexWriter(folder, HashedEncoders()).delete_documents(["d"])
    for path in folder.glob("g*/manifest.json"):
        path.unlink()
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"documents": 3', '"documents": 3x'))
    assert _repair(folder).ok
    done = IndexWriter(folder, HashedEncoders()).update(TextSource)
    assert done.changes.left_out == ["d"]


@pytest.mark.parametrize("share", [0.15, 0.3, 0.5, 0.7, 0.9])
def test_damaged_store_without_its_source_is_saved_as_far_as_it_can_be_read(
    tmp_path: Path, share: float
) -> None:
    texts = {f"doc{n:03d}": f"Note {n}. " + f"The {n}th harbour letter. " * 40 for n in range(120)}
    folder, source = tmp_path / "notes", _write(tmp_path / "texts.json", texts)
    _build(folder, source)
    source.unlink()
    (store,) = folder.rglob("passages.sqlite")
    data = bytearray(store.read_bytes())
    at = int(len(data) * share) // 4096 * 4096
    data[at : at + 4096] = bytes(4096)
    store.write_bytes(bytes(data))

    def gone(spec: str) -> TextSource:
        raise UsageError(f"there is no file '{spec}'")

    repaired = IndexWriter(folder, HashedEncoders()).repair(gone)
    assert repaired.ok, repaired.after
    index = Index.open(folder, HashedEncoders())
    kept = {document.uri for document in index.store.documents()}
    for stored in index.store.documents(with_text=True):
        assert stored.text == texts[stored.uri]
    assert len(kept) >= 100
    assert (len(kept) < len(texts)) == any("of 120 documents" in lost for lost in repaired.lost)
    assert index.manifest.sources == [str(source)]


def test_documents_of_a_gone_source_are_saved_beside_those_read_again(tmp_path: Path) -> None:
    first, second = _write(tmp_path / "1.json", OLD), _write(tmp_path / "2.json", {"z": "A river."})
    folder = tmp_path / "notes"
    sources = [TextSource(str(first)), TextSource(str(second))]
    IndexWriter(folder, HashedEncoders()).build(sources)
    before = contents(folder)
    (store,) = folder.rglob("passages.sqlite")
    db = sqlite3.connect(store)
    db.execute("UPDATE documents SET title = 'altered' WHERE uri = 'a'")
    db.commit()
    db.close()
    second.unlink()

    def open_source(spec: str) -> TextSource:
        if not Path(spec).exists():
            raise UsageError(f"there is no file '{spec}'")
        return TextSource(spec)

    assert any("passages.sqlite" in finding.message for finding in _wrong(folder))
    repaired = IndexWriter(folder, HashedEncoders()).repair(open_source)
    assert repaired.ok
    assert contents(folder) == before


def test_nothing_to_repair_is_said(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        _repair(tmp_path / "none")


def test_leftovers_are_named_and_removed(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    shutil.copytree(whole, folder)
    (generation,) = (path for path in folder.glob("g[0-9]*"))
    shutil.copytree(generation, folder / "g000000")
    (folder / "manifest.json.partial").write_text("half")
    (generation / "dense-another").mkdir()
    (told,) = _wrong(folder)
    for name in ("g000000", "manifest.json.partial", f"{generation.name}/dense-another"):
        assert name in told.message
    assert _repair(folder).ok
    assert _files(folder) == _files(whole)


def test_full_database_loses_nothing(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself says that it is full: a database that may not grow by a page."""
    folder, source = tmp_path / "notes", _write(tmp_path / "texts.json", NEW)
    shutil.copytree(whole, folder)
    connect = sqlite3.connect

    def narrow(*arguments: object, **options: object) -> sqlite3.Connection:
        db = connect(*arguments, **options)  # type: ignore[call-overload]
        db.execute("PRAGMA max_page_count = 4")
        return db

    before, _ = state_of(folder)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", narrow)
        with pytest.raises(KnowledgeAssistantError, match="full") as caught:
            _build(folder, source)
    assert caught.value.remedy
    assert state_of(folder)[0] == before
    _build(folder, source)
    _build(tmp_path / "fresh", source)
    assert state_of(folder)[0] == state_of(tmp_path / "fresh")[0]


@pytest.mark.parametrize("start", [None, OLD], ids=["build", "update"])
def test_cut_disk(tmp_path: Path, zygote: Zygote, start: dict[str, str] | None) -> None:
    """No file may grow beyond a limit, from next to nothing to nearly enough."""
    long = {f"n{n:03d}": f"Passage {n}. " + "The engine of the tower. " * 200 for n in range(60)}
    source, fresh = _write(tmp_path / "texts.json", {**NEW, **long}), tmp_path / "fresh"
    _build(fresh, source)
    largest = max(path.stat().st_size for path in fresh.rglob("*") if path.is_file())
    base = None
    if start is not None:
        base = tmp_path / "base" / "notes"
        _build(base, _write(tmp_path / "old.json", start))
    refused = 0
    for limit in (100, 5_000, 20_000, 60_000, largest // 2, largest * 9 // 10, largest - 1):
        folder = tmp_path / "cut" / "notes"
        if base is not None:
            shutil.copytree(base, folder)
        report = zygote.run(Order(str(folder), str(source), "build", file_limit=limit))
        assert report.known_error, (limit, report)
        assert bool(report.error) == bool(report.remedy), report
        refused += bool(report.error)
        if base is not None:
            assert state_of(folder)[0] in (state_of(base)[0], state_of(fresh)[0])
        _build(folder, source)
        assert contents(folder) == contents(fresh)
        assert state_of(folder)[0] == state_of(fresh)[0]
        assert not _wrong(folder)
        shutil.rmtree(folder.parent)
    assert refused >= 5


def test_twenty_kills() -> None:
    """The harness of `benchmarks.crash`, at a small size."""
    tally: Tally = run(20, seed=20, documents=60)
    assert sum(tally.kills.values()) == 20
    assert tally.failures == []


def test_the_judge_tells_a_mixture(whole: Path, tmp_path: Path) -> None:
    """The harness would notice an index that is neither the old nor the new one."""
    folder, other = tmp_path / "notes", _write(tmp_path / "texts.json", {"x": "kelp in Lyon"})
    _build(folder, other)

    class Both:
        start, end = whole, whole

    assert judge(folder, Both()).startswith("wrong")  # type: ignore[arg-type]
