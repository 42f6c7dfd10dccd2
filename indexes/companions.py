"""What is kept beside an index and follows it: told after each publication, under the same lock."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from indexes.errors import KnowledgeAssistantError
from indexes.manifest import Manifest

_log = logging.getLogger(__name__)


class Companion(Protocol):
    """Something made from an index that lies in its folder, and goes when the folder does."""

    def follow(self, folder: Path, manifest: Manifest) -> tuple[str, ...]:
        """Come to the state of the published generation `folder / manifest.generation`.

        Called also when nothing has changed, so that one that is missing gets made. Whatever it
        raises is noted and fails nothing.

        Returns:
            what the person should know, a sentence each.
        """
        ...


def follow_all(
    companions: Iterable[Companion], folder: Path, manifest: Manifest
) -> tuple[str, ...]:
    """Let each companion follow; returns their notes and what went wrong, in words."""
    notes: list[str] = []
    for companion in companions:
        try:
            notes += companion.follow(folder, manifest)
        except KnowledgeAssistantError as error:
            _log.warning("a companion of index %s failed: %s", folder.name, error)
            remedy = f" ({error.remedy})" if error.remedy else ""
            notes.append(f"{error.message}{remedy}")
        except Exception as error:  # noqa: BLE001 - the index is published and stays so
            _log.exception("a companion of index %s failed", folder.name)
            notes.append(f"{type(error).__name__}: {error}")
    return tuple(notes)
