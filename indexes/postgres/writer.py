"""Building an index on a server: stage, encode together with other workers, publish.

The order of a first build is: read → publish (lexical search) → dense → sparse. An update of a
published index is staged beside it and published by one `UPDATE` when all is encoded. A build that
was killed goes on where it stopped: the documents it read and the texts it encoded are in the
tables.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexes.changes import Changes, Pending, survey
from indexes.chunking import Chunker
from indexes.documents import Source
from indexes.encoders import Encoders
from indexes.errors import IndexNotFoundError, UnknownNameError, UsageError
from indexes.language_guess import language_of
from indexes.manifest import Manifest, check_name
from indexes.planning import Plan, cost_of
from indexes.postgres import generations, schema, tasks
from indexes.postgres.address import Address
from indexes.postgres.cleanup import clean, end_documents
from indexes.postgres.completing import Completion
from indexes.postgres.loading import Loader
from indexes.postgres.session import Session
from indexes.postgres.stages import EXACT_UP_TO
from indexes.postgres.store import PostgresStore
from indexes.postgres.worker import LEASE_SECONDS, Work, Worker
from indexes.progress import OnProgress, Progress
from indexes.publishing import BuildResult


class PostgresWriter:
    """The one writer of the index `name` on a server; any number of workers may help it.

    Args:
        language_of: the ISO 639-1 code of a text, empty where unknown; chooses the stemmer.
        encode: take part in the encoding; otherwise wait for workers (`assistant index work`).
        batch: texts in a batch.
        folder: the folder that names the server on this machine; goes with the index.
        graph_above: from so many passages on, HNSW graphs are built.
        graph_memory: `maintenance_work_mem` while a graph is built, as PostgreSQL writes it.
    """

    def __init__(
        self,
        address: Address,
        name: str,
        encoders: Encoders,
        *,
        chunker: Chunker | None = None,
        language_of: Callable[[str], str] = language_of,
        encode: bool = True,
        batch: int = tasks.BATCH,
        folder: Path | None = None,
        lease_seconds: float = LEASE_SECONDS,
        graph_above: int = EXACT_UP_TO,
        graph_memory: str = "1GB",
        on_progress: OnProgress = lambda progress: None,
    ) -> None:
        self.name = check_name(name)
        self._address = address
        self._chunker = chunker or Chunker()
        self._encoders = encoders
        self._language_of = language_of
        worker = Worker(address, encoders, lease_seconds=lease_seconds, on_progress=on_progress)
        self._completion = Completion(
            worker,
            encoders,
            take_part=encode,
            batch=batch,
            graph_above=graph_above,
            graph_memory=graph_memory,
            on_progress=on_progress,
        )
        self._folder = folder
        self._report = on_progress

    # -- commands -----------------------------------------------------------------------------

    def build(
        self, sources: Sequence[Source], *, fresh: bool = False, put_back: Iterable[str] = ()
    ) -> BuildResult:
        """Make the index hold exactly the documents of `sources`.

        Args:
            fresh: read every document again. Encodings stay, for a text and an encoder's
                fingerprint say all about them.
            put_back: uris of documents that were deleted and shall be read again.

        Raises:
            IndexLockedError: another process is writing it.
            ModelMissingError: an encoder's weights are missing here.
            StorageError: the server cannot be reached, has no space, or denies the right.
        """
        if not sources:
            raise UsageError("no source given", remedy="add --from FOLDER")
        started = time.monotonic()
        specs = [source.spec for source in sources]
        with self._writing(create=True) as session:
            published = generations.current(session)
            old = generations.manifest_of(session, published)
            excluded = (set(old.excluded) if old else set()) - {*put_back, *specs}
            changes = self._loader(session, published, reuse=not fresh).read(
                sources, excluded, lambda done: self._reading(done, started)
            )
            same = old is not None and (old.sources, set(old.excluded)) == (specs, excluded)
            if same and not changes and not self._staged_anything(session, published):
                return self._result(session, published, changes, started)
            return self._publish(session, published, changes, started, specs, excluded)

    def update(self, open_source: Callable[[str], Source]) -> BuildResult:
        """Read the index's own sources again and take over what is new, changed or gone."""
        session = self._opened(create=False)
        try:
            manifest = generations.manifest_of(session, generations.current(session))
        finally:
            session.close()
        if manifest is None:
            raise IndexNotFoundError(f"index '{self.name}' is not published yet")
        return self.build([open_source(spec) for spec in manifest.sources])

    def delete_documents(self, wanted: Iterable[str]) -> BuildResult:
        """Take documents out, by id or uri, and keep them out at later updates.

        Raises:
            UnknownNameError: there is no such document; nothing is deleted then.
        """
        started = time.monotonic()
        with self._writing(create=False) as session:
            published = generations.current(session)
            old = generations.manifest_of(session, published)
            if old is None:
                raise IndexNotFoundError(f"index '{self.name}' is not published yet")
            store, changes, numbers = PostgresStore(session, published), Changes(), []
            for name in wanted:
                row = session.one(
                    "SELECT number, uri FROM documents WHERE (id = %s OR uri = %s) "
                    "AND since <= %s AND until > %s",
                    (name, name, published, published),
                )
                if row is None:
                    known = (n for d in store.documents() for n in (d.id, d.uri))
                    raise UnknownNameError("document", name, known)
                numbers.append(row[0])
                changes.removed.append(row[1])
            changes.unchanged = old.documents - len(set(numbers))
            with session.transaction():
                self._unstage(session, published)
                end_documents(session, numbers, published + 1)
            excluded = {*old.excluded, *changes.removed}
            return self._publish(
                session, published, changes, started, old.sources, excluded, keep=old
            )

    def delete_index(self) -> None:
        """Remove the whole index from the server.

        Raises:
            IndexNotFoundError: there is none.
        """
        with self._writing(create=False) as session:
            session.run(f"DROP SCHEMA {schema.quote(session.schema or '')} CASCADE")
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def plan(self, sources: Sequence[Source]) -> Plan:
        """What `build` with these sources would change and cost. Writes nothing."""
        session = Session(self._address, schema.schema_of(self.name))
        try:
            published = generations.current(session) if schema.exists(session) else 0
            old = generations.manifest_of(session, published) if published else None
            if old is None:
                return self._costed(survey(sources, None, set()), old)
            store: Any = PostgresStore(session, published)  # asked for fingerprints only
            pending = survey(sources, store, set(old.excluded), old.failures)
            return self._costed(pending, old)
        finally:
            session.close()

    def _costed(self, pending: Pending, old: Manifest | None) -> Plan:
        place = self._folder or Path(self.name)
        cost = cost_of(pending.to_read, self._chunker, self._encoders, place, old)
        return Plan(pending.changes, cost)

    # -- the work -----------------------------------------------------------------------------

    def _publish(
        self,
        session: Session,
        published: int,
        changes: Changes,
        started: float,
        specs: list[str],
        excluded: set[str],
        *,
        keep: Manifest | None = None,
    ) -> BuildResult:
        """Complete the staged generation and publish it.

        Args:
            keep: take the encoders of this manifest as they are: after a deletion everything that
                is left has been encoded, and no weights are needed.
        """
        staged = published + 1
        with session.transaction():
            generations.describe(session, staged)
            generations.note_origin(
                session,
                staged,
                sources=specs,
                excluded=sorted(excluded),
                failures=changes.failures,
                chunker=keep.chunker if keep else self._chunker.fingerprint,
            )
        early = published == 0
        if early:
            generations.publish(session, staged)
        if keep is not None:
            session.run(
                "UPDATE generations n SET dense = o.dense, sparse = o.sparse FROM generations o "
                "WHERE n.number = %s AND o.number = %s",
                (staged, published),
            )
            work = Work()
        else:
            work = self._completion.run(session, staged)
        if not early:
            generations.publish(session, staged)
        clean(session)
        return self._result(session, staged, changes, started, work, complete=True)

    def _result(
        self,
        session: Session,
        number: int,
        changes: Changes,
        started: float,
        work: Work | None = None,
        *,
        complete: bool = False,
    ) -> BuildResult:
        """What was done; a generation that lacks a stage gets it first."""
        done = work or Work()
        if not complete:
            done = self._completion.run(session, number)
            clean(session)
        manifest = generations.manifest_of(session, number)
        assert manifest is not None
        return BuildResult(changes, manifest, done.texts, time.monotonic() - started)

    # -- small things -------------------------------------------------------------------------

    def _loader(self, session: Session, published: int, *, reuse: bool) -> Loader:
        return Loader(
            session,
            self._chunker,
            published=published,
            language_of=self._language_of,
            reuse=reuse,
        )

    def _reading(self, done: int, started: float) -> None:
        self._report(Progress("read", done, None, "documents", time.monotonic() - started))

    @staticmethod
    def _staged_anything(session: Session, published: int) -> bool:
        return bool(
            session.value(
                "SELECT true FROM documents WHERE since > %s OR until = %s LIMIT 1",
                (published, published + 1),
            )
        )

    @staticmethod
    def _unstage(session: Session, published: int) -> None:
        """Undo what an interrupted build has staged: a deletion publishes nothing else."""
        session.run("DELETE FROM documents WHERE since > %s", (published,))
        for table in ("documents", "passages"):
            session.run(
                f"UPDATE {table} SET until = {schema.FOREVER} WHERE until = %s", (published + 1,)
            )

    def _opened(self, *, create: bool) -> Session:
        session = Session(self._address, schema.schema_of(self.name))
        try:
            if create:
                schema.create(session, self.name)
            schema.check(session, self.name)
        except BaseException:
            session.close()
            raise
        return session

    @contextmanager
    def _writing(self, *, create: bool) -> Iterator[Session]:
        session = self._opened(create=create)
        try:
            with generations.writer_lock(session, self.name):
                yield session
        finally:
            session.close()
