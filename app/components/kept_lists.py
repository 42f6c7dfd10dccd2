"""What the stages gave for a query, kept for the session: weights are tried without searching."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.components.weighing import deepest
from assistant.settings import Settings
from indexes.explaining.explain import StageLists, stage_lists
from indexes.explaining.locating import Location, locate
from indexes.explaining.why_not import all_lists
from indexes.index import Index

_KEPT = "kept-lists"
_MOST = 8


class KeptLists:
    """Searches once for each query and state of index and models."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def first(self, index: Index, query: str) -> StageLists:
        """The lists as deep as the sliders reach.

        Raises:
            KnowledgeAssistantError: as `stage_lists`.
        """
        depth = deepest(self._settings)
        found: StageLists = self._kept(
            index, ("first", depth, query), lambda: stage_lists(index, query, depth=depth)
        )
        return found

    def whole(self, index: Index, query: str) -> StageLists:
        """The lists of all passages."""
        found: StageLists = self._kept(index, ("all", query), lambda: all_lists(index, query))
        return found

    def place(self, index: Index, wanted: str) -> Location:
        """Where a passage is that is asked about."""
        found: Location = self._kept(index, ("place", wanted), lambda: locate(index, wanted))
        return found

    @staticmethod
    def forget() -> None:
        """Search anew: weights of models may have been fetched meanwhile."""
        st.session_state.pop(_KEPT, None)

    def _kept(self, index: Index, what: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        manifest = index.manifest
        stages = tuple(stage.fingerprint for stage in manifest.stages.values())
        key = (what, manifest.name, manifest.generation, stages, self._settings.models)
        kept: dict[Any, Any] = st.session_state.setdefault(_KEPT, {})
        if key not in kept:
            with st.spinner("Searching…"):
                kept[key] = make()
            while len(kept) > _MOST:
                kept.pop(next(iter(kept)))
        return kept[key]
