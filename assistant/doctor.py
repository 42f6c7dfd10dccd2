"""A health check of an installation. Reading only: nothing is repaired here."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Literal

from assistant.errors import KnowledgeAssistantError
from assistant.workspace import Workspace
from indexes.manifest import MANIFEST, Manifest

_LOW_DISK = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One result. A note is worth knowing, an error stops something from working."""

    check: str
    severity: Literal["ok", "note", "error"]
    message: str
    remedy: str = ""


def examine(workspace: Workspace) -> list[Finding]:
    """All checks, in the order of what depends on what."""
    return [
        *_system(workspace),
        *_libraries(),
        *_weights(workspace),
        *_indexes(workspace),
        *_conversations(workspace),
    ]


def _system(workspace: Workspace) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} on {sys.platform}")
    free = workspace.free_bytes()
    gigabytes = f"{free / 1024**3:.1f} GB free in {workspace.settings.home}"
    if free < _LOW_DISK:
        yield Finding("disk", "note", gigabytes, "free some space before indexing large folders")
    else:
        yield Finding("disk", "ok", gigabytes)


def _libraries() -> Iterator[Finding]:
    faiss = [name for name in ("faiss-cpu", "faiss-gpu") if _installed(name)]
    if len(faiss) == 1:
        yield Finding("faiss", "ok", f"{faiss[0]} {version(faiss[0])}")
    else:
        found = " and ".join(faiss) or "neither faiss-cpu nor faiss-gpu"
        yield Finding(
            "faiss",
            "error",
            f"{found} installed; exactly one is needed",
            "pip uninstall faiss-cpu faiss-gpu, then pip install 'knowledge-assistant[cpu]'",
        )
    if find_spec("xllamacpp"):
        yield Finding("GGUF runtime", "ok", f"xllamacpp {version('xllamacpp')}")
    else:
        yield Finding(
            "GGUF runtime",
            "note",
            "not installed: answers are quoted, not written",
            "pip install 'knowledge-assistant[llm]'",
        )


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _weights(workspace: Workspace) -> Iterator[Finding]:
    models = workspace.settings.models
    needed = {"embedder": models.embedder, "sparse encoder": models.sparse, "parser": models.parser}
    for role, name in needed.items():
        try:
            workspace.models.path(name)
        except KnowledgeAssistantError as error:
            yield Finding(role, "error", error.message, error.remedy)
        else:
            yield Finding(role, "ok", name)
    try:
        workspace.models.path(models.answerer)
    except KnowledgeAssistantError as error:
        yield Finding("answerer", "note", f"{error.message}; answers are quoted", error.remedy)
    else:
        yield Finding("answerer", "ok", models.answerer)


def _indexes(workspace: Workspace) -> Iterator[Finding]:
    names = [folder.name for folder in sorted(workspace.settings.indexes_folder.iterdir())]
    for name in names:
        if not (workspace.settings.indexes_folder / name / MANIFEST).exists():
            yield Finding(
                f"index {name}",
                "note",
                "nothing is published yet",
                f"wait for its first build, or go on: assistant index build {name} --from FOLDER",
            )
            continue
        try:
            manifest = workspace.index(name).manifest
        except KnowledgeAssistantError as error:
            yield Finding(f"index {name}", "error", error.message, error.remedy)
        else:
            yield from _index(manifest)
    default = workspace.settings.retrieval.index
    if default not in names:
        yield Finding(
            f"index {default}",
            "note",
            "the default index does not exist yet",
            "open the page once (assistant app), or: assistant index build NAME --from FOLDER",
        )


def _index(manifest: Manifest) -> Iterator[Finding]:
    counts = f"{manifest.documents:,} documents, {manifest.passages:,} passages"
    if manifest.missing_stages:
        yield Finding(
            f"index {manifest.name}",
            "note",
            f"{counts}; not encoded yet: {', '.join(manifest.missing_stages)}",
            f"wait for the job, or go on: assistant index build {manifest.name}",
        )
    else:
        yield Finding(f"index {manifest.name}", "ok", counts)


def _conversations(workspace: Workspace) -> Iterator[Finding]:
    try:
        count = len(workspace.conversations.list())
    except KnowledgeAssistantError as error:
        yield Finding("conversations", "error", error.message, error.remedy)
    else:
        yield Finding("conversations", "ok", f"{count} kept")
