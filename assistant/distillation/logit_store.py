"""A teacher's log-probabilities on disk: computed once, used by every later run.

CED: the k likeliest choices of each row and the logarithm of the rest's mass, in half precision.

```
STORE/
├── manifest.json      format; teacher, template, tokenizer; k; one record for each finished shard
└── 00000.ids.npy  00000.logprobs.npy  00000.tails.npy     rows of one shard, memory-mapped
    00000.keys.json    for each example of the shard: its key and its number of rows
```

A shard counts once the manifest names it, so a store that was being written when the disk was full
or the process killed is whole as far as it goes, and writing goes on after it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from assistant.distillation.students import tokenizer_hash
from assistant.distillation.tasks.base import Batch, Task, on_device
from assistant.distillation.terms import LossInput, TeacherRows
from assistant.errors import StorageError, TrainingError, UsageError
from indexes.files import storage_errors, write_atomically

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class StoreIdentity:
    """What stored rows depend on; with any of it changed they mean something else.

    `template` says how inputs are laid out, the order of passages included.
    """

    teacher: str
    task: str
    template: str
    tokenizer: str

    @classmethod
    def of(cls, task: Task, teacher: str) -> StoreIdentity:
        return cls(teacher, task.name, task.template, tokenizer_hash(task.tokenizer))


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The rows of one example: (R, k) and (R,)."""

    ids: NDArray[np.int32]
    logprobs: NDArray[np.float16]
    tails: NDArray[np.float16]


