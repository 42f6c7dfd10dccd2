"""What is installed, whether it is whole, and what a person registered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from assistant.errors import (
    ModelCorruptError,
    ModelMissingError,
    StorageError,
    UnknownNameError,
    UsageError,
)
from assistant.models.catalogue import catalogue, find_entry
from assistant.models.fetch import fetch
from assistant.models.store import ModelStore
from tests.fast.models.packages import SMALL, Registry


@pytest.fixture
def installed(registry: Registry, store: ModelStore) -> ModelStore:
    fetch(store, registry.small)
    return store


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder that looks like an embedder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


@pytest.mark.parametrize("change", ["cut", "altered", "removed"])
def test_damage_is_noticed_and_mended(
    registry: Registry, installed: ModelStore, change: str
) -> None:
    path = installed.path("small") / "w.bin"
    data = path.read_bytes()
    if change == "removed":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if change == "cut" else data[:-1] + b"!")
        os.utime(path, (1, 1))
    with pytest.raises(ModelCorruptError, match=r"w\.bin"):
        installed.path("small")
    assert installed.status()[0].state == "damaged"
    fetch(installed, registry.small)
    assert installed.path("small").joinpath("w.bin").read_bytes() == data


def test_damage_that_left_size_and_time_alone(registry: Registry, installed: ModelStore) -> None:
    path = installed.path("small") / "w.bin"
    before = path.stat()
    path.write_bytes(SMALL["w.bin"][:-1] + b"!")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert installed.is_installed("small")  # the quick look cannot see it
    with pytest.raises(ModelCorruptError, match=r"w\.bin"):
        installed.verify("small")
    assert not installed.is_installed("small")  # but what `verify` found is not forgotten
    assert not fetch(installed, registry.small).already
    assert installed.verify("small") == len(SMALL)


def test_weights_that_may_only_be_read(
    installed: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed.folder / "small.json").unlink()

    def refuse(target: Path, data: bytes) -> None:
        raise PermissionError(13, "denied", str(target))

    monkeypatch.setattr("assistant.models.store.write_atomically", refuse)
    assert installed.path("small").is_dir()


def test_registered_folder_is_used_as_it_is(store: ModelStore, mine: Path) -> None:
    store.register("mine", "embedder", mine)
    assert store.path("mine") == mine
    assert store.path(str(mine)) == mine
    assert [(m.name, m.role, m.state) for m in store.status()][-1] == (
        *("mine", "embedder"),
        "installed",
    )
    (mine / "config.json").unlink()
    mine.rmdir()
    with pytest.raises(ModelMissingError, match="register it again"):
        store.path("mine")
    store.remove("mine")
    with pytest.raises(UnknownNameError):
        store.path("mine")


def test_removing_a_registered_name_leaves_the_folder(store: ModelStore, mine: Path) -> None:
    store.register("mine", "embedder", mine)
    store.remove("mine")
    assert (mine / "config.json").exists()


@pytest.mark.parametrize(
    ("name", "role", "message"),
    [
        ("small", "embedder", "catalogue"),
        ("embedder", "embedder", "catalogue"),
        ("a/b", "embedder", "cannot be a name"),
        ("", "embedder", "cannot be a name"),
        ("other", "embeder", "embedder"),
        ("other", "parser", "not a spaCy model"),
        ("other", "answerer", "not a GGUF file"),
    ],
)
def test_what_cannot_be_registered(
    store: ModelStore, mine: Path, name: str, role: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        store.register(name, role, mine)
    assert message in str(caught.value)


def test_a_folder_with_one_gguf_file_is_that_file(store: ModelStore, tmp_path: Path) -> None:
    folder = tmp_path / "llm"
    folder.mkdir()
    with pytest.raises(UsageError):
        store.register("llm", "answerer", folder)
    (folder / "m.gguf").write_bytes(b"GGUF and more")
    store.register("llm", "answerer", folder)
    assert store.path("llm") == folder / "m.gguf"
    (folder / "m.gguf").write_bytes(b"something else")
    with pytest.raises(UsageError, match="not a GGUF file"):
        store.register("llm2", "answerer", folder)


@pytest.mark.parametrize("text", ["", "[]", '{"mine": 1}', "\0\1", '{"mine": {"role": "x"}}'])
def test_damaged_list_of_registered_names(
    registry: Registry, installed: ModelStore, mine: Path, text: str
) -> None:
    file = installed.folder / "registered.json"
    file.write_text(text)
    assert installed.path("small").is_dir()  # what does not need it goes on
    assert installed.status()[0].state == "installed"
    with pytest.raises(StorageError, match=r"registered\.json"):
        installed.path("mine")
    with pytest.raises(StorageError):
        installed.register("mine", "embedder", mine)
    assert file.read_text() == text  # and nothing of it is overwritten


def test_remove(installed: ModelStore) -> None:
    installed.remove("embedder")
    assert [m.state for m in installed.status()] == ["missing", "missing"]
    installed.remove("embedder")  # nothing to do is no error
    with pytest.raises(UnknownNameError):
        installed.remove("smal")


def test_remove_while_it_is_fetched(registry: Registry, installed: ModelStore) -> None:
    with (
        FileLock(installed.lock_file(registry.small)),
        pytest.raises(UsageError, match="being fetched"),
    ):
        installed.remove("small")
    assert installed.is_installed("small")


def test_unknown_model_names_the_nearest(store: ModelStore) -> None:
    with pytest.raises(UnknownNameError) as caught:
        store.path("smal")
    assert caught.value.nearest == "small"


def test_real_catalogue_is_whole() -> None:
    assert {entry.role for entry in catalogue()} == {
        *("embedder", "sparse", "parser"),
        *("answerer", "tiny-answerer"),
    }
    names = [entry.name for entry in catalogue()]
    assert len(set(names)) == len(names)
    for entry in catalogue():
        assert find_entry(entry.name) is entry
        assert entry.licence and entry.needs and entry.files and entry.packages
        assert bool(entry.hub) == (len(entry.revision) == 40)
        # either every package carries a part of the one file, or one package carries all files
        parts = [package.part for package in entry.packages]
        assert (all(parts) and len(entry.files) == 1) or (not any(parts) and len(parts) == 1)
        for item in (*entry.files, *entry.packages):
            assert len(item.sha256) == 64 and item.bytes > 0
