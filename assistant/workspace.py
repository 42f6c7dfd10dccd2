"""Everything a process shares: settings, weights, open indexes, conversations, the reader.

One `Workspace` per process. The command line makes one per call, the page keeps one.
"""

from __future__ import annotations

import copy
import shutil
import threading
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from assistant.adapting.serving import AdaptedIndexes
from assistant.errors import (
    IndexingError,
    IndexNotFoundError,
    ModelRuntimeError,
    StorageError,
    UnknownNameError,
)
from assistant.memory.stores import PersonStores
from assistant.models.encoders import LoadedEncoders
from assistant.models.loaded import LoadedModels
from assistant.models.store import ModelStore
from assistant.refining import refinement_of
from assistant.settings import Settings
from assistant.understanding.parser import Parser
from indexes.build import IndexWriter
from indexes.filters import Filter
from indexes.index import Index, SearchResult
from indexes.manifest import Manifest, check_name, read_manifest
from indexes.postgres.index import PostgresIndex, has_engine, read_engine
from indexes.postgres.writer import PostgresWriter
from indexes.progress import OnProgress
from indexes.queries import Query
from indexes.refining.refinement import Refinement

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.index_graphs import IndexGraphs
    from assistant.knowledge.searching import PreparedKnowledge
    from assistant.models.answer_cache import AnswerCache
    from assistant.thoughts.knowledge import Knowledge
    from assistant.thoughts.persistent.graph import KnowledgeGraph

# What the workspaces of several people have in common.
_SHARED = ("models", "encoders", "adapted", "parser", "loaded", "_graphs")


