"""Several processes encode one index; one of them is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from indexes.errors import IndexLockedError, ModelMissingError, ModelRuntimeError
from indexes.postgres import schema, tasks
from indexes.postgres.address import Address
from indexes.postgres.encodings import known_encoders, register
from indexes.postgres.index import PostgresIndex
from indexes.postgres.session import Session
from indexes.postgres.verifying import verify_postgres
from indexes.postgres.worker import Worker, opened
from indexes.postgres.writer import PostgresWriter
from tests.fast.indexes.sources import HashedEncoders, MemorySource

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
TEXTS: dict[str, str | None] = {f"d{n:03d}": f"word{n} kelp number {n % 7}" for n in range(160)}
BATCH, BATCHES = 8, 2 * 160 // 8


class _StoppedError(Exception):
    pass


def _queue_all(address: Address) -> None:
    """An index whose documents are read and whose texts all wait in batches."""
    writer = PostgresWriter(address, "notes", HashedEncoders(), batch=BATCH)
    with pytest.raises(_StoppedError), _stopping(writer):
        writer.build([MemorySource(TEXTS)])
    with opened(address, "notes") as session:
        for stage in ("dense", "sparse"):
            encoder = getattr(HashedEncoders(), stage)()
            known = register(session, stage, encoder.fingerprint, encoder.dimensions)
            tasks.enqueue(session, known, BATCH)
        assert tasks.open_work(session) == tasks.Open(BATCHES, 320, 0)


class _stopping:  # noqa: N801 - a context manager
    """Stops a build where it would begin to encode."""

    def __init__(self, writer: PostgresWriter) -> None:
        self.writer = writer

    def __enter__(self) -> None:
        def stop(*_: object) -> None:
            raise _StoppedError

        self.writer._completion._worker.work_on = stop  # type: ignore[method-assign, assignment]

    def __exit__(self, *_: object) -> None: ...


def _process(address: Address, pause: float, lease: float) -> subprocess.Popen[str]:
    module = "tests.integration.postgres.worker_process"
    return subprocess.Popen(
        [sys.executable, "-m", module, address.text, str(pause), str(lease)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def _wait(until: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _attempts(session: Session) -> list[tuple[str, int]]:
    return session.rows("SELECT worker, attempts FROM batches ORDER BY id")  # type: ignore[return-value]


def test_a_killed_worker_costs_its_batch_and_nothing_else(address: Address) -> None:
    _queue_all(address)
    doomed = _process(address, pause=0.3, lease=2.0)
    try:
        assert doomed.stdout is not None
        for _ in range(4):  # three batches are stored, the fourth is being encoded
            assert doomed.stdout.readline().startswith("encoding")
        with opened(address, "notes") as session:
            _wait(lambda: tasks.open_work(session).batches == BATCHES - 3)
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
    finally:
        doomed.kill()
    encoders = HashedEncoders()
    work = Worker(address, encoders, lease_seconds=2.0).run()
    assert (work.batches, work.texts) == (BATCHES - 3, 320 - 3 * BATCH)
    assert encoders.dense().encoded + encoders.sparse().encoded == 320 - 3 * BATCH
    with opened(address, "notes") as session:
        attempts = [tried for _, tried in _attempts(session)]
        assert sorted(attempts) == [1] * (BATCHES - 1) + [2]  # only the killed one was taken twice
        assert session.value("SELECT count(*) FROM queue") == 0
    # The writer goes on: nothing is read or encoded again, and all is there.
    source, encoders = MemorySource(TEXTS), HashedEncoders()
    result = PostgresWriter(address, "notes", encoders).build([source])
    assert (result.encoded, source.loaded, encoders.dense().encoded) == (0, 0, 0)
    assert result.manifest.missing_stages == ()
    assert all(finding.ok for finding in verify_postgres(address, "notes", HashedEncoders()))
    index = PostgresIndex.connect(address, "notes", HashedEncoders())
    assert index.search("word42").hits[0].passage.uri == "d042"
    index.close()


def test_two_workers_share_the_work(address: Address) -> None:
    _queue_all(address)
    both = [_process(address, pause=0.1, lease=30.0) for _ in range(2)]
    done = []
    for process in both:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        done.append([int(number) for number in out.splitlines()[-1].split()[1:]])
    assert sum(batches for batches, _ in done) == BATCHES
    assert sum(texts for _, texts in done) == 320
    assert min(batches for batches, _ in done) >= 1
    with opened(address, "notes") as session:
        attempts = _attempts(session)
    assert {tried for _, tried in attempts} == {1}
    assert len({worker for worker, _ in attempts}) == 2


def test_a_build_that_only_waits_is_done_when_the_workers_are(address: Address) -> None:
    writer = PostgresWriter(address, "notes", HashedEncoders(), encode=False, batch=BATCH)
    results: list[object] = []
    building = threading.Thread(target=lambda: results.append(writer.build([MemorySource(TEXTS)])))
    building.start()
    encoders = HashedEncoders()
    worker = Worker(address, encoders)
    while building.is_alive():
        worker.run()
        building.join(timeout=0.1)
    assert encoders.dense().encoded == encoders.sparse().encoded == 160
    (result,) = results
    assert result.encoded == 0 and result.manifest.missing_stages == ()  # type: ignore[attr-defined]


def test_a_slow_worker_keeps_its_batch(address: Address) -> None:
    _queue_all(address)
    slow = _process(address, pause=2.0, lease=0.6)
    try:
        assert slow.stdout is not None
        slow.stdout.readline()
        time.sleep(1.0)  # longer than its lease, were it not extended
        Worker(address, HashedEncoders(), lease_seconds=30).run()
        slow.communicate(timeout=60)
    finally:
        slow.kill()
    with opened(address, "notes") as session:
        assert {tried for _, tried in _attempts(session)} == {1}


def test_equal_texts_are_encoded_once(address: Address) -> None:
    same = "The same words in each of the documents."
    encoders = HashedEncoders()

    class Untitled(MemorySource):
        def _load(self, uri: str, text: str | None):  # type: ignore[no-untyped-def]
            from dataclasses import replace

            document = super()._load(uri, text)
            return replace(document, title=document.id)

    source = Untitled({f"d{n}": same for n in range(10)})
    result = PostgresWriter(address, "notes", encoders).build([source])
    assert result.manifest.passages == 10
    assert encoders.dense().encoded == encoders.sparse().encoded == 1
    index = PostgresIndex.connect(address, "notes", HashedEncoders())
    assert len(index.search("same words", limit=10).hits) == 10
    index.close()


def test_a_failing_encoder_gives_its_batch_back(address: Address) -> None:
    class Failing(HashedEncoders):
        def dense(self):  # type: ignore[no-untyped-def]
            encoder = super().dense()

            def fail(texts: object) -> None:
                raise ModelRuntimeError("no memory")

            encoder.encode = fail
            return encoder

    with pytest.raises(ModelRuntimeError, match="no memory"):
        PostgresWriter(address, "notes", Failing()).build([MemorySource(TEXTS)])
    result = PostgresWriter(address, "notes", HashedEncoders()).build([MemorySource(TEXTS)])
    assert result.manifest.missing_stages == ()


def test_a_batch_that_kills_its_workers_is_left_and_named(address: Address) -> None:
    _queue_all(address)
    with opened(address, "notes") as session:
        encoder = min(known.id for known in known_encoders(session))
        for number in range(tasks.MOST_ATTEMPTS):  # claimed, and never heard of again
            batch = tasks.claim(session, [encoder], f"w{number}", 0.0)
            assert batch is not None and batch.id == 1
        assert tasks.open_work(session, encoder).stuck == 1
    Worker(address, HashedEncoders()).run()  # ends, though one batch is left
    with opened(address, "notes") as session:
        assert tasks.open_work(session).batches == 1
    result = PostgresWriter(address, "notes", HashedEncoders()).build([MemorySource(TEXTS)])
    assert result.encoded == BATCH  # a new build tries it again


def test_a_worker_without_the_encoder_says_so(address: Address) -> None:
    _queue_all(address)
    other = HashedEncoders()
    other.dense().fingerprint = other.sparse().fingerprint = "another"
    with pytest.raises(ModelMissingError, match="hashed-dense"):
        Worker(address, other).run()


def test_two_processes_may_begin_at_once(address: Address) -> None:
    """The extension and the tables are made by whoever is first; one of the writers goes on."""
    errors: list[Exception] = []

    def build(number: int) -> None:
        try:
            writer = PostgresWriter(address, f"notes{number % 2}", HashedEncoders())
            writer.build([MemorySource({"a": "kelp"})])
        except IndexLockedError:
            pass
        except Exception as error:  # noqa: BLE001 - handed to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=build, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert schema.names(address) == ["notes0", "notes1"]
