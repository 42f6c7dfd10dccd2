"""Sorted strings on disk, found by bisection, so that opening them costs nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt


class Vocabulary:
    """Distinct strings in the order of their UTF-8 bytes; a string's number is its place.

    Files: NAME.text.npy, the strings in UTF-8 with a newline after each (bytes), and
    NAME.starts.npy, where each begins (int64, of shape (strings + 1,)).
    """

    def __init__(self, text: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> None:
        self._text, self._starts = text, starts

    @classmethod
    def write(cls, strings: Sequence[str], folder: Path, name: str) -> None:
        """Write `strings`, which are sorted, distinct and hold no newline."""
        encoded = [f"{string}\n".encode() for string in strings]
        lengths = np.fromiter((len(item) for item in encoded), dtype=np.int64, count=len(encoded))
        starts = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum(lengths, out=starts[1:])
        np.save(folder / f"{name}.text.npy", np.frombuffer(b"".join(encoded), dtype=np.uint8))
        np.save(folder / f"{name}.starts.npy", starts)

    @classmethod
    def open(cls, folder: Path, name: str) -> Vocabulary:
        """Open what `write` wrote, memory-mapped.

        Raises:
            OSError, ValueError: a file is missing or damaged.
        """
        text = np.load(folder / f"{name}.text.npy", mmap_mode="r")
        starts = np.load(folder / f"{name}.starts.npy", mmap_mode="r")
        if starts.ndim != 1 or not len(starts) or int(starts[-1]) != len(text):
            raise ValueError(f"{name}: the strings and their places do not fit together")
        return cls(text, starts)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._bytes(number).decode()

    def find(self, string: str) -> int:
        """The number of a string, -1 if it is not here."""
        sought = string.encode("utf-8", "surrogatepass")
        place = bisect_left(range(len(self)), sought, key=self._bytes)
        return place if place < len(self) and self._bytes(place) == sought else -1

    def strings(self) -> list[str]:
        """All of them, by number."""
        return self._text.tobytes().decode().split("\n")[:-1]

    def _bytes(self, number: int) -> bytes:
        return self._text[int(self._starts[number]) : int(self._starts[number + 1]) - 1].tobytes()
