"""Small things that a person decided once, such as that the tour is over; one JSON file."""

from __future__ import annotations

import json
from pathlib import Path

from indexes.files import storage_errors, write_atomically

_FILE = "preferences.json"


class Preferences:
    """Texts by name in a folder of the person. Safe to share between threads and processes.

    Args:
        folder: made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE

    def get(self, name: str) -> str:
        """What was kept under this name; empty where nothing was, or the file is damaged."""
        return self._all().get(name, "")

    def keep(self, name: str, value: str) -> None:
        """Keep it; an empty text forgets it.

        Raises:
            StorageError: the file cannot be written.
        """
        kept = {key: text for key, text in {**self._all(), name: value}.items() if text}
        with storage_errors(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, json.dumps(kept, ensure_ascii=False).encode())

    def _all(self) -> dict[str, str]:
        try:
            values = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(values, dict):
            return {}
        return {str(key): text for key, text in values.items() if isinstance(text, str)}
