"""Adapted weights at work: the encoders and the reranker of one index.

What is published decides how an index is *read*: its manifest says which embedder made its vectors.
What is installed decides how it is *written*. So while an index is encoded again, the old vectors
answer with the old embedder, until the manifest names the new ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.adapting.installed import (
    FOLDER,
    WEIGHTS,
    AdaptedPart,
    Installed,
    InstalledStore,
    undo_command,
)
from assistant.errors import (
    IndexingError,
    KnowledgeAssistantError,
    ModelCorruptError,
    ModelMissingError,
)
from assistant.models.importing import LOADING
from assistant.models.reranker import DistilledReranker
from indexes.documents import Passage
from indexes.encoders import DenseEncoder, Encoders, FloatArray, SparseEncoder
from indexes.files import sha256_of
from indexes.index import Index
from indexes.manifest import Manifest, read_manifest
from indexes.refining.refinement import Refinement

_TRIES = 3


class IndexEncoders:
    """`indexes.encoders.Encoders` with an embedder of the index's own.

    Args:
        dense: loads it.
    """

    def __init__(self, common: Encoders, dense: Callable[[], DenseEncoder]) -> None:
        self._common, self._dense = common, dense

    def dense(self) -> DenseEncoder:
        return self._dense()

    def sparse(self) -> SparseEncoder:
        return self._common.sparse()


class AdaptedReranker:
    """A `Reranker` over adapted weights, which are compared with their checksum when loaded."""

    def __init__(self, folder: Path, part: AdaptedPart, name: str) -> None:
        self._folder, self._part, self._name = folder, part, name
        self._inner = DistilledReranker(self._checked, lambda: folder)

    def scores(self, query: str, passages: Sequence[Passage]) -> FloatArray:
        """One number for each passage, (N,); higher is better.

        Raises:
            ModelMissingError, ModelCorruptError: the weights are gone or altered; the remedy says
                how to go back.
        """
        return self._inner.scores(query, passages)

    def _checked(self) -> Path:
        if not (self._folder / WEIGHTS).is_file():
            raise _missing("reranker", self._name)
        if sha256_of(self._folder / WEIGHTS) != self._part.fingerprint:
            raise _damaged("reranker", self._name)
        return self._folder


class AdaptedIndexes:
    """The adapted weights of all indexes of a home, each loaded once. Safe to share.

    Args:
        common: gives the encoders of the settings.
    """

    def __init__(self, common: Callable[[], Encoders]) -> None:
        self._common = common
        self._lock = threading.Lock()
        self._dense: dict[Path, DenseEncoder] = {}
        self._rerankers: dict[Path, AdaptedReranker] = {}

    def open(self, folder: Path) -> Index:
        """Open the published index in `folder` with the encoders that made it.

        Raises:
            As `Index.open`.
        """
        for _ in range(_TRIES):
            before = self._made_by(folder)
            index = Index.open(folder, self._reading(folder, before))
            if self._of(index.manifest) == before:
                return index
            index.close()  # published anew in between, by another embedder
        return Index.open(folder, self._reading(folder, self._made_by(folder)))

    def writing(self, folder: Path) -> Encoders:
        """The encoders that the index in `folder` is to be made with."""
        part = InstalledStore(folder).read().embedder
        return self._common() if part is None else self._with(folder, part.folder, part.fingerprint)

    def wanted(self, folder: Path) -> str | None:
        """Fingerprint of the embedder that an index is to be made with; None: the common one."""
        part = InstalledStore(folder).read().embedder
        return part.fingerprint if part is not None else None

    def refinement(self, folder: Path, common: Refinement) -> Refinement:
        """What happens to a fused list of the index in `folder`."""
        part = InstalledStore(folder).read().reranker
        if part is None:
            return common
        place = folder / FOLDER / part.folder
        with self._lock:
            if place not in self._rerankers:
                self._rerankers = {p: r for p, r in self._rerankers.items() if p.exists()}
                self._rerankers[place] = AdaptedReranker(place, part, folder.name)
            reranker = self._rerankers[place]
        return replace(
            common, reranker=reranker, rerank_depth=part.depth, rerank_weight=part.weight
        )

    def _reading(self, folder: Path, fingerprint: str) -> Encoders:
        """By the vectors that are published; a folder's name ends with its fingerprint."""
        name = f"embedder-{fingerprint}"
        known = fingerprint and (folder / FOLDER).is_dir()
        if known and ((folder / FOLDER / name).is_dir() or self._wanted(folder) == fingerprint):
            return self._with(folder, name, fingerprint)
        return self._common()

    def _wanted(self, folder: Path) -> str | None:
        try:
            return self.wanted(folder)
        except KnowledgeAssistantError:
            return None  # a damaged record is told by who changes things

    def _with(self, folder: Path, name: str, fingerprint: str) -> IndexEncoders:
        place = folder / FOLDER / name
        return IndexEncoders(self._common(), lambda: self._loaded(place, fingerprint, folder.name))

    def _loaded(self, place: Path, fingerprint: str, index: str) -> DenseEncoder:
        with self._lock, LOADING:
            if place not in self._dense:
                self._dense = {p: e for p, e in self._dense.items() if p.exists()}
                self._dense[place] = load_embedder(place, fingerprint, index)
            return self._dense[place]

    @staticmethod
    def _made_by(folder: Path) -> str:
        try:
            return AdaptedIndexes._of(read_manifest(folder))
        except IndexingError:
            return ""  # `Index.open` says what is wrong

    @staticmethod
    def _of(manifest: Manifest) -> str:
        stage = manifest.stages.get("dense")
        return stage.fingerprint if stage is not None else ""


