"""The graphs of a workspace's indexes: opened, asked for knowledge, kept beside their index.

Imported when a graph is first needed: it brings networkx and the operations with it, which a
command that has nothing to do with graphs should not wait for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.thoughts.extraction.deterministic import DeterministicExtractor
from assistant.thoughts.extraction.types import Extractor
from assistant.thoughts.knowledge import Knowledge, NowReader
from assistant.thoughts.persistent.companion import GraphCompanion, serves
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.persistent.schema import GRAPH_FILE
from assistant.understanding.parser import Parser
from indexes.companions import Companion
from indexes.manifest import Manifest
from indexes.progress import OnProgress

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

# That read an index's passages into its graph; each takes about 200 MB.
MOST_PROCESSES = 4


class IndexGraphs:
    """The graphs of indexes by folder. Safe to share between threads.

    Args:
        parser: reads passages by rules.
    """

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._open: dict[Path, KnowledgeGraph] = {}
        self._lock = threading.Lock()

    @cached_property
    def _now_reader(self) -> NowReader:
        return NowReader(DeterministicExtractor(self._parser))

    def of(self, folder: Path) -> KnowledgeGraph | None:
        """The graph kept in an index's folder; None where there is none."""
        path = folder / GRAPH_FILE
        if not path.is_file():
            return None
        fallback = self._now_reader if self._parser.installed else None
        with self._lock:  # one for all threads: it keeps the links in memory
            return self._open.setdefault(folder, KnowledgeGraph(path, fallback))

    def knowledge(self, folder: Path, manifest: Manifest) -> Knowledge:
        """What the passages of an index mention and state: from its graph where it has one of
        this state or nearly, else read on the spot.

        Raises:
            ModelMissingError: the parser's weights are not installed.
        """
        self._parser.folder  # noqa: B018 - raises where there are no weights
        graph = self.of(folder)
        return graph if graph is not None and serves(graph, manifest) else self._now_reader

    def companions(
        self, extract: str, model: Callable[[], tuple[BaseChatModel, str]], on_progress: OnProgress
    ) -> list[Companion]:
        """What follows an index: its graph, if that is wanted and can be made.

        Args:
            extract: the setting `thoughts.graph`.
            model: gives the model that reads passages, and its name.

        Raises:
            ModelMissingError: a model is to read the passages, and there is none.
        """
        extractor: Extractor
        if extract == "rules" or (extract == "auto" and self._parser.installed):
            processes = min(MOST_PROCESSES, os.cpu_count() or 1)
            extractor = DeterministicExtractor(self._parser, processes=processes)
        elif extract == "model":
            from assistant.thoughts.extraction.model import ModelExtractor

            extractor = ModelExtractor(*model())
        else:
            return []
        return [GraphCompanion(extractor, on_progress)]
