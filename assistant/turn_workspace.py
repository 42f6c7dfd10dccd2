"""The workspace as one turn sees it: with its own choices, and the files of its conversation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from pydantic import BaseModel, ValidationError

from assistant.errors import (
    IndexNotFoundError,
    KnowledgeAssistantError,
    UnknownNameError,
    UsageError,
)
from assistant.fusing import together
from assistant.options import TurnOptions
from assistant.settings import Settings
from assistant.thoughts.knowledge import Knowledge
from assistant.workspace import Workspace
from indexes.filters import Filter
from indexes.index import Index, SearchResult
from indexes.queries import Query

# What is loaded once for the process: opened here before it is shared, so that no turn has a
# second one.
_SHARED = (
    "models",
    "encoders",
    "adapted",
    "parser",
    "_graphs",
    "conversations",
    "person",
    "loaded",
    "attachments",
    "versions",
)


class TurnWorkspace(Workspace):
    """Shares all that `base` has loaded; settings and what is searched are its own.

    Args:
        beside: an index that is searched together with the one that is asked; where that one is
            not there, it stands for it.

    Raises:
        UsageError: a choice is none of those that the setting takes.
    """

    def __init__(self, base: Workspace, options: TurnOptions, beside: Index | None = None) -> None:
        for name in _SHARED:
            getattr(base, name)
        with suppress(KnowledgeAssistantError):
            _ = base.refinement  # a reranker keeps its weights there
        vars(self).update(vars(base))
        self.settings = with_choices(base.settings, options)
        self._beside = beside

    def index(self, name: str) -> Index:
        """See `Workspace.index`."""
        try:
            return super().index(name)
        except (IndexNotFoundError, UnknownNameError):
            if self._beside is None:
                raise
            return self._beside

    def knowledge(self, index: str) -> Knowledge:
        """See `Workspace.knowledge`. With attached files everything is read on the spot: the walk
        over an index's own graph would carry its passages past those that are not in it."""
        if self._beside is None:
            return super().knowledge(index)
        return self._graphs.knowledge(self._beside.folder, self._beside.manifest)

    def search(
        self,
        index: str,
        query: str | Sequence[Query],
        *,
        limit: int | None = None,
        fusion: str = "min-max",
        without: Collection[int] = (),
        where: Filter | None = None,
    ) -> SearchResult:
        """See `Workspace.search`. Attached files are searched whatever `where` says."""
        beside = self._beside
        alone = beside is not None and self.index(index) is beside
        first = super().search(
            index,
            query,
            limit=limit,
            fusion=fusion,
            without=without,
            where=None if alone else where,
        )
        if beside is None or alone or not beside.manifest.passages:
            return first
        retrieval = self.settings.retrieval
        second = beside.search(
            query,
            limit=limit or retrieval.passages,
            depth=retrieval.depth,
            weights=retrieval.weights,
            fusion=fusion,
            refinement=self.refinement,
        )
        return together(first, second, retrieval.weights, limit or retrieval.passages)


def with_choices(settings: Settings, options: TurnOptions) -> Settings:
    """The settings with a turn's choices in their place.

    Raises:
        UsageError: a choice is none of those that the setting takes.
    """
    changed: dict[str, BaseModel] = {}
    for key, value in options.settings.items():
        name, _, field = key.partition(".")
        section: BaseModel = changed.get(name) or getattr(settings, name)
        try:
            changed[name] = type(section).model_validate({**section.model_dump(), field: value})
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise UsageError(f"'{value}' cannot be chosen for {field}: {reason}") from error
    return settings.model_copy(update=changed)
