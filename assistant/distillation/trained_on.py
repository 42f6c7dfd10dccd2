"""Which passages a shipped model was trained on, as hashes: enough to refuse to report on them.

`passages.sha256` holds the first eight bytes of each passage's hash (`disjoint.text_key`), sorted.
With twenty thousand of them, another passage is taken for one of them with a chance of 1e-15.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assistant.distillation.disjoint import text_key
from assistant.errors import ModelCorruptError
from indexes.files import storage_errors

FILE = "passages.sha256"
_BYTES = 8


def write_hashes(passages: Iterable[str], folder: Path) -> int:
    """Write the hashes of passages into a folder; returns how many there are.

    Raises:
        StorageError: it cannot be written.
    """
    kept = sorted({_short(text) for text in passages})
    with storage_errors(folder):
        (folder / FILE).write_bytes(b"".join(kept))
    return len(kept)


def trained_on(passages: Iterable[str], folder: Path) -> list[str]:
    """Those of the passages that a model was trained on; none where it keeps no hashes.

    Raises:
        ModelCorruptError: the file of hashes is not whole.
    """
    file = folder / FILE
    if not file.is_file():
        return []
    data = file.read_bytes()
    if len(data) % _BYTES:
        raise ModelCorruptError(f"{file} is not whole", remedy="install the assistant again")
    known = {data[at : at + _BYTES] for at in range(0, len(data), _BYTES)}
    return [text for text in passages if _short(text) in known]


def _short(text: str) -> bytes:
    return bytes.fromhex(text_key(text))[:_BYTES]
