"""An index with a real embedder and reranker, both tiny and random, that can be adapted."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.adapting.flow import Adaptation, Report
from assistant.adapting.judging import Asked, Comparison, Judgement, Role, Searching
from assistant.adapting.questions import Question
from assistant.distillation.run import run_recipe
from assistant.models.encoders import LoadedEncoders
from assistant.models.store import ModelStore
from assistant.settings import load_settings
from assistant.workspace import Workspace
from indexes.progress import OnProgress
from tests.fast.assistant.distillation import tiny
from tests.fast.indexes.sources import HashedSparse, MemorySource

NAME = "notes"
COUNT = 52  # documents, each a passage
NAMES, PLACES = tiny.NAMES, tiny.PLACES


class LittleEncoders(LoadedEncoders):
    """The embedder of the settings; words in place of a learned sparse encoder."""

    def __init__(self, store: ModelStore, settings: Any, base: Path) -> None:
        super().__init__(store, settings)
        self._words, self._own = HashedSparse(), base

    def sparse(self) -> Any:
        return self._words

    def base(self) -> Path:
        return self._own


def texts(count: int = COUNT, *, seed: int = 0) -> dict[str, str | None]:
    """Notes of three sentences about people and places."""
    draw = random.Random(seed)
    found: dict[str, str | None] = {}
    for number in range(count):
        people, places = draw.sample(NAMES, 4), draw.sample(PLACES, 4)
        found[f"note-{number:03d}"] = " ".join(
            f"Where does {one} live and {other} lives at the {place} in a {there}."
            for one, other, place, there in zip(
                people, people[1:] + people[:1], places, places[1:] + places[:1], strict=True
            )
        )
    return found


def embedder(folder: Path) -> Path:
    """A tiny BERT as a folder of sentence-transformers, its vectors means over tokens."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import (
        Normalize,
        Pooling,
        Transformer,
    )

    tiny.encoder(folder / "plain")
    words = Transformer(str(folder / "plain"), max_seq_length=64)
    SentenceTransformer(modules=[words, Pooling(32, "mean"), Normalize()], device="cpu").save(
        str(folder / "embedder")
    )
    return folder / "embedder"


class Little:
    """A home with an index, and what can be done with it."""

    def __init__(self, folder: Path) -> None:
        place = embedder(folder)
        plain = folder / "plain"
        loop = {"steps": 1, "learning_rate": 0.001, "log_every": 1}
        (folder / "reranker").mkdir()
        recipe = tiny.pair_recipe(folder / "reranker", student={"model": str(plain)}, loop=loop)
        self.export = (
            run_recipe(tiny.read(recipe, folder / "reranker"), folder / "reranker" / "runs").path
            / "export"
        )
        self.place, self.base = place, plain
        self.source = MemorySource(texts())
        self._live_in(folder / "home")
        self.workspace.writer(NAME).build([self.source])

    def _live_in(self, home: Path) -> None:
        settings = {"models.embedder": str(self.place), "answering.reader": "extractive"}
        self.settings = load_settings(settings, home=home, environ={})
        self.workspace = self.opened()
        self.folder = self.workspace.index_folder(NAME)

    def copied(self, to: Path) -> Little:
        """The same in a home of its own, which a test may change."""
        other = copy.copy(self)
        shutil.copytree(self.settings.home, to / "home")
        other.source = MemorySource(dict(self.source.texts))
        other._live_in(to / "home")
        return other

    def opened(self) -> Workspace:
        """Another process's view of the same home."""
        workspace = Workspace(self.settings)
        encoders = LittleEncoders(workspace.models, self.settings.models, self.base)
        vars(workspace)["encoders"] = encoders
        return workspace

    def adaptation(self, judge: Any, *, on_progress: OnProgress | None = None, **asked: Any) -> Any:
        values = {"seconds": 2.0, "teacher": "none", **asked}
        return Adaptation(
            self.workspace,
            NAME,
            Asked(**values),
            judge=judge,
            teaching=_no_teacher,
            reranker=self.export,
            on_progress=on_progress or (lambda progress: None),
        )

    def adapt(self, judge: Any, **asked: Any) -> Report:
        return dict(self.adaptation(judge, **asked).run())

    def found(self, workspace: Workspace | None = None) -> list[tuple[str, float]]:
        """What some searches bring, with their scores."""
        used = workspace or self.workspace
        queries = [f"where does {name} live" for name in NAMES]
        return [
            (hit.passage.id, round(hit.stages["dense"].score, 6) if "dense" in hit.stages else 0.0)
            for query in queries
            for hit in used.search(NAME, query, limit=5).hits
        ]


class Always:
    """A `Judge` of a fixed opinion that remembers what it was shown."""

    def __init__(self, *better: Role, no_room: str = "") -> None:
        self._better, self._no_room = better, no_room
        self.shown: list[tuple[Role, Searching, Searching, int]] = []

    def no_room(self, before: Searching, held_out: Sequence[Question]) -> str:
        return self._no_room

    def __call__(
        self, role: Role, before: Searching, after: Searching, held_out: Sequence[Question]
    ) -> Judgement:
        self.shown.append((role, before, after, len(held_out)))
        measured = Comparison(len(held_out), {"nDCG@10": 0.5}, {"nDCG@10": 0.6}, 0.01)
        return Judgement(role in self._better, "as the test wants it", measured)


def _no_teacher(wanted: str) -> Any:
    raise AssertionError(f"the teacher {wanted} was asked for")
