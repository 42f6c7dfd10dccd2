"""Damaged files in words: which ones, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexes.errors import IndexCorruptError, KnowledgeAssistantError
from indexes.files import sha256_of
from indexes.manifest import STORE_FILE, Manifest


def damaged_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Which files of the published generation are not as they were written, in words."""
    place = folder / manifest.generation
    expected = {STORE_FILE: manifest.store_checksum}
    for stage in manifest.stages.values():
        expected.update(stage.files)
    for name, checksum in expected.items():
        try:
            if sha256_of(place / name) != checksum:
                yield f"{manifest.generation}/{name} was altered"
        except FileNotFoundError:
            yield f"{manifest.generation}/{name} is missing"
        except OSError as error:
            yield f"{manifest.generation}/{name} cannot be read: {error.strerror}"


@contextmanager
def damage_in_words(folder: Path, manifest: Manifest) -> Iterator[None]:
    """Say which file is damaged where a library fails on it.

    Reading the checksums of a whole index takes seconds, so they are looked at only after
    something failed; an error that no damaged file explains is let through as it is.
    """
    try:
        yield
    except KnowledgeAssistantError:
        raise
    except Exception as error:
        damaged = list(damaged_files(folder, manifest))
        if not damaged:
            raise
        raise IndexCorruptError(
            f"index '{folder.name}' is damaged: {'; '.join(damaged)}",
            remedy=f"assistant index repair {folder.name}",
        ) from error
