"""Checking an index against its manifest, against itself and against its encoders.

Nothing is changed. `indexes.upkeep.repair` mends what is found.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexes.encoders import DenseEncoder, Encoders, SparseEncoder
from indexes.encodings import EncodingCache
from indexes.errors import (
    IndexCorruptError,
    IndexFormatError,
    IndexNotFoundError,
    KnowledgeAssistantError,
    ModelError,
)
from indexes.index import Index
from indexes.manifest import MANIFEST, STORE_FILE, Manifest, read_manifest
from indexes.store import read_only
from indexes.structures import CACHE
from indexes.upkeep.damage import damaged_files
from indexes.upkeep.leftovers import STAGING, is_being_written, leftovers
from indexes.upkeep.samples import compare_dense, compare_sparse, sampled_texts


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: whether it passed, which files are meant, and if not, what to do."""

    check: str
    ok: bool
    message: str
    remedy: str = ""


def verify(folder: Path, encoders: Encoders, *, writing: bool = False) -> list[Finding]:
    """Run every check on the index in `folder`; a check that cannot run is a finding too.

    Args:
        writing: the caller is the writer and holds the lock.

    Raises:
        IndexNotFoundError: there is no such index.
        IndexFormatError: it was written by another version.
    """
    remedy = f"assistant index repair {folder.name}"
    try:
        manifest = read_manifest(folder)
    except IndexNotFoundError:
        if not any(folder.glob("g[0-9]*")):
            raise
        return [Finding("manifest", False, f"{MANIFEST} is missing", remedy)]
    except IndexFormatError:
        if not any(is_manifest(place) for place in folder.glob("g[0-9]*")):
            raise
        return [Finding("manifest", False, f"{MANIFEST} was altered", remedy)]
    except IndexCorruptError as error:
        return [Finding("manifest", False, f"{MANIFEST}: {error.message}", remedy)]
    checks: list[tuple[str, Callable[[], str]]] = [
        ("manifest", lambda: _manifest(folder, manifest)),
        ("files", lambda: _files(folder, manifest)),
        ("database", lambda: _database(folder, manifest)),
        ("stages", lambda: _stages(folder, encoders)),
        ("cache", lambda: check_cache(folder)),
        ("leftovers", lambda: _leftovers(folder, manifest, writing=writing)),
        ("dense", lambda: _dense(folder, manifest, encoders)),
        ("sparse", lambda: _sparse(folder, manifest, encoders)),
    ]
    return [_checked(name, check, remedy) for name, check in checks]


