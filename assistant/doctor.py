"""A health check of an installation: what stands how, and which command would mend it.

Reading only: nothing is repaired here. A mend is a command line, which the page runs as a job and
`assistant doctor --mend` in the terminal.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from assistant.errors import KnowledgeAssistantError, ModelRuntimeError
from assistant.findings import Finding, Mend
from assistant.index_health import index_findings, watch_findings
from assistant.models.shipped import (
    CONVERSATION,
    READER_SPAN,
    READER_WORDS,
    REWRITER,
    REWRITER_WRITES,
    shipped,
)
from assistant.tidying import rubbish
from assistant.workspace import Workspace

__all__ = ["Finding", "Mend", "examine"]

_LOW_DISK = 2 * 1024**3


def examine(workspace: Workspace) -> list[Finding]:
    """All checks, in the order of what depends on what."""
    return [
        *_system(workspace),
        *_libraries(),
        *_weights(workspace),
        *index_findings(workspace),
        *watch_findings(workspace),
        *_conversations(workspace),
        *_left(workspace),
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
            mend = _fetch(workspace, name)
            yield Finding(role, "error", error.message, error.remedy, "Models", mend)
        else:
            yield Finding(role, "ok", name, group="Models")
    try:
        workspace.models.path(models.answerer)
    except KnowledgeAssistantError as error:
        note = f"{error.message}; the small reader answers"
        mend = _fetch(workspace, models.answerer)
        yield Finding("answerer", "note", note, error.remedy, "Models", mend)
    else:
        yield Finding("answerer", "ok", models.answerer, group="Models")
    yield from _small_reader(workspace)
    rules = "rules stand in"
    yield from _adapter(workspace, "rewriter", REWRITER, "minilm", otherwise=rules)
    if workspace.settings.understanding.way == "small":
        what, base = "rewriter that writes", "smollm2-135m"
        yield from _adapter(workspace, what, REWRITER_WRITES, base, otherwise=rules)
    if workspace.settings.understanding.vector == "conversation":
        otherwise = "follow-ups are searched for by the vector of their words"
        what, base = "encoder of messages", "minilm"
        yield from _adapter(workspace, what, CONVERSATION, base, otherwise=otherwise)


def _fetch(workspace: Workspace, name: str) -> Mend | None:
    """Fetching weights of the catalogue; what a person registered is theirs to bring back."""
    status = {model.name: model for model in workspace.models.status()}.get(name)
    if status is None or not status.bytes or status.state == "installed":
        return None
    label = "Go on fetching" if status.state == "partial" else "Fetch"
    size = f"{status.bytes / 1e6:,.0f} MB"
    return Mend(f"{label} {name} ({size})", f"fetch {name}", ("models", "fetch", name))


def _small_reader(workspace: Workspace) -> Iterator[Finding]:
    try:
        shipped(READER_SPAN)
        workspace.models.path("minilm")
    except KnowledgeAssistantError as error:
        note = f"{error.message}; without the answerer, answers are quoted"
        mend = _fetch(workspace, "minilm")
        yield Finding("small reader", "error", note, error.remedy, "Models", mend)
        return
    try:
        shipped(READER_WORDS)
        workspace.models.path("smollm2-135m")
    except KnowledgeAssistantError as error:
        note, mend = f"{error.message}; it quotes", _fetch(workspace, "smollm2-135m")
        yield Finding("small reader", "note", note, error.remedy, "Models", mend)
    else:
        yield Finding("small reader", "ok", "reader-span, reader-words", group="Models")


def _adapter(
    workspace: Workspace, what: str, name: str, base: str, *, otherwise: str
) -> Iterator[Finding]:
    """A shipped adapter, which needs the model that it builds on."""
    try:
        shipped(name)
        if workspace.models.path(base).suffix == ".gguf" and not find_spec("xllamacpp"):
            raise ModelRuntimeError(
                "the GGUF runtime is not installed",
                remedy="pip install 'knowledge-assistant[llm]'",
            )
    except KnowledgeAssistantError as error:
        note, mend = f"{error.message}; {otherwise}", _fetch(workspace, base)
        yield Finding(what, "note", note, error.remedy, "Models", mend)
    else:
        yield Finding(what, "ok", name, group="Models")


def _conversations(workspace: Workspace) -> Iterator[Finding]:
    try:
        count = len(workspace.conversations.list())
    except KnowledgeAssistantError as error:
        yield Finding("conversations", "error", error.message, error.remedy, "What is kept")
    else:
        yield Finding("conversations", "ok", f"{count} kept", group="What is kept")


def _left(workspace: Workspace) -> Iterator[Finding]:
    try:
        found = rubbish(workspace.settings)
    except (KnowledgeAssistantError, OSError) as error:
        yield Finding("leftovers", "note", f"not looked for: {error}", group="What is kept")
        return
    if not found:
        yield Finding("leftovers", "ok", "none", group="What is kept")
        return
    size = sum(item.bytes for item in found)
    in_words = f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"
    parts = [f"{kind} of {item.of}" for item in found for kind in [_KINDS[item.kind]]]
    yield Finding(
        "leftovers",
        "note",
        f"{', '.join(parts)}; {in_words}",
        "assistant tidy",
        "What is kept",
        Mend("Remove them", "tidy", ("tidy",)),
    )


_KINDS = {"leftover": "files of a killed build", "work": "list entry of work that failed"}
