"""Following folders: bursts, locks, failures, and real files."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexes.build import IndexWriter
from indexes.corpora import open_source
from indexes.errors import IndexLockedError, StorageError
from indexes.index import Index
from indexes.upkeep.watching import Failed, FolderChanges, Updated, Waiting, follow, watched_path
from tests.fast.indexes.sources import HashedEncoders


class _Script:
    """A change source and a clock: `gaps` are seconds between changes; ends with _EndError."""

    class EndError(Exception):
        pass

    def __init__(self, gaps: list[float]) -> None:
        self.gaps, self.now, self.paused = gaps, 0.0, 0.0

    def wait(self, seconds: float | None) -> bool:
        if not self.gaps:
            raise self.EndError
        if seconds is not None and self.gaps[0] > seconds:
            self.gaps[0] -= seconds
            self.now += seconds
            return False
        self.now += self.gaps.pop(0)
        return True

    def pause(self, seconds: float) -> None:
        self.paused += seconds


def _follow(script: _Script, update: Callable[[], object], **options: float) -> list[object]:
    seen: list[object] = []
    events: Iterator[object] = follow(
        update,  # type: ignore[arg-type]
        script,
        clock=lambda: script.now,
        pause=script.pause,
        **options,
    )
    with pytest.raises(_Script.EndError):
        for happened in events:
            seen.append(happened)
    return seen


def test_a_burst_is_one_update() -> None:
    times: list[float] = []
    script = _Script([10, 0.2, 0.2, 0.2, 20, 0.5, 100])
    seen = _follow(script, lambda: times.append(script.now), quiet=1.0)
    assert times == pytest.approx([0, 11.6, 32.1])
    assert all(isinstance(one, Updated) for one in seen)


def test_a_burst_without_end_is_updated_all_the_same() -> None:
    times: list[float] = []
    script = _Script([0.5] * 200)
    _follow(script, lambda: times.append(script.now), quiet=1.0, longest=10.0)
    assert len(times) >= 9


def test_waits_while_another_process_writes() -> None:
    tries: list[int] = []

    def update() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise IndexLockedError("in use")

    script = _Script([])
    seen = _follow(script, update, retry=2.0)
    assert [type(one) for one in seen] == [Waiting, Updated]  # the waiting is told once
    assert (len(tries), script.paused) == (4, 6.0)


def test_a_failure_is_told_once_and_tried_again() -> None:
    outcomes = [StorageError("disk full", remedy="free space")] * 3 + [None]
    times: list[float] = []
    script = _Script([150, 500])

    def update() -> None:
        times.append(script.now)
        if outcomes and (error := outcomes.pop(0)):
            raise error

    seen = _follow(script, update, again=60.0)
    assert seen[:2] == [Failed("disk full", "free space", 60.0), Updated(None)]  # type: ignore[arg-type]
    assert times[:4] == pytest.approx([0, 60, 120, 151])


def test_an_error_of_any_kind_does_not_end_the_watch() -> None:
    calls: list[int] = []

    def update() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("deep inside")

    seen = _follow(_Script([1, 5]), update)
    assert [type(one) for one in seen] == [Failed, Updated]


def test_places_of_sources(tmp_path: Path) -> None:
    assert watched_path(str(tmp_path)) == tmp_path
    assert watched_path("beir:/data/x") == Path("/data/x")
    assert watched_path("/not/there/yet") == Path("/not/there/yet")
    assert watched_path("https://example.org/a") is None
    assert watched_path("packages:networkx") is None
    assert watched_path("packages") is None


class _Following:
    """`follow` in a thread, over a real folder."""

    def __init__(self, base: Path, *, every: float | None = None) -> None:
        self.documents, self.folder = base / "documents", base / "documents" / ".home" / "notes"
        self.documents.mkdir()
        (self.documents / "a.txt").write_text("Sea otters sleep in kelp.")
        self.writer = IndexWriter(self.folder, HashedEncoders())
        self.writer.build([open_source(str(self.documents))])
        self.seen: list[object] = []
        self._new = threading.Condition()
        home = self.folder.parent
        self.changes = FolderChanges([self.documents], ignore=home, every=every)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self.changes:
            for one in follow(lambda: self.writer.update(open_source), self.changes, quiet=0.1):
                with self._new:
                    self.seen.append(one)
                    self._new.notify_all()

    def until(self, condition: Callable[[], bool]) -> bool:
        with self._new:
            return self._new.wait_for(condition, timeout=30)

    def until_more(self, count: int, seconds: float) -> bool:
        """Whether more than `count` things happen within `seconds`."""
        with self._new:
            return self._new.wait_for(lambda: len(self.seen) > count, timeout=seconds)

    def found(self, query: str) -> list[str]:
        index = Index.open(self.folder, HashedEncoders())
        try:
            return [Path(hit.passage.uri).name for hit in index.search(query).hits]
        finally:
            index.close()

    def close(self) -> None:
        self.changes.close()


@pytest.fixture(params=[None, 0.2], ids=["told", "polling"])
def following(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[_Following]:
    made = _Following(tmp_path, every=request.param)
    try:
        yield made
    finally:
        made.close()


def test_files_that_come_change_and_go(following: _Following) -> None:
    assert following.until(lambda: len(following.seen) == 1)
    (following.documents / "b.txt").write_text("The lease ends in Lyon.")
    assert following.until(lambda: following.found("lease")[:1] == ["b.txt"])
    (following.documents / "b.txt").write_text("The harbour freezes in winter.")
    assert following.until(lambda: following.found("harbour winter")[:1] == ["b.txt"])
    (following.documents / "b.txt").unlink()
    assert following.until(lambda: following.found("harbour winter kelp") == ["a.txt"])
    assert all(isinstance(one, Updated) for one in following.seen)


def test_an_update_does_not_follow_itself(following: _Following) -> None:
    """The index lies below the folder it follows, and reading a file is an event too."""
    assert following.until(lambda: len(following.seen) == 1)
    (following.documents / "b.txt").write_text("The lease ends in Lyon.")
    assert following.until(lambda: len(following.seen) == 2)
    assert not following.until_more(2, seconds=1.5)


def test_searches_are_answered_during_an_update(tmp_path: Path) -> None:
    following = _Following(tmp_path)
    try:
        assert following.until(lambda: len(following.seen) == 1)
        for number in range(200):
            (following.documents / f"{number}.txt").write_text(f"Harbour letter {number}. " * 200)
        answers = 0
        while len(following.seen) < 2 or answers < 3:
            assert following.found("kelp otters")[:1] == ["a.txt"]
            answers += 1
        assert following.until(lambda: "7.txt" in following.found("letter 7 harbour"))
    finally:
        following.close()


def test_a_folder_that_goes_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "drive"
    folder.mkdir()
    with FolderChanges([folder], ignore=tmp_path / "home") as changes:
        shutil.rmtree(folder)
        assert changes.wait(20)
        while changes.wait(0.5):
            pass
        folder.mkdir()
        assert changes.wait(20)
        while changes.wait(0.5):
            pass
        (folder / "note.txt").write_text("Back.")
        assert changes.wait(20)


def test_a_single_file_is_followed_though_editors_replace_it(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("One.")
    with FolderChanges([note], ignore=tmp_path / "home") as changes:
        (tmp_path / "other.txt").write_text("Not followed.")
        assert not changes.wait(0.5)
        (tmp_path / "note.new").write_text("Two.")
        (tmp_path / "note.new").replace(note)
        assert changes.wait(20)


def test_without_events_folders_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system can watch no more folders, polling takes over."""
    from watchdog.observers import Observer

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "schedule", full)
    monkeypatch.setattr("indexes.upkeep.watching._POLL", 0.2)
    with FolderChanges([tmp_path], ignore=tmp_path / "home") as changes:
        assert changes.polls
        time.sleep(0.3)
        (tmp_path / "note.txt").write_text("Seen.")
        assert changes.wait(20)
