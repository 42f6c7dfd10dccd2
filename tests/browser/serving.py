"""The real page on a home folder of its own, as a person starts it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.settings import load_settings
from assistant.workspace import Workspace
from indexes.corpora import open_source
from tests.browser.documents import write_documents

_START = 60  # seconds until the page must answer


def make_home(root: Path, models: Path) -> Path:
    """A home below `root` with the weights in `models` and an index of the small folder."""
    home = root / "home"
    home.mkdir()
    (home / "models").symlink_to(models, target_is_directory=True)
    (home / "config.toml").write_text('retrieval.index = "notes"\n', encoding="utf-8")
    write_documents(root / "documents")
    workspace = Workspace(load_settings(home=home, environ={}))
    workspace.writer("notes").build([open_source(str(root / "documents"))])
    return home


@contextmanager
def serve(home: Path) -> Iterator[str]:
    """Start `assistant app` on a free port; gives its address and ends it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "assistant", "--home", str(home)]
    with (home / "page.log").open("wb") as log:
        child = subprocess.Popen([*command, "app", "--port", str(port)], stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{url}/_stcore/health", child)
            yield url
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)


def _wait_for(url: str, child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end and child.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the page did not start (status {child.poll()})")
