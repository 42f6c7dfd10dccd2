"""Which weights can play which role, and which indexes were encoded by others than those chosen."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.errors import KnowledgeAssistantError
from assistant.models.shipped import SMALL_EMBEDDER
from assistant.models.store import ModelStatus
from assistant.settings import Settings
from assistant.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Role:
    """A setting that names weights, what can be chosen for it, and whether indexes depend on it."""

    setting: str
    title: str
    choices: tuple[str, ...]
    now: str
    encodes: bool = False


@dataclass(frozen=True, slots=True)
class StaleIndex:
    """An index with searches whose encodings are of other weights than those of the settings."""

    name: str
    passages: int
    stages: tuple[str, ...]


def roles(settings: Settings, models: Sequence[ModelStatus]) -> list[Role]:
    """Every role, with what is installed for it; what is in force is always among the choices."""
    installed = [model for model in models if model.state == "installed"]

    def of(role: str) -> list[str]:
        return [model.name for model in installed if model.role == role]

    embedders = of("embedder")
    has_minilm = "minilm" in embedders
    if has_minilm:
        embedders.append(SMALL_EMBEDDER)
    answerers = of("answerer")
    readers = ["auto", *(["answerer"] if answerers else []), *(["small"] if has_minilm else [])]
    readers += ["remote"] if settings.models.remote_url else []
    rerankers = ["off", *(["distilled"] if has_minilm else [])]
    rerankers += ["late-interaction"] if embedders else []
    chosen = settings.models
    return [
        _role("models.embedder", "Embedder (by meaning)", embedders, chosen.embedder, True),
        _role("models.sparse", "Sparse (by related words)", of("sparse"), chosen.sparse, True),
        _role("retrieval.reranker", "Reranker", rerankers, settings.retrieval.reranker),
        _role(
            "answering.reader",
            "Who writes answers",
            [*readers, "extractive"],
            settings.answering.reader,
        ),
        _role("models.answerer", "Language model", answerers, chosen.answerer),
    ]


def stale_indexes(workspace: Workspace) -> list[StaleIndex]:
    """Indexes that are searched without their encodings until they are encoded again.

    Loads the encoders. Where their weights are missing, nothing is said about that stage.
    """
    now: dict[str, str] = {}
    with contextlib.suppress(KnowledgeAssistantError):
        now["dense"] = workspace.encoders.dense().fingerprint
    with contextlib.suppress(KnowledgeAssistantError):
        now["sparse"] = workspace.encoders.sparse().fingerprint
    found = []
    for manifest in workspace.indexes():
        own = workspace.adapted.wanted(workspace.index_folder(manifest.name)) or now.get("dense")
        stages = tuple(
            stage
            for stage, made_by in manifest.stages.items()
            if stage in now and made_by.fingerprint != (own if stage == "dense" else now[stage])
        )
        if stages:
            found.append(StaleIndex(manifest.name, manifest.passages, stages))
    return found


def _role(
    setting: str, title: str, choices: Sequence[str], now: str, encodes: bool = False
) -> Role:
    known = choices if now in choices else [now, *choices]
    return Role(setting, title, tuple(known), now, encodes)
