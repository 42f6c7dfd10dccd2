"""The manifest of an index: which generation is published, and what it was made of.

NAME/
├── manifest.json        replaced in one step; what it names is complete
├── writer.lock          one writer at a time; the lock of a dead process is free
├── encodings.sqlite     encodings by text, so that nothing is encoded twice
├── graph.sqlite         what the documents say as a graph, where one is made (see `assistant`)
└── g000007/             one generation; never changed except by adding a finished stage
    ├── passages.sqlite  documents and passages: the truth
    ├── lexical/  dense/  sparse/
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexes.documents import ReadFailure
from indexes.errors import IndexCorruptError, IndexFormatError, IndexNotFoundError, UsageError
from indexes.files import write_atomically

FORMAT = 2
STAGES = ("lexical", "dense", "sparse")
MANIFEST = "manifest.json"
STORE_FILE = "passages.sqlite"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True)
class Stage:
    """A finished search structure: the fingerprint of what made it and its files' checksums.

    `rate` is how many passages a second its encoder did when it was last at work; 0 where nothing
    is known. Estimates of what a change would cost rest on it.
    """

    fingerprint: str
    files: dict[str, str] = field(default_factory=dict)
    rate: float = 0.0


@dataclass(slots=True)
class Manifest:
    """What is published. `sources` are specs that `open_source` understands."""

    name: str
    generation: str
    sources: list[str]
    documents: int
    passages: int
    chunker: str
    store_checksum: str
    excluded: list[str] = field(default_factory=list)
    failures: list[ReadFailure] = field(default_factory=list)
    stages: dict[str, Stage] = field(default_factory=dict)
    created: str = field(default_factory=lambda: now())
    updated: str = field(default_factory=lambda: now())
    format: int = FORMAT

    @property
    def missing_stages(self) -> tuple[str, ...]:
        return tuple(stage for stage in STAGES if stage not in self.stages)

    def write(self, folder: Path) -> None:
        """Publish: from here on readers see this manifest.

        A copy lies in the generation, so that a lost or damaged manifest can be put back.
        """
        values = dataclasses.asdict(self)
        data = _as_text({**values, "checksum": _checksum(values)}).encode()
        if (folder / self.generation).is_dir():
            write_atomically(folder / self.generation / MANIFEST, data)
        write_atomically(folder / MANIFEST, data)


def _as_text(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1)


def _checksum(values: dict[str, Any]) -> str:
    return hashlib.sha256(_as_text(values).encode("utf-8", "surrogatepass")).hexdigest()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_manifest(folder: Path) -> Manifest:
    """The published manifest of the index in `folder`.

    Raises:
        IndexNotFoundError: there is none.
        IndexFormatError: it was written by another version.
        IndexCorruptError: it cannot be understood.
    """
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = values["format"]
    except FileNotFoundError as error:
        raise IndexNotFoundError(
            f"there is no index '{folder.name}'",
            remedy=f"build it: assistant index build {folder.name} --from FOLDER",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise IndexCorruptError(
            f"the manifest of index '{folder.name}' is damaged",
            remedy=f"assistant index repair {folder.name}",
        ) from error
    if version != FORMAT:
        older = isinstance(version, int) and version < FORMAT
        upgrade = f"run: assistant index upgrade {folder.name}"
        anew = f"build it anew: assistant index build {folder.name} --fresh"
        raise IndexFormatError(
            f"index '{folder.name}' has format {version}, this version reads {FORMAT}",
            remedy=upgrade if older else anew,
        )
    try:
        noted = values.pop("checksum", None)
        if noted is not None and noted != _checksum(values):
            raise KeyError("its checksum is another")
        values["failures"] = [ReadFailure(**failure) for failure in values["failures"]]
        values["stages"] = {name: Stage(**stage) for name, stage in values["stages"].items()}
        return Manifest(**values)
    except (KeyError, TypeError, AttributeError) as error:
        raise IndexCorruptError(
            f"the manifest of index '{folder.name}' is damaged: {error}",
            remedy=f"assistant index repair {folder.name}",
        ) from error


@dataclass(frozen=True, slots=True)
class Remains:
    """What can be read of a manifest whatever its state: enough to build the index anew."""

    sources: list[str]
    excluded: list[str]


def read_remains(folder: Path) -> Remains:
    """Sources and exclusions of an index, also of a damaged one or one of another format."""
    try:
        values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Remains(
            [str(spec) for spec in values.get("sources", [])],
            [str(uri) for uri in values.get("excluded", [])],
        )
    except (OSError, ValueError, AttributeError, TypeError):
        return Remains([], [])


def check_name(name: str) -> str:
    """An index's name is a folder's name, so only harmless characters.

    Raises:
        UsageError: it has others.
    """
    if not _NAME.fullmatch(name) or name.endswith((".partial", ".")):
        raise UsageError(
            f"'{name}' cannot be an index's name",
            remedy="use letters, digits, '.', '_' and '-', at most 64, beginning with a letter",
        )
    return name


def generation_after(folder: Path) -> str:
    """The name of the next generation: one more than any folder that exists."""
    numbers = [int(path.name[1:7]) for path in folder.glob("g[0-9][0-9][0-9][0-9][0-9][0-9]*")]
    return f"g{max(numbers, default=0) + 1:06d}"
