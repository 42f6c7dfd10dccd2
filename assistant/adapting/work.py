"""The working folder of an adaptation: what is decided, what is done, so that it can go on.

```
HOME/indexes/NAME/adapting/
├── plan.json        what was asked for and what followed from it, stage by stage
├── quoted.json      keys of the passages whose text stands in the files here
├── taught/          questions that the teacher wrote for it, apart from the index's own
├── data/            questions and mined negatives, JSON lines
├── runs/            runs of the distillation core (docs/distillation.md)
└── report.json      what came out
```
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from assistant.errors import IndexLockedError
from indexes.files import storage_errors, write_atomically
from indexes.store import PassageStore

FOLDER, LOCK = "adapting", "adapting.lock"
_PLAN, _QUOTED, _REPORT, _TAUGHT = "plan.json", "quoted.json", "report.json", "taught"


class WorkFolder:
    """The working folder of one index.

    Args:
        index_folder: `…/indexes/NAME`.
    """

    def __init__(self, index_folder: Path) -> None:
        self.path = index_folder / FOLDER
        self.taught = self.path / _TAUGHT
        self.data, self.runs = self.path / "data", self.path / "runs"

    @property
    def plan(self) -> dict[str, Any]:
        """What is decided so far; empty where nothing is under way."""
        return _read(self.path / _PLAN)

    def decide(self, **values: Any) -> dict[str, Any]:
        """Add decisions to the plan; returns all of them.

        Raises:
            StorageError: they cannot be written.
        """
        plan = {**self.plan, **values}
        self._write(_PLAN, plan)
        return plan

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note how long a stage took, over all the times that it was gone on with."""
        started = time.monotonic()
        try:
            yield
        finally:
            spent = dict(self.plan.get("spent", {}))
            seconds = spent.get(stage, 0.0) + time.monotonic() - started
            self.decide(spent={**spent, stage: round(seconds, 1)})

    def begin(self, asked: Mapping[str, Any]) -> bool:
        """Go on with unfinished work that was asked for in the same way, or begin anew.

        Questions that a teacher wrote are kept in both cases.

        Returns:
            whether it goes on.
        """
        plan = self.plan
        if plan.get("asked") == dict(asked) and not plan.get("finished"):
            return True
        self.clear()
        self.decide(asked=dict(asked))
        return False

    def clear(self) -> None:
        """Remove everything but what the teacher wrote."""
        if not self.path.is_dir():
            return
        for path in self.path.iterdir():
            if path.name == _TAUGHT:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def quote(self, keys: Iterable[bytes]) -> None:
        """Note whose text is about to be written here."""
        self._write(_QUOTED, sorted(key.hex() for key in keys))

    def quoted(self) -> set[bytes]:
        """Keys of the passages whose text stands here, what the teacher wrote apart."""
        try:
            listed = json.loads((self.path / _QUOTED).read_text(encoding="utf-8"))
            return {bytes.fromhex(key) for key in listed}
        except (OSError, ValueError):
            return set()

    def finish(self, report: Mapping[str, Any]) -> None:
        """Keep the report and let go of what only a resumed run needs."""
        self._write(_REPORT, dict(report))
        for folder in (*self.runs.glob("*/checkpoints"), *self.path.glob("start-*")):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.path / "candidate", self.path / "vectors"):
            shutil.rmtree(folder, ignore_errors=True)
        for file in self.path.glob("vectors.sqlite*"):
            file.unlink(missing_ok=True)
        self.decide(finished=True)

    @property
    def report(self) -> dict[str, Any]:
        """What came out last; empty where nothing did."""
        return _read(self.path / _REPORT)

    def write_lines(self, name: str, rows: Iterable[Mapping[str, Any]]) -> Path:
        """Write a file of the data, whole or not at all; returns where it is."""
        file = self.data / name
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        with storage_errors(self.data):
            self.data.mkdir(parents=True, exist_ok=True)
            write_atomically(file, text.encode("utf-8", "surrogatepass"))
        return file

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The rows of a file of the data."""
        text = (self.data / name).read_text(encoding="utf-8", errors="surrogatepass")
        return (json.loads(line) for line in text.splitlines())

    def _write(self, name: str, value: Any) -> None:
        with storage_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            data = json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
            write_atomically(self.path / name, data)


def keys_of(store: PassageStore) -> list[bytes]:
    """The keys of all passages, by row (`indexes.encodings.text_key`)."""
    found = store.keys()
    return [key.tobytes() for key in found]


@contextmanager
def adapting_lock(index_folder: Path) -> Iterator[None]:
    """Held while something is adapted to an index, or that is undone.

    Raises:
        IndexLockedError: another process does so.
    """
    lock = FileLock(index_folder / LOCK, timeout=0)
    with storage_errors(index_folder):
        try:
            lock.acquire()
        except Timeout as error:
            raise IndexLockedError(
                f"another process is adapting to index '{index_folder.name}'",
                remedy="wait until it is done, or stop it",
            ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def not_adapted_meanwhile(index_folder: Path) -> Iterator[None]:
    """Held while an index is deleted, so that no adaptation writes into a folder that is gone.

    Raises:
        IndexLockedError: something is being adapted to it.
    """
    if not index_folder.is_dir():  # whoever deletes it says so
        yield
        return
    with adapting_lock(index_folder):
        yield


def _read(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
