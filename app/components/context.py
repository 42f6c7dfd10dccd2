"""What all pages share: the home folder, opened once per process, for the person at the page."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app.components.garbage import set_aside_after
from app.components.identity import current_person
from app.components.notices import show_said
from assistant.jobs import Jobs
from assistant.logs import log_to
from assistant.memory.people import OWNER_ID, People, Person
from assistant.pipeline import Assistant
from assistant.settings import Settings, default_home, load_settings
from assistant.warming import warm_up
from assistant.workspace import Workspace

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """One home folder, opened for one person."""

    workspace: Workspace
    assistant: Assistant
    jobs: Jobs
    person: Person
    people: People


class _Shared:
    """A home folder with its loaded models, and what was opened of each person."""

    def __init__(self, settings: Settings) -> None:
        self.people = People(settings.home)
        self._workspace = Workspace(settings)
        self._jobs = Jobs(settings.jobs_folder, settings.home)
        self._opened: dict[str, tuple[Workspace, Assistant]] = {}
        self._lock = threading.Lock()
        # While the person reads and types, but not before there is something to read.
        set_aside_after(warm_up(self._workspace, after=threading.current_thread()))

    def of(self, person: Person) -> Opened:
        """Opened for this person."""
        with self._lock:
            if person.id not in self._opened:
                folder = self.people.folder(person)
                own = person.id == OWNER_ID
                workspace = self._workspace if own else self._workspace.for_person(folder)
                self._opened[person.id] = workspace, Assistant(workspace)
            workspace, assistant = self._opened[person.id]
        return Opened(workspace, assistant, self._jobs, person, self.people)

    def forget(self, person: Person) -> None:
        """Close what was opened of a person who is removed."""
        with self._lock:
            workspace, _ = self._opened.pop(person.id, (None, None))
        if workspace is not None:
            workspace.conversations.close()
            workspace.person.close()


def home_folder() -> Path:
    """The folder that `assistant app` passed after `--`, else the default one."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--home", type=Path)
    known, _ = parser.parse_known_args(sys.argv[1:])
    return known.home or default_home()


def opened() -> Opened:
    """The workspace under the settings that are in force now, for the person at the page.

    Where it is not known who that is, the page asks and ends here.

    Raises:
        KnowledgeAssistantError: the settings are wrong or the home folder cannot be written.
    """
    show_said()
    shared = _shared()
    return shared.of(current_person(shared.people))


def close_person(person: Person) -> None:
    """Close the files of a person who is removed."""
    _shared().forget(person)


def _shared() -> _Shared:
    home = home_folder()
    file = home / "config.toml"
    changed = file.stat().st_mtime_ns if file.exists() else 0
    found: _Shared = _open(str(home), changed)
    return found


@st.cache_resource(show_spinner=False, max_entries=1)
def _open(home: str, settings_changed: int) -> _Shared:
    """Cached by home folder and by when the settings were changed.

    Only the latest is kept: each may hold two gigabytes of weights.
    """
    settings = load_settings(home=Path(home))
    shared = _Shared(settings)
    log_to(settings.home / "logs")
    _log.info("the home folder was opened")
    return shared
