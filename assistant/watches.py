"""Folders that are followed in the background: a watch is a job that lasts until it is stopped.

Which indexes are watched is kept in `watches.json` of the home folder, so that watches are there
again after the computer was switched off (`Watches.resume`, called when the page is started).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.jobs import Job, JobReporter, Jobs
from assistant.workspace import Workspace
from indexes.files import storage_errors, write_atomically
from indexes.manifest import now
from indexes.progress import Progress

_FILE = "watches.json"


@dataclass(frozen=True, slots=True)
class Watch:
    """The watch of one index. `diary` is what `Diary` wrote last; None before that."""

    index: str
    job: Job
    diary: dict[str, Any] | None


class Watches:
    """The watches of one home folder."""

    def __init__(self, jobs: Jobs, home: Path) -> None:
        self._jobs, self._file = jobs, home / _FILE

    def wanted(self) -> list[str]:
        """The indexes whose folders are to be followed, by name; a damaged file means none."""
        try:
            names = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return sorted({str(name) for name in names}) if isinstance(names, list) else []

    def possible(self, sources: Iterable[str]) -> bool:
        """Whether one of the sources is a folder or file outside the home folder."""
        from indexes.upkeep.watching import watched_path

        home = self._file.parent.absolute()
        paths = [watched_path(spec) for spec in sources]
        return any(path is not None and not path.absolute().is_relative_to(home) for path in paths)

    def on(self, index: str, sources: Iterable[str]) -> None:
        """Follow the folders of an index from now on; nothing happens where that is so already.

        Raises:
            UsageError: none of its sources is a folder or file.
            StorageError: the wish cannot be written down; nothing is started then.
        """
        if not self.possible(sources):
            raise UsageError(
                f"index '{index}' has no folder that could be watched",
                remedy="web pages, packages and uploaded files are read at each update",
            )
        self._keep({*self.wanted(), index})
        self._start(index)

    def off(self, index: str) -> None:
        """Follow them no longer. What the watch has taken over so far stays."""
        wanted = set(self.wanted())
        if index in wanted:
            self._keep(wanted - {index})
        for job in self._jobs.list():
            if job.title != _title(index):
                continue
            if job.state == "running":
                self._jobs.stop(job.id)
            else:
                self._jobs.forget(job.id)

    def of(self, index: str) -> Watch | None:
        """The watch of an index, running or ended by itself; None where none is wanted."""
        job = self._jobs.latest(_title(index)) if index in self.wanted() else None
        return Watch(index, job, self._jobs.result(job.id)) if job is not None else None

    def resume(self, existing: Iterable[str]) -> list[str]:
        """Start the watches that are wanted and do not run; returns of which indexes.

        Args:
            existing: the indexes there are; what was wanted for others is forgotten.
        """
        known = set(existing)
        wanted = self.wanted()
        if gone := set(wanted) - known:
            self._keep(set(wanted) - gone)
        return [index for index in wanted if index in known and self._start(index)]

    def _start(self, index: str) -> bool:
        before = [job for job in self._jobs.list() if job.title == _title(index)]
        if any(job.state == "running" for job in before):
            return False
        for job in before:
            self._jobs.forget(job.id)
        self._jobs.start(_title(index), ["index", "update", index, "--watch"])
        return True

    def _keep(self, names: Iterable[str]) -> None:
        with storage_errors(self._file):
            write_atomically(self._file, json.dumps(sorted(names)).encode())


def watches(workspace: Workspace) -> Watches:
    """Those of an opened home folder."""
    settings = workspace.settings
    return Watches(Jobs(settings.jobs_folder, settings.home), settings.home)


class Diary:
    """What a watch did, kept in its job for whoever looks; nothing where it is no job."""

    def __init__(self, index: str, report: JobReporter | None) -> None:
        self._report = report
        self._values: dict[str, Any] = {"index": index, "updates": 0, "last": None, "error": None}

    def began(self, places: int, *, polls: bool) -> None:
        """So many folders and files are followed, looked at from time to time if `polls`."""
        self._values.update(places=places, polls=polls, began=now())
        self._write()

    def updated(self, result: dict[str, Any]) -> None:
        """An update took over what had changed, if anything (see `assistant index update`)."""
        self._values["error"] = None
        if result["added"] or result["changed"] or result["removed"] or result["moved"]:
            self._values["updates"] += 1
            kept = ("added", "changed", "removed", "moved")
            self._values["last"] = {"at": now(), **{key: result[key] for key in kept}}
        self._write()

    def failed(self, message: str, remedy: str) -> None:
        """An update failed; the watch goes on."""
        self._values["error"] = {"at": now(), "message": message, "remedy": remedy}
        self._write()

    def _write(self) -> None:
        if self._report is not None:
            self._report(Progress("watch", self._values["updates"], None, "updates", 0.0))
            self._report.result(self._values)


def _title(index: str) -> str:
    return f"watch {index}"
