"""Following the folders of an index: each burst of changes becomes one update.

The system tells of changes (the library watchdog: inotify, FSEvents, …); where it cannot, as on
network drives, or where asked to, the folders are looked at from time to time instead.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

from indexes.errors import IndexLockedError, KnowledgeAssistantError
from indexes.publishing import BuildResult

# Reading a file is an event, too; an update reads all of them and must not follow itself.
_CHANGES = frozenset(["created", "modified", "moved", "deleted"])
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_LOOK = 5.0  # seconds between two looks whether a watched folder was put there anew
_POLL = 30.0  # seconds between two looks into folders that the system does not watch


@dataclass(frozen=True, slots=True)
class Updated:
    """A burst of changes was taken over."""

    result: BuildResult


@dataclass(frozen=True, slots=True)
class Failed:
    """An update failed; the watch goes on and tries again, at the latest after `again` seconds."""

    message: str
    remedy: str
    again: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another process is writing the index; the update comes after it."""

    seconds: float


Happened = Updated | Failed | Waiting


class ChangeSource(Protocol):
    """Tells that something changed."""

    def wait(self, seconds: float | None) -> bool:
        """True as soon as something has changed since the last call, False after `seconds`."""
        ...


def follow(
    update: Callable[[], BuildResult],
    changes: ChangeSource,
    *,
    quiet: float = 1.0,
    longest: float = 30.0,
    retry: float = 2.0,
    again: float = 60.0,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Happened]:
    """Update once, for what changed before, then after every burst of changes; without end.

    Args:
        quiet: a burst is over when nothing has changed for so many seconds…
        longest: …or when it has lasted so long: a log that is written all the time.
        retry: seconds until the next try while another process holds the lock.
        again: seconds until a failed update is tried again though nothing has changed.

    Yields:
        what happened; a failure that repeats itself is told once.
    """
    told: str | None = None
    while True:
        happened = _update(update, retry, again)
        if isinstance(happened, Waiting):
            if told != "waiting":
                yield happened
            told = "waiting"
            pause(retry)
            continue
        if isinstance(happened, Updated):
            told = None
            yield happened
        elif happened.message != told:
            told = happened.message
            yield happened
        if changes.wait(None if isinstance(happened, Updated) else again):
            began = clock()
            while clock() - began < longest and changes.wait(quiet):
                pass


def _update(update: Callable[[], BuildResult], retry: float, again: float) -> Happened:
    try:
        return Updated(update())
    except IndexLockedError:
        return Waiting(retry)
    except KnowledgeAssistantError as error:
        return Failed(error.message, error.remedy, again)
    except Exception as error:  # noqa: BLE001 - whatever one update meets, the watch goes on
        return Failed(f"{type(error).__name__}: {str(error)[:300]}", "", again)


def watched_path(spec: str) -> Path | None:
    """The file or folder that a source's spec names; None for web pages and packages."""
    if Path(spec).exists():
        return Path(spec)
    scheme, _, rest = spec.partition(":")
    if scheme in ("beir", "trec"):
        return Path(rest)
    return None if _SCHEME.match(spec) or spec == "packages" else Path(spec)


class FolderChanges(FileSystemEventHandler):
    """Changes of files in folders, as a `ChangeSource`. Close it in the end (or use `with`).

    Args:
        paths: files and folders; one that is not there is watched as soon as it is.
        ignore: what changes below it is of no interest: the home folder of the indexes.
        every: look every so many seconds instead of being told by the system.
    """

    def __init__(self, paths: Iterable[Path], *, ignore: Path, every: float | None = None) -> None:
        self._paths = sorted({path.absolute() for path in paths})
        self._ignore = ignore.absolute()
        self._changed = threading.Event()
        self._watches: dict[Path, tuple[tuple[int, int], ObservedWatch | None]] = {}
        self._every = every
        self._observer = self._started(PollingObserver(timeout=every) if every else Observer())
        self._attend()
        self._changed.clear()

    @property
    def polls(self) -> bool:
        """Whether the folders are looked at, instead of the system telling."""
        return isinstance(self._observer, PollingObserver)

    def wait(self, seconds: float | None) -> bool:
        """See `ChangeSource`."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            left = _LOOK if end is None else max(min(end - time.monotonic(), _LOOK), 0.0)
            if self._changed.wait(left):
                self._changed.clear()
                return True
            self._attend()
            if end is not None and time.monotonic() >= end and not self._changed.is_set():
                return False

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog, in its own thread."""
        if event.event_type not in _CHANGES:
            return
        if event.is_directory and event.event_type == "modified":
            return  # what became of the files in it is told for itself
        names = [os.fsdecode(name) for name in (event.src_path, event.dest_path) if name]
        if any(self._matters(Path(name)) for name in names):
            self._changed.set()

    def _matters(self, path: Path) -> bool:
        if path.is_relative_to(self._ignore):
            return False
        return any(path.is_relative_to(watched) for watched in self._paths)

    def _attend(self) -> None:
        """Watch what is new or was replaced since the last look."""
        for path in self._paths:
            # A file is watched through its folder: editors replace files by new ones.
            place = path.parent if path.is_file() else path
            try:
                stat = place.stat()
            except OSError:
                identity = (0, 0)
            else:
                identity = (stat.st_dev, stat.st_ino)
            known, watch = self._watches.get(path, ((0, 0), None))
            if identity == known:
                continue
            if watch is not None:
                self._forget(watch)
            self._watches[path] = (identity, self._watch(place, path) if any(identity) else None)
            self._changed.set()

    def _watch(self, place: Path, path: Path) -> ObservedWatch | None:
        try:
            return self._observer.schedule(self, str(place), recursive=place == path)
        except OSError:
            if self.polls:
                return None  # gone again, or not ours to read: the next look tells
        # The system watches no more folders, or none of this kind: look at all of them instead.
        self._observer.stop()
        self._observer = self._started(PollingObserver(timeout=self._every or _POLL))
        for other, (identity, watch) in list(self._watches.items()):
            if watch is not None:
                where = other.parent if other.is_file() else other
                self._watches[other] = (identity, self._watch(where, other))
        return self._watch(place, path)

    def _forget(self, watch: ObservedWatch) -> None:
        try:
            self._observer.unschedule(watch)
        except (KeyError, OSError):
            return  # it ended with its folder

    @staticmethod
    def _started(observer: BaseObserver) -> BaseObserver:
        observer.start()
        return observer

    def close(self) -> None:
        """Stop watching."""
        self._observer.stop()
        self._observer.join(timeout=10)

    def __enter__(self) -> FolderChanges:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
