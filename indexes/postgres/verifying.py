"""Checking an index on a server against itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from indexes.encoders import Encoders
from indexes.encodings import text_key
from indexes.errors import IndexCorruptError, KnowledgeAssistantError, ModelError
from indexes.manifest import Manifest
from indexes.postgres import generations, tasks
from indexes.postgres.address import Address
from indexes.postgres.encodings import encoder_at, known_encoders
from indexes.postgres.session import Session
from indexes.postgres.stages import PostgresDense
from indexes.postgres.store import PostgresStore, visible
from indexes.postgres.worker import opened
from indexes.upkeep.verify import Finding

_SAMPLE = 8
# Half precision keeps eleven bits of each number; a damaged vector differs far more.
_TOLERANCE = 2e-3


def verify_postgres(address: Address, name: str, encoders: Encoders) -> list[Finding]:
    """Run every check on the published generation; a check that cannot run is a finding too.

    Raises:
        IndexNotFoundError: there is no such index on the server.
    """
    with opened(address, name) as session:
        generation = generations.hold(session)
        manifest = generations.manifest_of(session, generation)
        if manifest is None:
            return [
                Finding("published", False, "nothing is published", f"assistant index build {name}")
            ]
        checks: list[tuple[str, Callable[[], str]]] = [
            ("tables", lambda: _tables(session, generation, manifest)),
            ("texts", lambda: _texts(session, generation)),
            ("stages", lambda: _stages(session, generation, manifest)),
            ("encodings", lambda: _encodings(session, generation, manifest, encoders)),
        ]
        findings = []
        for check, run in checks:
            try:
                findings.append(Finding(check, True, run()))
            except ModelError as error:  # nothing is known to be wrong with the index
                message = f"not checked: {error.message}"
                findings.append(Finding(check, True, message, error.remedy))
            except KnowledgeAssistantError as error:
                remedy = error.remedy or f"assistant index build {name} --fresh"
                findings.append(Finding(check, False, error.message, remedy))
        return findings


def _tables(session: Session, generation: int, manifest: Manifest) -> str:
    store = PostgresStore(session, generation)
    counts = (store.document_count, store.passage_count)
    if counts != (manifest.documents, manifest.passages):
        raise IndexCorruptError(
            f"{counts[0]} documents and {counts[1]} passages, described as "
            f"{manifest.documents} and {manifest.passages}"
        )
    orphans = session.value(
        "SELECT count(*) FROM passages p WHERE NOT EXISTS (SELECT FROM documents d "
        "WHERE d.number = p.document AND d.since <= p.since AND d.until >= p.until)"
    )
    outside = session.value(
        "SELECT count(*) FROM passages p JOIN documents d ON d.number = p.document "
        f"WHERE {visible('p', generation)} "
        'AND (p.start < 0 OR p."end" <= p.start OR p."end" > length(d.text))'
    )
    wordless = session.value(
        "SELECT count(*) FROM passages p WHERE NOT EXISTS "
        "(SELECT FROM lexical l WHERE l.passage = p.number)"
    )
    if wordless:
        raise IndexCorruptError(f"the words of {wordless} passages are missing")
    if orphans or outside:
        raise IndexCorruptError(
            f"{orphans} passages outlive their document, {outside} reach outside of its text"
        )
    return f"{manifest.documents} documents, {manifest.passages} passages"


def _sample(session: Session, generation: int) -> list[int]:
    """Rows spread over the generation: of a few stretches the first."""
    where = visible("p", generation)
    low, high = session.one(
        f"SELECT min(p.number), max(p.number) FROM passages p WHERE {where}"
    ) or (None, None)
    if low is None:
        return []
    starts = np.linspace(low, high, _SAMPLE).astype(int).tolist()
    found = {
        session.value(
            f"SELECT p.number FROM passages p WHERE p.number >= %s AND {where} "
            "ORDER BY p.number LIMIT 1",
            (start,),
        )
        for start in starts
    }
    return sorted(row for row in found if row is not None)


def _texts(session: Session, generation: int) -> str:
    """A sample of passages still has the text by which its encodings are found."""
    rows = _sample(session, generation)
    keys: dict[int, bytes] = dict(
        session.rows("SELECT number, key FROM passages WHERE number = ANY(%s)", (rows,))
    )
    passages = PostgresStore(session, generation).by_rows(rows)
    wrong = [
        passage.id
        for row, passage in zip(rows, passages, strict=True)
        if bytes(keys[row]) != text_key(passage.indexed_text)
    ]
    if wrong:
        raise IndexCorruptError(f"the text of passage {wrong[0]} was altered")
    return f"{len(rows)} passages match their checksums"


def _stages(session: Session, generation: int, manifest: Manifest) -> str:
    used = session.one("SELECT dense, sparse FROM generations WHERE number = %s", (generation,))
    for known in known_encoders(session):
        if known.id in (used or ()):
            lacking = session.value(
                f"SELECT count(*) FROM passages p WHERE {visible('p', generation)} "
                f"AND NOT EXISTS (SELECT FROM {known.table} e WHERE e.key = p.key)"
            )
            if lacking:
                raise IndexCorruptError(
                    f"{lacking} passages have no {known.stage} encoding",
                    remedy=f"assistant index build {manifest.name}",
                )
    missing, left = manifest.missing_stages, tasks.open_work(session)
    waiting = f"; {left.texts} texts wait to be encoded" if left.batches else ""
    return ("complete" if not missing else f"not encoded yet: {', '.join(missing)}") + waiting


def _encodings(session: Session, generation: int, manifest: Manifest, encoders: Encoders) -> str:
    number = session.value("SELECT dense FROM generations WHERE number = %s", (generation,))
    known = encoder_at(session, number)
    rows = _sample(session, generation)
    if known is None or not rows:
        return "nothing to sample"
    encoder = encoders.dense()
    if encoder.fingerprint != known.fingerprint:
        return "encoded by another embedder than the one in force; not compared"
    texts = [p.indexed_text for p in PostgresStore(session, generation).by_rows(rows)]
    stored = PostgresDense(session, generation, known, manifest.passages).vectors(rows)
    worst = float(np.abs(stored - encoder.encode(texts)).max())
    if worst > _TOLERANCE:
        raise IndexCorruptError(f"stored vectors differ from encoded ones by {worst:.4f}")
    return f"{len(rows)} vectors encoded again and equal"