class Workspace(PersonStores):
    """A home folder, opened for one person: the first, or the one of `settings.person_folder`.

    Raises:
        StorageError: the home folder cannot be made or written.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._shared_with: Workspace | None = None
        try:
            settings.indexes_folder.mkdir(parents=True, exist_ok=True)
            probe = settings.home / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StorageError(
                f"the home folder {settings.home} is not writable: {error.strerror}",
                remedy="check its owner, or set ASSISTANT_HOME to another folder",
            ) from error
        self._open: dict[str, Index] = {}
        self._prepared: dict[str, PreparedKnowledge | None] = {}
        self._prepared_stamps: dict[str, tuple[object, ...]] = {}
        self._lock = threading.RLock()

    @cached_property
    def models(self) -> ModelStore:
        return ModelStore(self.settings.models_folder)

    @cached_property
    def encoders(self) -> LoadedEncoders:
        return LoadedEncoders(self.models, self.settings.models)

    @cached_property
    def adapted(self) -> AdaptedIndexes:
        """Weights that were adapted to single indexes."""
        return AdaptedIndexes(lambda: self.encoders)

    @cached_property
    def parser(self) -> Parser:
        """Parses questions and passages; loaded at first use."""
        return Parser(self.models, self.settings.models.parser)

    @cached_property
    def _graphs(self) -> IndexGraphs:
        from assistant.index_graphs import IndexGraphs

        return IndexGraphs(self.parser)

    def knowledge(self, index: str) -> Knowledge:
        """What the passages of an index mention and state: from its graph where it has one of
        this state or nearly, else read on the spot.

        Raises:
            ModelMissingError: the parser's weights are not installed.
        """
        return self._graphs.knowledge(self.index_folder(index), self.index(index).manifest)

    def graph(self, index: str) -> KnowledgeGraph | None:
        """The graph kept with an index; None where there is none.

        Raises:
            UsageError: it cannot be an index's name.
        """
        return self._graphs.of(self.index_folder(index))

    def _extracting_model(self) -> tuple[BaseChatModel, str]:
        """The remote endpoint if one is set, else the local answerer; and its name.

        Raises:
            ModelMissingError: neither is there.
        """
        models = self.settings.models
        if models.remote_url:
            return self.remote_model(), models.remote_model or "remote"
        return self.answerer(), models.answerer

    def for_person(self, folder: Path) -> Workspace:
        """The same indexes and loaded models, with the conversations and statements in `folder`."""
        other = copy.copy(self)
        for name in _SHARED:
            # Made now: what is made at first use would be made by each person's workspace.
            vars(other)[name] = getattr(self, name)
        for name, value in vars(PersonStores).items():
            if isinstance(value, cached_property):
                vars(other).pop(name, None)
        other.settings = self.settings.model_copy(update={"person_folder": folder})
        other._shared_with = self
        return other

    @cached_property
    def loaded(self) -> LoadedModels:
        """The models of this process, each loaded once."""
        return LoadedModels(self.models, self.settings)

    @property
    def answer_cache(self) -> AnswerCache | None:
        """Where whole answers of the answerer and of the rewriter that writes are kept by prompt.

        None (the default) asks anew every time. Evaluations set it before a model is first used.
        """
        return self.loaded.cache

    @answer_cache.setter
    def answer_cache(self, cache: AnswerCache | None) -> None:
        self.loaded.cache = cache

    def answerer(self) -> BaseChatModel:
        """The local language model, loaded once.

        Raises:
            ModelMissingError: its weights are not installed.
            ModelRuntimeError: the GGUF runtime is not installed.
        """
        return self.loaded.answerer()

    def remote_model(self) -> BaseChatModel:
        """The OpenAI-compatible endpoint of the settings."""
        from assistant.models.remote import remote_chat

        return remote_chat(self.settings.models)

    def index_folder(self, name: str) -> Path:
        """Where the index of that name is, or would be.

        Raises:
            UsageError: it cannot be a name.
        """
        return self.settings.indexes_folder / check_name(name)

    def index(self, name: str) -> Index:
        """The published index, opened once and opened again after it was published anew.

        Raises:
            IndexNotFoundError: with the nearest name that exists.
        """
        folder = self.index_folder(name)
        with self._lock:
            current = self._open.get(name)
            if current is not None and current.is_current:
                return current
            try:
                on_server = has_engine(folder)
                opened = (
                    PostgresIndex.open(folder, self.encoders)
                    if on_server
                    else self.adapted.open(folder)
                )
            except IndexNotFoundError:
                names = [manifest.name for manifest in self.indexes()]
                if names:
                    raise UnknownNameError("index", name, names) from None
                raise
            # The old one is not closed here: another thread may be reading it.
            self._open[name] = opened
            return opened

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
        """Search an index with the depth, weights and number of passages of the settings.

        Args:
            limit: another number of passages than that of the settings.
            without: rows that are not to be found.
            where: find passages of these documents only.

        Raises:
            IndexNotFoundError, UnknownNameError, UsageError: as `index` and `Index.search`.
        """
        retrieval = self.settings.retrieval
        return self.index(index).search(
            query,
            limit=limit or retrieval.passages,
            depth=retrieval.depth,
            weights=retrieval.weights,
            fusion=fusion,
            without=without,
            where=where,
            refinement=self.refinement_of(index),
            further=self.prepared(index),
        )

    def prepared(self, index: str) -> PreparedKnowledge | None:
        """What a teacher prepared for an index, opened for search; None where there is nothing,
        or it is not to be used."""
        from assistant.knowledge.searching import open_prepared, stamp

        wanted = self.settings.knowledge
        folder = self.index_folder(index)
        if wanted.use == "off" or wanted.weight <= 0 or has_engine(folder):
            return None
        opened = self.index(index)
        with self._lock:
            now = (opened.manifest.generation, *stamp(folder))
            if self._prepared_stamps.get(index) != now:
                self._prepared[index] = open_prepared(opened, self.encoders, wanted.weight)
                self._prepared_stamps[index] = now
            return self._prepared[index]

    @cached_property
    def refinement(self) -> Refinement:
        """What happens to a fused list, as the settings say."""
        if self._shared_with is not None:
            return self._shared_with.refinement  # it may hold a model
        return refinement_of(self.settings.retrieval, self.encoders)

    def refinement_of(self, index: str) -> Refinement:
        """The same for one index, with its own reranker where one was adapted to it."""
        return self.adapted.refinement(self.index_folder(index), self.refinement)

    def indexes(self) -> Iterator[Manifest]:
        """The manifests of all published indexes, by name; damaged ones are left out."""
        for folder in sorted(self.settings.indexes_folder.iterdir()):
            if folder.is_dir():
                try:
                    yield self._manifest(folder)
                except (IndexingError, StorageError, ModelRuntimeError):
                    continue

    def _manifest(self, folder: Path) -> Manifest:
        return self.index(folder.name).manifest if has_engine(folder) else read_manifest(folder)

    def writer(self, name: str, on_progress: OnProgress = lambda progress: None) -> IndexWriter:
        """The writer of an index; the index need not exist yet. Its graph follows it as the
        settings say (`thoughts.graph`); an index on a server has none."""
        from assistant.adapting.companion import AdaptingCompanion
        from assistant.knowledge.following import KnowledgeCompanion

        folder = self.index_folder(name)
        if has_engine(folder):
            on_server = PostgresWriter(
                read_engine(folder),
                name,
                self.encoders,
                folder=folder,
                on_progress=on_progress,
            )
            return cast(IndexWriter, on_server)  # the same methods
        return IndexWriter(
            folder,
            self.adapted.writing(folder),
            companions=[
                *self._graphs.companions(
                    self.settings.thoughts.graph, self._extracting_model, on_progress
                ),
                KnowledgeCompanion(self.encoders, on_progress),
                AdaptingCompanion(),
            ],
            on_progress=on_progress,
        )

    def free_bytes(self) -> int:
        return shutil.disk_usage(self.settings.home).free