class LogitStore:
    """A store that is read, and written shard by shard.

    Raises:
        StorageError: the manifest is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            self.identity = StoreIdentity(**manifest["identity"])
            self.k = int(manifest["k"])
            self._shards: list[str] = list(manifest["shards"])
        except FileNotFoundError as error:
            raise StorageError(
                f"{folder} is no store of log-probabilities", remedy="write it first"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"{folder / MANIFEST} is damaged: {error}", remedy="delete the store, write it anew"
            ) from error
        self._places: dict[str, tuple[str, int, int]] = {}
        for shard in self._shards:
            self._read_keys(shard)
        self._open: dict[str, StoredRows] = {}

    @classmethod
    def create(cls, folder: Path, identity: StoreIdentity, k: int) -> LogitStore:
        """A new store, or the one that is there if it is of the same identity.

        Raises:
            UsageError: it is of another one; the reason is said.
        """
        if (folder / MANIFEST).is_file():
            store = cls(folder)
            store.require(identity)
            if store.k != k:
                raise UsageError(
                    f"{folder} keeps {store.k} choices of a row, not {k}",
                    remedy="write another store",
                )
            return store
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _write_manifest(folder, identity, k, [])
        return cls(folder)

    def require(self, identity: StoreIdentity) -> None:
        """Refuse to be used for something else than what was stored.

        Raises:
            UsageError: naming what differs.
        """
        for name, ours in asdict(self.identity).items():
            theirs = getattr(identity, name)
            if ours != theirs and theirs:
                raise UsageError(
                    f"the stored log-probabilities of {self.folder} are of another {name}: "
                    f"'{ours[:60]}', and not '{theirs[:60]}'",
                    remedy="store them again with this recipe's task and teacher",
                )

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def get(self, key: str) -> StoredRows:
        """The rows of an example.

        Raises:
            TrainingError: it is not in the store.
        """
        if key not in self._places:
            raise TrainingError(
                f"the store {self.folder} has no rows of the example '{key}'",
                remedy="write the store for all the training data",
            )
        shard, start, stop = self._places[key]
        rows = self._shard(shard)
        part = slice(start, stop)
        return StoredRows(rows.ids[part], rows.logprobs[part], rows.tails[part])

    def add(self, entries: list[tuple[str, StoredRows]]) -> None:
        """Write one shard.

        Raises:
            StorageError: the disk is full; what was stored before stays readable.
        """
        name = f"{len(self._shards):05d}"
        with storage_errors(self.folder):
            try:
                for field in ("ids", "logprobs", "tails"):
                    # through memory: numpy's own writing hides why it failed
                    buffer = io.BytesIO()
                    np.save(buffer, np.concatenate([getattr(rows, field) for _, rows in entries]))
                    write_atomically(self.folder / f"{name}.{field}.npy", buffer.getvalue())
                keys = [(key, len(rows.tails)) for key, rows in entries]
                data = json.dumps(keys, ensure_ascii=False).encode()
                write_atomically(self.folder / f"{name}.keys.json", data)
                _write_manifest(self.folder, self.identity, self.k, [*self._shards, name])
            except OSError:
                for path in self.folder.glob(f"{name}.*"):
                    path.unlink(missing_ok=True)
                raise
        self._shards.append(name)
        self._read_keys(name)

    def _read_keys(self, shard: str) -> None:
        at = 0
        try:
            keys = json.loads((self.folder / f"{shard}.keys.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{self.folder}: the shard {shard} is damaged: {error}",
                remedy="delete the store, write it anew",
            ) from error
        for key, count in keys:
            self._places[key] = (shard, at, at + count)
            at += count

    def _shard(self, name: str) -> StoredRows:
        if name not in self._open:
            try:
                self._open[name] = StoredRows(
                    *(
                        np.load(self.folder / f"{name}.{field}.npy", mmap_mode="r")
                        for field in ("ids", "logprobs", "tails")
                    )
                )
            except (OSError, ValueError) as error:
                raise StorageError(
                    f"{self.folder}: the shard {name} is damaged: {error}",
                    remedy="delete the store, write it anew",
                ) from error
        return self._open[name]


def _write_manifest(folder: Path, identity: StoreIdentity, k: int, shards: list[str]) -> None:
    manifest = {"format": FORMAT, "identity": asdict(identity), "k": k, "shards": shards}
    data = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    write_atomically(folder / MANIFEST, data)


class StoreTeacher:
    """A teacher that looks its rows up."""

    def __init__(self, store: LogitStore) -> None:
        self._store = store
        self.id = store.identity.teacher

    @classmethod
    def open(cls, folder: Path, task: Task) -> StoreTeacher:
        """The store as the teacher of a task.

        Raises:
            UsageError: it is of another task, template or tokenizer.
        """
        store = LogitStore(folder)
        store.require(StoreIdentity.of(task, ""))
        if task.recipe.sampling.kind != "teacher-forced":
            raise UsageError(
                "stored log-probabilities know nothing of what the student samples",
                remedy="set sampling.kind to teacher-forced, or take a model as teacher",
            )
        return cls(store)

    def rows(self, batch: Batch, student: LossInput) -> TeacherRows:
        found = [self._store.get(key) for key in batch["keys"]]
        counts = torch.bincount(student.sequences, minlength=len(found)).tolist()
        for key, rows, count in zip(batch["keys"], found, counts, strict=True):
            if len(rows.tails) != count:
                raise TrainingError(
                    f"the store has {len(rows.tails)} rows of '{key}', and the example {count}",
                    remedy="the data changed since: store the log-probabilities again",
                )
        device = student.logits.device

        def joined(field: str) -> torch.Tensor:
            parts = [np.asarray(getattr(rows, field)) for rows in found]
            return torch.from_numpy(np.concatenate(parts)).to(device)

        return TeacherRows(
            joined("ids").long(), joined("logprobs").float(), joined("tails").float()
        )


def store_logits(
    task: Task, teacher: Any, store: LogitStore, *, batch_size: int = 8, shard: int = 2000
) -> Iterator[int]:
    """Write the rows of all training units that the store has not yet; yields how many it has.

    Args:
        teacher: a `Teacher` whose rows name `store.k` choices.
        shard: examples of one shard: what a kill can lose.
    """
    device = next(teacher.models[0].parameters()).device
    waiting: list[tuple[str, StoredRows]] = []
    for units in _missing(task, store, batch_size):
        batch = task.collate(units)
        moved = on_device(batch, device)
        with torch.no_grad():
            student = task.rows(teacher.models[0], moved)
            rows = teacher.rows(moved, student)
        counts = torch.bincount(student.sequences, minlength=len(batch["keys"])).tolist()
        at = 0
        for key, count in zip(batch["keys"], counts, strict=True):
            waiting.append((key, _stored(rows, slice(at, at + count), store.k)))
            at += count
        if len(waiting) >= shard:
            store.add(waiting)
            waiting = []
            yield len(store)
    if waiting:
        store.add(waiting)
        yield len(store)


def _missing(task: Task, store: LogitStore, batch_size: int) -> Iterable[NDArray[np.int64]]:
    order = np.argsort(task.units.lengths, kind="stable")
    for at in range(0, len(order), batch_size):
        units = order[at : at + batch_size]
        if not all(key in store for key in task.collate(units)["keys"]):
            yield units


def _stored(rows: TeacherRows, part: slice, k: int) -> StoredRows:
    """In half precision; a row with fewer than k choices is filled up with choices of no mass."""
    ids = rows.ids[part].cpu().numpy().astype(np.int32)
    logprobs = rows.logprobs[part].cpu().numpy()
    if logprobs.shape[1] > k:
        order = np.argsort(-logprobs, axis=1, kind="stable")[:, :k]
        ids = np.take_along_axis(ids, order, 1)
        logprobs = np.take_along_axis(logprobs, order, 1)
        tails = np.log1p(-np.clip(np.exp(logprobs).sum(1), None, 1 - 1e-7))
    else:
        tails = rows.tail[part].cpu().numpy()
        fill = ((0, 0), (0, k - logprobs.shape[1]))
        ids = np.pad(ids, fill)
        logprobs = np.pad(logprobs, fill, constant_values=-np.inf)
    return StoredRows(ids, logprobs.astype(np.float16), tails.astype(np.float16))
