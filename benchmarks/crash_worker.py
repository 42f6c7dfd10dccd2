"""The process that `benchmarks.crash` kills: one that waits with everything imported, and forks a
child for each command, so that a kill costs a fraction of a second and not the imports.

Standard input has one JSON order a line, standard output one JSON `Report` a line. The child tells
what it does through a pipe that the parent reads, which survives the child's death and any limit
on files. What a child may be told to die of: a time, the n-th event (a file opened, renamed,
removed; a flush; a database statement; a report of progress), a limit on the size of files.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from benchmarks.hashed import HashedEncoders, TextSource
from indexes.build import IndexWriter
from indexes.errors import KnowledgeAssistantError
from indexes.progress import Progress
from indexes.upkeep.repair import Repaired

_FILE_EVENTS = frozenset(
    ["open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree"]
)


@dataclass(frozen=True, slots=True)
class Order:
    """What a child shall do, and what shall stop it.

    Args:
        folder: the index's folder.
        texts: a JSON file, uri → text: what the source holds.
        command: build, update, fresh, delete or repair.
        documents: uris, for delete.
        kill_at: die at this event (from 1).
        kill_after: be killed after so many seconds.
        file_limit: no file may grow beyond so many bytes.
        hold: seconds to hold the writer's lock at the first report, for tests of the lock.
    """

    folder: str
    texts: str
    command: str
    documents: tuple[str, ...] = ()
    kill_at: int = 0
    kill_after: float = 0.0
    file_limit: int = 0
    hold: float = 0.0


@dataclass(slots=True)
class Report:
    """What became of a child.

    `events` are those that a child can be told to die at, each with the stage heard of before.
    `encoded` are (stage, text's hash) in order; `checkpointed` says of each stage how many of them
    had been reported as done, so must never be encoded again.
    """

    killed: bool = False
    error: str = ""
    message: str = ""
    remedy: str = ""
    known_error: bool = True
    stage: str = "start"
    events: list[str] = field(default_factory=list)
    encoded: list[tuple[str, str]] = field(default_factory=list)
    checkpointed: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Zygote:
    """The waiting process, seen from the harness."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.crash_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )

    def run(self, order: Order) -> Report:
        """Let a child carry out an order and wait for its end."""
        self.start(order)
        return self.wait()

    def start(self, order: Order) -> None:
        assert self._process.stdin is not None
        values = {name: getattr(order, name) for name in Order.__slots__}
        self._process.stdin.write(json.dumps(values) + "\n")
        self._process.stdin.flush()

    def wait(self) -> Report:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the worker process has ended")
        values = json.loads(line)
        values["encoded"] = [(stage, text) for stage, text in values["encoded"]]
        return Report(**values)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# -- the child ------------------------------------------------------------------------------


class _Events:
    """Counts what the child does to the disk, tells it, and dies at the n-th."""

    def __init__(self, folder: str, kill_at: int, pipe: int) -> None:
        self._folder, self._kill_at, self._pipe = folder, kill_at, pipe
        self._count, self._inside = 0, False

    def note(self, line: str) -> None:
        data = f"{line}\n".encode()
        while data:
            data = data[os.write(self._pipe, data) :]

    def event(self, name: str) -> None:
        if self._inside:
            return
        self._inside = True
        self._count += 1
        self.note(f"event {name}")
        if self._count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._inside = False

    def watch(self) -> None:
        sys.addaudithook(self._audited)
        self._watch_flushes()
        self._watch_databases()

    def _audited(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in _FILE_EVENTS and self._folder in str(arguments[0]):
            if name == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
                return
            self.event(f"{name}:{Path(str(arguments[0])).name}")

    def _watch_flushes(self) -> None:
        flush = os.fsync

        def fsync(fd: Any) -> None:
            self.event("fsync")
            flush(fd)

        os.fsync = fsync

    def _watch_databases(self) -> None:
        connect, events = sqlite3.connect, self

        def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
            db: sqlite3.Connection = connect(*arguments, **options)

            def traced(statement: str) -> None:
                word = statement.split(maxsplit=1)[0].upper() if statement.strip() else ""
                # Of the many insertions only each 16th: the windows between them are alike.
                if word in ("COMMIT", "BEGIN", "PRAGMA", "CREATE", "DELETE") or (
                    word == "INSERT" and crc32(statement.encode()) % 16 == 0
                ):
                    events.event(f"sql:{word}")

            db.set_trace_callback(traced)
            return db

        sqlite3.connect = connected  # type: ignore[assignment]


def _work(order: Order, events: _Events) -> None:
    held = False

    def on_progress(progress: Progress) -> None:
        nonlocal held
        events.note(f"progress {progress.stage} {progress.done}")
        events.event(f"progress:{progress.stage}")
        if order.hold and not held:
            held = True
            time.sleep(order.hold)

    writer = IndexWriter(Path(order.folder), HashedEncoders(events.note), on_progress=on_progress)
    source = TextSource(order.texts)
    if order.command == "delete":
        writer.delete_documents(order.documents)
    elif order.command == "update":
        writer.update(lambda spec: TextSource(order.texts))
    elif order.command == "repair":
        repaired: Repaired = writer.repair(lambda spec: TextSource(order.texts))
        assert repaired.ok, repaired
    else:
        writer.build([source], fresh=order.command == "fresh")


def _child(order: Order, pipe: int) -> None:
    events = _Events(order.folder, order.kill_at, pipe)
    status = 0
    try:
        if order.file_limit:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (order.file_limit, order.file_limit))
        events.watch()
        _work(order, events)
    except BaseException as error:  # noqa: BLE001 - told to the harness, which judges it
        known = isinstance(error, KnowledgeAssistantError)
        told = {
            "error": type(error).__name__,
            "message": getattr(error, "message", str(error))[:500],
            "remedy": getattr(error, "remedy", ""),
            "known_error": known,
        }
        events.note(f"error {json.dumps(told)}")
        status = 1
    os._exit(status)


# -- the parent -----------------------------------------------------------------------------


def _run(order: Order) -> Report:
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(order, writing)
    os.close(writing)
    data, alive = bytearray(), True
    deadline = started + order.kill_after if order.kill_after else None
    while alive:
        left = None if deadline is None else max(deadline - time.monotonic(), 0)
        if not select.select([reading], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
            deadline = None
            continue
        chunk = os.read(reading, 1 << 16)
        data += chunk
        alive = bool(chunk)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    report = _understood(data.decode(errors="replace").splitlines())
    report.killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if os.WIFSIGNALED(status) and not report.killed:
        report.error, report.known_error = f"signal {os.WTERMSIG(status)}", False
    report.seconds = time.monotonic() - started
    return report


def _understood(lines: Sequence[str]) -> Report:
    report = Report()
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "event":
            report.events.append(f"{report.stage} › {rest}")
        elif kind == "encode":
            stage, _, text = rest.partition(" ")
            report.encoded.append((stage, text))
        elif kind == "progress":
            stage, _, done = rest.partition(" ")
            report.stage = stage
            if stage in ("dense", "sparse"):
                report.checkpointed[stage] = max(report.checkpointed.get(stage, 0), int(done))
        elif kind == "error":
            for name, value in json.loads(rest).items():
                setattr(report, name, value)
    return report


def main() -> None:
    """Serve orders until standard input ends."""
    for line in sys.stdin:
        values = json.loads(line)
        values["documents"] = tuple(values["documents"])
        report = _run(Order(**values))
        answer = {name: getattr(report, name) for name in Report.__slots__}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    # What a first use would import is imported now, once for all children.
    import bm25s  # noqa: F401
    import faiss  # noqa: F401
    import Stemmer  # noqa: F401

    main()
