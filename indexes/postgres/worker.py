"""A process that claims batches of texts, encodes them, and stores the encodings."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexes.encoders import DenseEncoder, Encoders, SparseEncoder
from indexes.errors import ModelMissingError, StorageError
from indexes.postgres import schema, tasks
from indexes.postgres.address import Address
from indexes.postgres.encodings import KnownEncoder, known_encoders, packed
from indexes.postgres.session import Session
from indexes.progress import OnProgress, Progress

LEASE_SECONDS = 60.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker did."""

    batches: int = 0
    texts: int = 0
    seconds: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.batches + other.batches,
            self.texts + other.texts,
            self.seconds + other.seconds,
        )


class Worker:
    """Encodes for the indexes of one database.

    Args:
        address: the server's; the worker opens its own connections.
        encoders: this machine's encoders; batches of other encoders are left to other workers.
        lease_seconds: how long a claim holds without a sign of life. Signs are given by a thread
            three times as often, so a slow batch is not taken away from a living worker.
    """

    def __init__(
        self,
        address: Address,
        encoders: Encoders,
        *,
        lease_seconds: float = LEASE_SECONDS,
        on_progress: OnProgress = lambda progress: None,
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._address, self._encoders = address, encoders
        self._lease, self._report = lease_seconds, on_progress

    def run(self, names: Sequence[str] | None = None, *, follow: bool = False) -> Work:
        """Encode until nothing is left, in these indexes or in all of the database.

        Batches that other workers hold are waited for: should one die, its batch is done here.

        Args:
            follow: go on waiting for new work until interrupted.

        Raises:
            ModelMissingError: there is work, and none of this machine's encoders can do it.
            StorageError: the server cannot be reached.
        """
        total = Work()
        while True:
            done, waiting = Work(), False
            for name in schema.names(self._address) if names is None else names:
                with opened(self._address, name) as session:
                    done += self.work_on(session)
                    left = tasks.open_work(session)
                    waiting |= left.batches > left.stuck
            total += done
            if not waiting and not follow:
                return total
            if not done.batches:
                time.sleep(_POLL_SECONDS)

    def work_on(self, session: Session, encoder: KnownEncoder | None = None) -> Work:
        """Claim and encode until no batch is free; batches held by others are not waited for."""
        done, started = Work(), time.monotonic()
        while batch := tasks.claim(
            session, [known.id for known in self._mine(session, encoder)], self.name, self._lease
        ):
            known = next(k for k in known_encoders(session) if k.id == batch.encoder)
            texts = self._encode(session, batch, known)
            done = Work(done.batches + 1, done.texts + texts, time.monotonic() - started)
            left = tasks.open_work(session, known.id)
            remaining = done.seconds / max(done.texts, 1) * left.texts
            self._report(
                Progress(
                    known.stage,
                    done.texts,
                    done.texts + left.texts,
                    "passages",
                    done.seconds,
                    remaining,
                )
            )
        return done

    def _encode(self, session: Session, batch: tasks.Batch, known: KnownEncoder) -> int:
        with self._alive(session.schema, batch):
            try:
                items = list(tasks.texts_of(session, batch))
                keys, texts = [key for key, _ in items], [text for _, text in items]
                encodings = packed(known, self._encoder(known.stage), texts) if texts else []
            except BaseException:
                # Stopped or failed, not killed: the next worker need not wait for the lease.
                with contextlib.suppress(StorageError):
                    tasks.release(session, batch, self.name)
                raise
            tasks.finish(session, batch, known, list(zip(keys, encodings, strict=True)))
        return len(texts)

    def _mine(self, session: Session, only: KnownEncoder | None) -> list[KnownEncoder]:
        """The encoders with open batches that this machine has, loaded when first needed."""
        wanted = [
            known
            for known in known_encoders(session)
            if (only is None or known == only) and tasks.open_work(session, known.id).batches
        ]
        mine, missing = [], None
        for known in wanted:
            try:
                if self._encoder(known.stage).fingerprint == known.fingerprint:
                    mine.append(known)
            except ModelMissingError as error:
                missing = error
        if wanted and not mine:
            raise missing or ModelMissingError(
                f"none of this machine's encoders is {wanted[0].fingerprint}",
                remedy="use the encoders of the machine that builds the index",
            )
        return mine

    def _encoder(self, stage: str) -> DenseEncoder | SparseEncoder:
        return self._encoders.dense() if stage == "dense" else self._encoders.sparse()

    @contextlib.contextmanager
    def _alive(self, schema_name: str | None, batch: tasks.Batch) -> Iterator[None]:
        """Extend the claim from a thread of its own while the encoder is at work."""
        stop, pause = threading.Event(), self._lease / 3

        def beat() -> None:
            if stop.wait(pause):
                return  # most batches are done by now and need no second connection
            with contextlib.suppress(StorageError):
                session = Session(self._address, schema_name)
                try:
                    tasks.extend(session, batch, self.name, self._lease)
                    while not stop.wait(pause):
                        tasks.extend(session, batch, self.name, self._lease)
                finally:
                    session.close()

        thread = threading.Thread(target=beat, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextlib.contextmanager
def opened(address: Address, name: str) -> Iterator[Session]:
    """A session on an index, closed at the end.

    Raises:
        IndexNotFoundError, IndexFormatError: there is none, or one of another format.
    """
    session = Session(address, schema.schema_of(name))
    try:
        schema.check(session, name)
        yield session
    finally:
        session.close()
