"""What the library starts for one index. Every change is a job: a command in the background."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.components.adapt_choice import ADAPTING
from app.components.context import Opened
from app.components.library import Adding
from app.components.notices import errors_shown
from app.components.uploads import documents_folder, keep_uploads, sources_with
from assistant.adapting.work import not_adapted_meanwhile
from assistant.errors import UsageError
from assistant.jobs import Job
from assistant.watches import Watches
from indexes.corpora import open_source
from indexes.files import storage_errors
from indexes.listing import Listed
from indexes.manifest import Manifest, check_name
from indexes.postgres.index import has_engine

KINDS = ("index ", "plan ", "check ", "repair ", *ADAPTING)
"""How the titles of this work begin; the rest is the index's name."""


class IndexWork:
    """The work on one index."""

    def __init__(self, home: Opened, name: str) -> None:
        self.home, self.name = home, name
        self._settings = home.workspace.settings

    @property
    def copies(self) -> Path:
        """Where the files are kept that came through the browser."""
        return documents_folder(self._settings.home, self.name)

    def start(self, kind: str, *arguments: str) -> None:
        """Start `assistant index ARGUMENTS` in place of a result of the same kind."""
        self.run(kind, ["index", *arguments])

    def run(self, kind: str, arguments: Sequence[str]) -> None:
        """Start `assistant ARGUMENTS` in place of a result of the same kind."""
        self.put_away(kind)
        self.home.jobs.start(f"{kind} {self.name}", arguments)

    def put_away(self, kind: str) -> None:
        """Forget work of a kind that has ended, and its result."""
        for job in self.home.jobs.list():
            if job.title == f"{kind} {self.name}":
                self.home.jobs.forget(job.id)  # which leaves what is running

    def begin(self, kind: str, *arguments: str) -> None:
        """The same from a button: errors are shown, and the page runs again."""
        with errors_shown():
            self.start(kind, *arguments)
            st.rerun()

    def add(self, known: Sequence[str], adding: Adding) -> None:
        """Check everything before anything is written, then read what was chosen, or look what
        reading it would do.

        Args:
            known: the sources that the index has.

        Raises:
            UsageError: nothing was chosen, or a name, place or file is none that can be read.
            StorageError: the uploaded files cannot be kept.
        """
        check_name(self.name)
        places = [open_source(place).spec for place in adding.places]
        if not places and not adding.uploads:
            raise UsageError(
                "nothing was chosen", remedy="choose files, or give a folder or address"
            )
        if adding.look_first and adding.uploads:
            raise UsageError(
                "files that you choose have to be copied before they can be looked at",
                remedy="add them, or look at a folder or an address alone",
            )
        kept = keep_uploads(self.copies, adding.uploads) if adding.uploads else []
        places += [str(self.copies)] if kept else []
        sources = [part for spec in sources_with(known, places) for part in ("--from", spec)]
        if adding.look_first:
            self.start("plan", "build", self.name, *sources, "--dry-run")
            return
        # Who uploads a file wants it, even if it was taken out before.
        wanted = [part for path in kept for part in ("--put-back", str(path))]
        self.start("index", "build", self.name, *sources, *wanted)

    def read_again(self, documents: Sequence[Listed]) -> None:
        """Read single documents anew; on a server all that has changed."""
        if has_engine(self.home.workspace.index_folder(self.name)):
            self.begin("index", "update", self.name)
            return
        named = [part for row in documents for part in ("--document", row.id)]
        self.begin("index", "read", self.name, *named)

    def take_out(self, documents: Sequence[Listed]) -> None:
        """Take documents out of the index, and keep them out at later updates."""
        named = [part for row in documents for part in ("--document", row.id)]
        self.begin("index", "delete", self.name, *named)

    def put_back(self, documents: Sequence[Listed]) -> None:
        """Read documents again that were taken out."""
        named = [part for row in documents for part in ("--put-back", row.uri)]
        self.begin("index", "build", self.name, *named)

    def is_copy(self, uri: str) -> bool:
        """Whether a document is a file that came through the browser."""
        return Path(uri).is_relative_to(self.copies)

    def delete_copies(self, documents: Sequence[Listed]) -> None:
        """Delete uploaded files; the update that follows takes them out of the index."""
        with errors_shown():
            with storage_errors(self.copies):
                for row in documents:
                    if self.is_copy(row.uri):
                        Path(row.uri).unlink(missing_ok=True)
            self.start("index", "update", self.name)
            st.rerun()

    def delete(self, *, with_copies: bool) -> None:
        """Delete the index.

        Raises:
            IndexLockedError: it is being written, or adapted to, just now.
        """
        with not_adapted_meanwhile(self.home.workspace.index_folder(self.name)):
            self.watches.off(self.name)
            self.home.workspace.writer(self.name).delete_index()
        if with_copies:
            shutil.rmtree(self.copies, ignore_errors=True)
        for kind in KINDS:
            if job := self.home.jobs.latest(f"{kind}{self.name}"):
                self.home.jobs.forget(job.id)

    @property
    def watches(self) -> Watches:
        return Watches(self.home.jobs, self._settings.home)

    def watch(self, manifest: Manifest, wanted: bool) -> None:
        """Switch the watch on or off."""
        if wanted:
            self.watches.on(self.name, manifest.sources)
        else:
            self.watches.off(self.name)

    def carry_out(self, plan: Job) -> None:
        """Do what was planned."""
        with errors_shown():
            arguments = [a for a in self.home.jobs.arguments(plan.id) if a != "--dry-run"]
            self.home.jobs.start(f"index {self.name}", arguments)
            self.home.jobs.forget(plan.id)
