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

_START = 180  # seconds until the page must answer


QUOTING = 'answering.reader = "extractive"\n'
"""Settings with which answers are quotations: what a model writes is no matter of most pages."""


def make_home(root: Path, models: Path, settings: str = "") -> Path:
    """A home below `root` with the weights in `models` and an index of the small folder.

    Args:
        settings: further lines of its `config.toml`, in force once the index is made.
    """
    home = root / "home"
    home.mkdir()
    (home / "models").symlink_to(models, target_is_directory=True)
    (home / "config.toml").write_text('retrieval.index = "notes"\n', encoding="utf-8")
    write_documents(root / "documents")
    workspace = Workspace(load_settings(home=home, environ={}))
    workspace.writer("notes").build([open_source(str(root / "documents"))])
    with (home / "config.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    return home


@contextmanager
def serve(home: Path, port: int = 0) -> Iterator[str]:
    """Start `assistant app` on a free port; gives its address and ends it afterwards.

    Args:
        port: take this one; 0 finds one.
    """
    port = free_port(port)
    command = [sys.executable, "-m", "assistant", "--home", str(home)]
    with (home / "page.log").open("wb") as log:
        child = subprocess.Popen([*command, "app", "--port", str(port)], stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/_stcore/health", child)
            yield url
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(120)


def free_port(port: int = 0) -> int:
    """A port of this machine that nothing listens on; `port` where that is free.

    Raises:
        OSError: something listens on `port`.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])


def wait_for(url: str, child: subprocess.Popen[bytes]) -> None:
    """Until the server answers.

    Raises:
        RuntimeError: it ended, or did not answer in time.
    """
    end = time.monotonic() + _START
    while time.monotonic() < end and child.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the page did not start (status {child.poll()})")
