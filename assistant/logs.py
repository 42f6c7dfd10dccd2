"""The log of the page, in the home folder: what happened when, and never what is in documents.

A line says when, how grave, which part, and what. Of an error only its kind and its place in the
program are written: its message may quote a document or a question.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from indexes.files import storage_errors

PAGE_LOG = "page.log"
LEVELS = ("INFO", "WARNING", "ERROR")
"""What a log can be filtered by: this level and what is graver."""

_BYTES, _KEPT = 1_000_000, 3
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\S* +([A-Z]+) +(\S+): (.*)")
_PACKAGES = ("assistant", "app", "indexes", "eval")
# These tell of errors in the page itself; their messages are their own, not the documents'.
_LIBRARIES = ("streamlit.error_util", "streamlit.web.bootstrap")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log; `at` and `part` are empty in the logs of jobs."""

    at: str
    level: str
    part: str
    text: str


class _WithoutContent(logging.Formatter):
    """Names an error and where it arose, without its message and without source lines."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name that logging calls
        kind, _, trace = ei
        places = [
            f"{Path(frame.filename).name}:{frame.lineno}"
            for frame in traceback.extract_tb(trace)[-4:]
        ]
        return f"{kind.__name__} at {' < '.join(reversed(places))}"

    def format(self, record: logging.LogRecord) -> str:
        written = record.exc_text
        record.exc_text = None  # another handler may have put the whole message there
        try:
            return super().format(record).replace("\n", " | ")
        finally:
            record.exc_text = written


class _Closed(logging.Filter):
    """Lets through what the project logs itself; of libraries, that something went wrong."""

    def filter(self, record: logging.LogRecord) -> bool:
        ours = record.name.split(".")[0] in _PACKAGES
        return ours or (record.name in _LIBRARIES and record.levelno >= logging.WARNING)


def log_to(folder: Path) -> Path:
    """Write this process's log into `folder` from now on, in place of where it went before.

    The file is begun anew at one megabyte; three old ones are kept.

    Raises:
        StorageError: the folder cannot be written.
    """
    path = folder / PAGE_LOG
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8")
    handler.setFormatter(_WithoutContent(_FORMAT))
    handler.addFilter(_Closed())
    for name in (*_PACKAGES, *_LIBRARIES):
        logger = logging.getLogger(name)
        for old in [h for h in logger.handlers if isinstance(h, RotatingFileHandler)]:
            logger.removeHandler(old)
            old.close()
        logger.addHandler(handler)
        if name in _PACKAGES:
            logger.setLevel(logging.INFO)
    return path


def read_log(path: Path, *, least: str = "INFO", last: int = 200) -> list[LogLine]:
    """The last lines of a log that are at least so grave, oldest first; none where it is not there.

    Lines of a job's log have no level; those that begin with `error:` are errors.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    grave = LEVELS[LEVELS.index(least) :]
    lines = [line for line in _parsed(text.splitlines()) if line.level in grave]
    return lines[-last:]


def _parsed(lines: Iterable[str]) -> Sequence[LogLine]:
    found = []
    for line in lines:
        if match := _LINE.fullmatch(line):
            level = "ERROR" if match[2] == "CRITICAL" else match[2]
            found.append(LogLine(match[1], level, match[3], match[4]))
        elif line.strip():
            error = line.lstrip().startswith("error:")
            found.append(LogLine("", "ERROR" if error else "INFO", "", line.strip()))
    return found
