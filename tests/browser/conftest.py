"""The real page on a temporary home, and a browser on it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from assistant.models.store import ModelStore
from assistant.settings import load_settings
from assistant.workspace import Workspace
from indexes.corpora import open_source
from tests.browser.documents import write_documents
from tests.conftest import MODELS, weights

START = 60  # seconds until the page must answer


@dataclass
class Watched:
    """A browser page with what went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed (remedy: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def served_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the installed weights and an index of the small folder."""
    for name in ("minilm", "splade-tiny", "en-core-web-sm"):
        weights(name)
    root = tmp_path_factory.mktemp("page")
    home = root / "home"
    home.mkdir()
    (home / "models").symlink_to(MODELS, target_is_directory=True)
    (home / "config.toml").write_text('retrieval.index = "notes"\n', encoding="utf-8")
    write_documents(root / "documents")
    workspace = Workspace(load_settings(home=home, environ={}))
    workspace.writer("notes").build([open_source(str(root / "documents"))])
    return home


@pytest.fixture(scope="session")
def address(served_home: Path) -> Iterator[str]:
    """The page, started as a person starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "assistant", "--home", str(served_home)]
    log = (served_home / "page.log").open("wb")
    child = subprocess.Popen([*command, "app", "--port", str(port)], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/_stcore/health", child)
        yield url
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)
        log.close()


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    """A fresh page of the chat; afterwards there were no errors and nothing came from outside."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.set_default_timeout(60_000)
    found = Watched(page)
    page.on("console", lambda m: found.errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))
            else found.outside.append(request.url)
        ),
    )
    page.goto(address)
    page.get_by_role("heading", name="Ask your documents").wait_for()
    yield found
    context.close()
    assert found.errors == []
    assert found.outside == []


@pytest.fixture(scope="session")
def has_answerer() -> bool:
    return ModelStore(MODELS).is_installed("qwen2.5-1.5b")


def _wait_for(url: str, child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        if child.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the page did not start (status {child.poll()})")
