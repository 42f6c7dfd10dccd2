"""Moments in words. Nothing here draws."""

from __future__ import annotations

from datetime import datetime


def moment(written: str) -> str:
    """`27 Nov 2026, 21:40` in this computer's time, of ISO 8601; as it is where it is not that."""
    try:
        local = datetime.fromisoformat(written).astimezone()
    except ValueError:
        return written
    return f"{local.day} {local:%b %Y, %H:%M}"
