"""Checking an index against its manifest and against itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.dense import DenseIndex
from indexes.encoders import Encoders
from indexes.errors import KnowledgeAssistantError, ModelError
from indexes.files import sha256_of
from indexes.index import Index
from indexes.manifest import STORE_FILE, Manifest, read_manifest

_SAMPLE = 8
# The same text in another batch differs in the last bits; a damaged vector differs far more.
_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: whether it passed, and if not, what to do."""

    check: str
    ok: bool
    message: str
    remedy: str = ""


def verify(folder: Path, encoders: Encoders) -> list[Finding]:
    """Run every check on the index in `folder`; a check that cannot run is a finding too.

    Raises:
        IndexNotFoundError: there is no such index.
    """
    manifest = read_manifest(folder)
    remedy = f"assistant index build {manifest.name} --fresh"
    findings = list(_files(folder, manifest, remedy))
    checks: list[tuple[str, Callable[[], str]]] = [
        ("database", lambda: _database(folder, manifest)),
        ("stages", lambda: _stages(folder, encoders)),
        ("encodings", lambda: _sample(folder, manifest, encoders)),
    ]
    for name, check in checks:
        try:
            findings.append(Finding(name, True, check()))
        except ModelError as error:  # nothing is known to be wrong with the index
            findings.append(Finding(name, True, f"not checked: {error.message}", error.remedy))
        except (KnowledgeAssistantError, sqlite3.DatabaseError, OSError) as error:
            findings.append(Finding(name, False, str(error), remedy))
    return findings


def _files(folder: Path, manifest: Manifest, remedy: str) -> Iterator[Finding]:
    place = folder / manifest.generation
    expected = {STORE_FILE: manifest.store_checksum}
    for stage in manifest.stages.values():
        expected.update(stage.files)
    bad = []
    for name, checksum in expected.items():
        try:
            if sha256_of(place / name) != checksum:
                bad.append(f"{name} was altered")
        except OSError:
            bad.append(f"{name} is missing")
    message = "; ".join(bad) or f"{len(expected)} files match their checksums"
    yield Finding("files", not bad, message, remedy if bad else "")


def _database(folder: Path, manifest: Manifest) -> str:
    path = folder / manifest.generation / STORE_FILE
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        (state,) = db.execute("PRAGMA integrity_check").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(str(state))
        (orphans,) = db.execute(
            "SELECT count(*) FROM passages WHERE document_id NOT IN (SELECT id FROM documents)"
        ).fetchone()
        (outside,) = db.execute(
            "SELECT count(*) FROM passages p JOIN documents d ON d.id = p.document_id "
            'WHERE p.start < 0 OR p."end" <= p.start OR p."end" > length(d.text)'
        ).fetchone()
        counts = db.execute(
            "SELECT (SELECT count(*) FROM documents), count(*), coalesce(max(row), -1) "
            "FROM passages"
        ).fetchone()
    finally:
        db.close()
    if orphans or outside:
        raise sqlite3.DatabaseError(f"{orphans} orphan passages, {outside} spans outside the text")
    if counts != (manifest.documents, manifest.passages, manifest.passages - 1):
        raise sqlite3.DatabaseError(f"counts {counts} differ from the manifest's")
    return f"{manifest.documents} documents, {manifest.passages} passages"


def _stages(folder: Path, encoders: Encoders) -> str:
    index = Index.open(folder, encoders)  # compares every stage's size with the store's
    index.close()
    missing = index.manifest.missing_stages
    return "complete" if not missing else f"not encoded yet: {', '.join(missing)}"


def _sample(folder: Path, manifest: Manifest, encoders: Encoders) -> str:
    stage = manifest.stages.get("dense")
    if stage is None or manifest.passages == 0:
        return "nothing to sample"
    encoder = encoders.dense()
    if encoder.fingerprint != stage.fingerprint:
        return "encoded by another embedder than the one in force; not compared"
    index = Index.open(folder, encoders)
    rows = np.linspace(0, manifest.passages - 1, min(_SAMPLE, manifest.passages)).astype(int)
    texts = [p.indexed_text for p in index.store.by_rows(rows.tolist())]
    index.close()
    searched = DenseIndex.open(folder / manifest.generation / f"dense-{stage.fingerprint}")
    stored = searched.vectors(rows.tolist())
    worst = float(np.abs(stored - encoder.encode(texts)).max())
    if worst > _TOLERANCE:
        raise KnowledgeAssistantError(f"stored vectors differ from encoded ones by {worst:.4f}")
    return f"{len(texts)} vectors encoded again and equal"
