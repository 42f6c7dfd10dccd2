"""What all pages share: the opened home folder, one per process."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from assistant.jobs import Jobs
from assistant.pipeline import Assistant
from assistant.settings import default_home, load_settings
from assistant.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Opened:
    """One home folder, opened."""

    workspace: Workspace
    assistant: Assistant
    jobs: Jobs


def home_folder() -> Path:
    """The folder that `assistant app` passed after `--`, else the default one."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--home", type=Path)
    known, _ = parser.parse_known_args(sys.argv[1:])
    return known.home or default_home()


def opened() -> Opened:
    """The workspace under the settings that are in force now.

    Raises:
        KnowledgeAssistantError: the settings are wrong or the home folder cannot be written.
    """
    home = home_folder()
    file = home / "config.toml"
    changed = file.stat().st_mtime_ns if file.exists() else 0
    found: Opened = _open(str(home), changed)
    return found


@st.cache_resource(show_spinner=False, max_entries=1)
def _open(home: str, settings_changed: int) -> Opened:
    """Cached by home folder and by when the settings were changed.

    Only the latest is kept: each may hold two gigabytes of weights.
    """
    settings = load_settings(home=Path(home))
    workspace = Workspace(settings)
    workspace.warm_up()  # while the person reads and types
    return Opened(workspace, Assistant(workspace), Jobs(settings.jobs_folder, settings.home))