def load_embedder(place: Path, fingerprint: str, index: str) -> DenseEncoder:
    """The embedder in a folder, in float32.

    Raises:
        ModelMissingError, ModelCorruptError: the weights are gone or altered.
    """
    from indexes.encoders.dense import SentenceTransformerEncoder

    if not (place / WEIGHTS).is_file():
        raise _missing("embedder", index)
    try:
        encoder = SentenceTransformerEncoder(place)
    except ModelCorruptError as error:
        raise _damaged("embedder", index) from error
    if encoder.fingerprint != fingerprint:
        raise _damaged("embedder", index)
    return encoder


def usable(folder: Path, installed: Installed, name: str) -> list[KnowledgeAssistantError]:
    """What is wrong with the installed weights of the index in `folder`, each as its error."""
    found: list[KnowledgeAssistantError] = []
    checks: list[tuple[str, AdaptedPart, Callable[[Path], Any]]] = []
    for role, part in (("embedder", installed.embedder), ("reranker", installed.reranker)):
        if part is not None:
            checks.append((role, part, _FINGERPRINTS[role]))
    for role, part, fingerprint in checks:
        place = folder / FOLDER / part.folder
        if not (place / WEIGHTS).is_file():
            found.append(_missing(role, name))
        elif fingerprint(place) != part.fingerprint:
            found.append(_damaged(role, name))
    return found


def embedder_fingerprint(place: Path) -> str:
    """Of an embedder's folder, as an index's manifest has it."""
    from indexes.encoders.dense import embedder_fingerprint as of

    return of(place)


def reranker_fingerprint(place: Path) -> str:
    """Of a reranker's folder."""
    return sha256_of(place / WEIGHTS)


_FINGERPRINTS: dict[str, Callable[[Path], str]] = {
    "embedder": embedder_fingerprint,
    "reranker": reranker_fingerprint,
}


def _missing(role: str, name: str) -> ModelMissingError:
    return ModelMissingError(
        f"the {role} that was adapted to index '{name}' is not there any more",
        remedy=undo_command(name),
    )


def _damaged(role: str, name: str) -> ModelCorruptError:
    return ModelCorruptError(
        f"the {role} that was adapted to index '{name}' is damaged", remedy=undo_command(name)
    )
