"""`assistant app`: the page, on a working default index."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.context import Options, workspace
from assistant.cli.output import messages
from assistant.errors import KnowledgeAssistantError, UsageError
from assistant.settings import ENV_PREFIX
from assistant.starter import ensure_starter


def app_command(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the web browser.")
    ] = False,
) -> int:
    """Open the page. On the first run a starter library is indexed in the background."""
    opened = workspace(context, app__port=port)
    settings = opened.settings
    _check_port(settings.app.host, settings.app.port)
    if ensure_starter(opened):
        messages().print("indexing the starter library in the background; you can ask already")
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(_page())),
        *("--server.address", settings.app.host),
        *("--server.port", str(settings.app.port)),
        *("--server.headless", "false" if browser else "true"),
        *("--browser.gatherUsageStats", "false"),
        *("--server.fileWatcherType", "none"),
        *("--", "--home", str(settings.home)),
    ]
    messages().print(f"open http://{settings.app.host}:{settings.app.port}  (Ctrl-C ends)")
    # The theme lives in .streamlit/config.toml beside the page.
    child = subprocess.Popen(command, cwd=_page().parent, env=_environment(context))
    # Ctrl-C reaches the child by itself; a SIGTERM to this process would leave it behind.
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.wait()
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)


def _environment(context: typer.Context) -> dict[str, str]:
    """The flags of this call as environment variables, the form in which the page reads them."""
    options: Options = context.ensure_object(Options)
    flags = {
        f"{ENV_PREFIX}{key.upper().replace('.', '__')}": str(value)
        for key, value in options.overrides.items()
    }
    return {**os.environ, **flags}


def _page() -> Path:
    found = find_spec("app")
    if found is None or not found.submodule_search_locations:
        raise KnowledgeAssistantError(
            "the page is not installed", remedy="install the project with pip install -e ."
        )
    return Path(next(iter(found.submodule_search_locations))) / "main.py"


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"port {port} on {host} cannot be used: {error.strerror}",
                remedy=f"end the program that uses it, or: assistant app --port {port + 1}",
            ) from error