def _checked(name: str, check: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(name, True, check())
    except ModelError as error:  # nothing is known to be wrong with the index
        return Finding(name, True, f"not checked: {error.message}", error.remedy)
    except KnowledgeAssistantError as error:
        return Finding(name, False, error.message, remedy)
    except Exception as error:  # noqa: BLE001 - damaged files make libraries raise anything
        return Finding(name, False, f"{type(error).__name__}: {str(error)[:300]}", remedy)


def is_manifest(folder: Path) -> bool:
    """Whether a manifest that can be used lies in `folder`."""
    try:
        read_manifest(folder)
    except KnowledgeAssistantError:
        return False
    return True


def _manifest(folder: Path, manifest: Manifest) -> str:
    copy = folder / manifest.generation / MANIFEST
    try:
        if read_manifest(copy.parent) == manifest:
            return "readable, and equal to its copy"
    except KnowledgeAssistantError as error:
        raise IndexCorruptError(f"the copy of the manifest, {copy}, is missing or damaged") from (
            error
        )
    raise IndexCorruptError(f"the copy of the manifest, {copy}, differs from it")


def _files(folder: Path, manifest: Manifest) -> str:
    damaged = list(damaged_files(folder, manifest))
    if damaged:
        raise IndexCorruptError("; ".join(damaged))
    count = 1 + sum(len(stage.files) for stage in manifest.stages.values())
    return f"{count} files match their checksums"


def _database(folder: Path, manifest: Manifest) -> str:
    path = folder / manifest.generation / STORE_FILE
    counts = check_store(path)
    if counts != (manifest.documents, manifest.passages):
        raise IndexCorruptError(
            f"{path.name} holds {counts[0]} documents and {counts[1]} passages, the manifest says "
            f"{manifest.documents} and {manifest.passages}"
        )
    return f"{counts[0]} documents, {counts[1]} passages"


def check_store(path: Path) -> tuple[int, int]:
    """Check a store's own consistency; returns how many documents and passages it holds.

    Raises:
        IndexCorruptError: the database is damaged, passages have no document, spans reach
            outside their text, rows have gaps, or documents have no passage.
    """
    try:
        db = sqlite3.connect(read_only(path), uri=True)
        try:
            (state,) = db.execute("PRAGMA integrity_check").fetchone()
            (orphans, childless, outside, documents, passages, last) = db.execute(
                "SELECT (SELECT count(*) FROM passages "
                " WHERE document_id NOT IN (SELECT id FROM documents)), "
                "(SELECT count(*) FROM documents "
                " WHERE id NOT IN (SELECT document_id FROM passages)), "
                "(SELECT count(*) FROM passages p JOIN documents d ON d.id = p.document_id "
                ' WHERE p.start < 0 OR p."end" <= p.start OR p."end" > length(d.text)),'
                "(SELECT count(*) FROM documents), count(*), coalesce(max(row), -1) FROM passages"
            ).fetchone()
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        raise IndexCorruptError(f"{path.name}: {error}") from error
    wrong = {
        str(state): state != "ok",
        f"{orphans} passages without a document": orphans,
        f"{childless} documents without a passage": childless,
        f"{outside} spans outside their text": outside,
        f"{passages} passages, but the last row is {last}": last != passages - 1,
    }
    if said := "; ".join(text for text, found in wrong.items() if found):
        raise IndexCorruptError(f"{path.name}: {said}")
    return int(documents), int(passages)


def _stages(folder: Path, encoders: Encoders) -> str:
    index = Index.open(folder, encoders)  # compares every stage's size with the store's
    index.close()
    missing = index.manifest.missing_stages
    return "complete" if not missing else f"not encoded yet: {', '.join(missing)}"


def _dense(folder: Path, manifest: Manifest, encoders: Encoders) -> str:
    def compare(place: Path, rows: list[int], texts: list[str]) -> None:
        compare_dense(place, rows, encoders.dense().encode(texts))

    return _sampled(folder, manifest, "dense", encoders.dense, compare, ("embedder", "vectors"))


def _sparse(folder: Path, manifest: Manifest, encoders: Encoders) -> str:
    def compare(place: Path, rows: list[int], texts: list[str]) -> None:
        compare_sparse(place, rows, encoders.sparse().encode(texts), manifest.passages)

    return _sampled(folder, manifest, "sparse", encoders.sparse, compare, ("encoder", "passages"))


def _sampled(
    folder: Path,
    manifest: Manifest,
    name: str,
    encoder: Callable[[], DenseEncoder | SparseEncoder],
    compare: Callable[[Path, list[int], list[str]], None],
    words: tuple[str, str],
) -> str:
    """Compare a sample of an encoded stage; no encoder is loaded where nothing was encoded.

    `words` are what the findings call the encoder and what it makes.
    """
    maker, things = words
    stage = manifest.stages.get(name)
    if stage is None or manifest.passages == 0:
        return "nothing to sample"
    if encoder().fingerprint != stage.fingerprint:
        return f"encoded by another {maker} than the one in force; not compared"
    rows, texts = sampled_texts(folder, manifest)
    compare(folder / manifest.generation / f"{name}-{stage.fingerprint}", rows, texts)
    return f"{len(texts)} {things} encoded again and equal"


def check_cache(folder: Path) -> str:
    """Check the cache of encodings; returns what it holds, in words.

    Raises:
        IndexCorruptError: the database or an encoding in it is damaged.
    """
    path = folder / CACHE
    if not path.exists():
        return "there is none; what is needed is encoded again"
    try:
        cache = EncodingCache(path)
        try:
            return f"{cache.check():,} encodings match their checksums"
        finally:
            cache.close()
    except KnowledgeAssistantError as error:
        raise IndexCorruptError(f"{CACHE}: {error.message}") from error


def _leftovers(folder: Path, manifest: Manifest, *, writing: bool) -> str:
    found = leftovers(folder, manifest)
    if found and not writing and is_being_written(folder):
        return "another process is writing this index just now"
    if found:
        names = ", ".join(str(path.relative_to(folder)) for path in found)
        raise IndexCorruptError(f"left by a writer that was killed: {names}")
    if (folder / STAGING).exists():
        return f"an interrupted build waits in {STAGING}/: the same command goes on"
    return "none"
