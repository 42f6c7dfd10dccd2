"""Long work in a process of its own, with its progress in a file.

The page starts a job and may go away: the work goes on, and any later page (or the command line)
reads how far it is. A job is a folder with `job.json` (what runs), `progress.json` (replaced as it
goes), `log.txt` (what the command printed) and, for work that finds something out, `result.json`.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from assistant.errors import UsageError
from indexes.files import storage_errors, write_atomically
from indexes.progress import Progress

JobState = Literal["running", "done", "failed"]

_log = logging.getLogger(__name__)

_KEEP = 20  # finished jobs
_EVERY = 0.25  # seconds between two writes of the progress


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now. `progress` is the last report of each stage, as they began last."""

    id: str
    title: str
    state: JobState
    progress: tuple[Progress, ...]
    message: str
    started: float


class Jobs:
    """The jobs of one home folder."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder, self._home = folder, home
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, title: str, arguments: Sequence[str]) -> str:
        """Run `assistant ARGUMENTS --job FOLDER` in the background; returns the job's id."""
        job_id = uuid.uuid4().hex[:12]
        folder = self._folder / job_id
        with storage_errors(self._folder):
            folder.mkdir(parents=True)
            command = [sys.executable, "-m", "assistant", "--home", str(self._home), *arguments]
            with (folder / "log.txt").open("wb") as log:
                child = subprocess.Popen(
                    [*command, "--job", str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # closing the page's terminal does not end it
                )
            about = {
                "title": title,
                "arguments": list(arguments),
                "pid": child.pid,
                "identity": pid_identity(child.pid),
                "started": time.time(),
            }
            write_atomically(folder / "job.json", json.dumps(about).encode())
        self._children[job_id] = child
        _log.info("started: %s (%s)", title, job_id)
        self._drop_old()
        return job_id

    def repeat(self, job_id: str) -> str:
        """Start the same work again in place of a job that has ended; returns the new job's id.

        Raises:
            UsageError: there is no such job, or it is still running.
        """
        job = self.get(job_id)
        if job is None or job.state == "running":
            raise UsageError("this work cannot be started again", remedy="wait until it has ended")
        about = json.loads((self._folder / job_id / "job.json").read_text())
        started = self.start(job.title, about["arguments"])
        self.forget(job_id)
        return started

    def list(self) -> list[Job]:
        """All known jobs, latest first."""
        folders = [f for f in self._folder.glob("*") if (f / "job.json").exists()]
        jobs = [self._read(folder) for folder in folders]
        return sorted((job for job in jobs if job), key=lambda job: -job.started)

    def get(self, job_id: str) -> Job | None:
        folder = self._folder / job_id
        return self._read(folder) if (folder / "job.json").exists() else None

    def latest(self, title: str) -> Job | None:
        """The job of exactly this title that was started last."""
        return next((job for job in self.list() if job.title == title), None)

    def arguments(self, job_id: str) -> Sequence[str]:
        """What the job's command line says after the home folder; empty where that is not known."""
        try:
            about = json.loads((self._folder / job_id / "job.json").read_text())
            return tuple(str(argument) for argument in about.get("arguments", ()))
        except (OSError, ValueError):
            return ()

    def result(self, job_id: str) -> dict[str, Any] | None:
        """What the job found out, as the command's `--json` has it; None where it says nothing."""
        try:
            values = json.loads((self._folder / job_id / "result.json").read_text())
        except (OSError, ValueError):
            return None
        return values if isinstance(values, dict) else None

    def log_file(self, job_id: str) -> Path:
        """Where the lines stand that the job's command printed."""
        return self._folder / job_id / "log.txt"

    def stop(self, job_id: str) -> None:
        """Ask the job to stop, as Ctrl-C would: what it has done so far is kept.

        Raises:
            UsageError: it is not running.
        """
        job = self.get(job_id)
        if job is None or job.state != "running":
            raise UsageError("this job is not running")
        about = json.loads((self._folder / job_id / "job.json").read_text())
        _log.info("asked to stop: %s (%s)", job.title, job_id)
        os.kill(int(about["pid"]), signal.SIGINT)

    def forget(self, job_id: str) -> None:
        """Remove a finished job from the list."""
        job = self.get(job_id)
        if job is not None and job.state != "running":
            shutil.rmtree(self._folder / job_id, ignore_errors=True)

    def _read(self, folder: Path) -> Job | None:
        try:
            about = json.loads((folder / "job.json").read_text())
        except (OSError, ValueError):
            return None  # removed or being written just now
        progress, ended = read_progress(folder)
        # Until the process is gone it may still have something to say.
        if self._alive(folder.name, int(about["pid"]), about.get("identity")):
            state: JobState = "running"
        else:
            state = "done" if ended else "failed"
        return Job(
            folder.name,
            str(about["title"]),
            state,
            progress,
            _last_line(folder / "log.txt") if state != "running" else "",
            float(about["started"]),
        )

    def _alive(self, job_id: str, pid: int, identity: str | None) -> bool:
        child = self._children.get(job_id)
        if child is not None:
            return child.poll() is None
        return pid_identity(pid) is not None and pid_identity(pid) == identity

    def _drop_old(self) -> None:
        for job in [job for job in self.list() if job.state != "running"][_KEEP:]:
            self.forget(job.id)


class JobReporter:
    """Writes progress into a job's folder; used by the command that runs as the job."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stages: dict[str, Progress] = {}
        self._written = 0.0

    def __enter__(self) -> JobReporter:
        self._write(None)
        return self

    def __call__(self, progress: Progress) -> None:
        before = self._stages.get(progress.stage)
        begins = before is None or progress.done < before.done
        if begins:  # a stage that comes again is the latest again
            self._stages.pop(progress.stage, None)
        self._stages[progress.stage] = progress
        if begins or time.monotonic() - self._written > _EVERY:
            self._write(None)

    def result(self, values: Any) -> None:
        """Keep what was found out, for `Jobs.result`; a later call replaces it.

        Args:
            values: plain values and dataclasses, a dictionary on the outside.
        """
        data = json.dumps(values, ensure_ascii=False, default=_plain)
        write_atomically(self._folder / "result.json", data.encode())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write(error is None)

    def _write(self, ended: bool | None) -> None:
        self._written = time.monotonic()
        stages = [dataclasses.asdict(progress) for progress in self._stages.values()]
        data: dict[str, Any] = {"ended": ended, "stages": stages}
        write_atomically(self._folder / "progress.json", json.dumps(data).encode())


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


def pid_identity(pid: int) -> str | None:
    """What tells a process from a later one with the same number; None if it does not live.

    On Linux the moment it was started; elsewhere the number alone has to do.
    """
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return str(pid)


def read_progress(folder: Path) -> tuple[tuple[Progress, ...], bool | None]:
    """The stages' last reports, and whether the work ended well (None: it has not ended)."""
    try:
        data = json.loads((folder / "progress.json").read_text())
        return tuple(Progress(**stage) for stage in data["stages"]), data["ended"]
    except (OSError, ValueError, KeyError, TypeError):
        return (), None


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    written = [line.strip() for line in lines if line.strip()]
    errors = [line.removeprefix("error: ") for line in written if line.startswith("error: ")]
    return (errors or written or [""])[-1]
