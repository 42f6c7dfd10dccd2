"""Seconds of a turn by step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds by step of a turn."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - began

    def first(self, name: str) -> None:
        """Note a moment, counted from the beginning of the turn, the first time only."""
        self.seconds.setdefault(name, time.monotonic() - self._began)

    def finished(self) -> dict[str, float]:
        """Seconds by step and in total, to the millisecond."""
        seconds = {**self.seconds, "total": time.monotonic() - self._began}
        return {name: round(value, 3) for name, value in seconds.items()}
