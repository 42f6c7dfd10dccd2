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
from assistant.memory.people import People
from assistant.settings import ENV_PREFIX, PERSON_VARIABLE, Settings
from assistant.starter import ensure_starter
from assistant.watches import watches


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
    folders = settings.indexes_folder.iterdir()
    for name in watches(opened).resume(folder.name for folder in folders):
        messages().print(f"watching the folders of index '{name}' again")
    command = [
        *(sys.executable, "-m", "app.server", "run", str(_page())),
        *("--server.address", settings.app.host),
        *("--server.port", str(settings.app.port)),
        *("--server.headless", "false" if browser else "true"),
        *("--browser.gatherUsageStats", "false"),
        *("--server.fileWatcherType", "none"),
        *_sign_in(settings.home / "secrets.toml"),
        *("--", "--home", str(settings.home)),
    ]
    address = f"http://{settings.app.host}:{settings.app.port}{_as_person(context, settings)}"
    messages().print(f"open {address}  (Ctrl-C ends)")
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
    # Who is at the page is asked there; work that it starts is nobody's.
    shared = {name: value for name, value in os.environ.items() if name != PERSON_VARIABLE}
    return {**shared, **flags}


def _as_person(context: typer.Context, settings: Settings) -> str:
    """What comes behind the page's address, so that it opens for the person of the flags."""
    options: Options = context.ensure_object(Options)
    if not options.person:
        return ""
    return f"/?person={People(settings.home).named(options.person).id}"


def _sign_in(secrets: Path) -> list[str]:
    """Where people sign in, the home folder has a file that says at which provider."""
    return ["--secrets.files", str(secrets)] if secrets.is_file() else []


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
