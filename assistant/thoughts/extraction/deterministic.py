"""Facts by rules over a dependency parse: no model is asked, the same text gives the same facts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from assistant.models.store import ModelStore
from assistant.thoughts.extraction.cleaning import Block, blocks
from assistant.thoughts.extraction.sentences import read_passage
from assistant.thoughts.extraction.types import Extraction, Extractor, Source
from assistant.understanding.parser import load_parser

_VERSION = "1"  # of the rules: raise it with every change that can alter a result
_BATCH = 32  # paragraphs parsed at a time; larger ones are slower, not faster
_CHUNK = 64  # passages handed to a worker process at a time

_log = logging.getLogger(__name__)


class DeterministicExtractor(Extractor):
    """Mentions and triples by dependency patterns (spaCy), coreference by simple rules.

    Bounded: of a passage the first 20,000 characters are read, of its facts 200 kept; sentences of
    more than 150 tokens, words of more than 60 characters and paragraphs of code or data give none.

    Args:
        models: where the parser's weights are.
        name: of the parser.
        processes: how many processes read. 1, the default, reads in this one; more start others
            by "spawn", each with its own parser (about 200 MB), for as long as a call lasts.
            For machines with more than two cores.
        all_cores: multiply matrices on all cores; faster where they are idle (1.6 times on two),
            slower where other work wants them.
    """

    def __init__(
        self,
        models: ModelStore,
        name: str = "en-core-web-sm",
        *,
        processes: int = 1,
        all_cores: bool = True,
    ) -> None:
        self._models, self._name = models, name
        self._all_cores = all_cores
        self._processes = max(1, processes)
        self._lock = threading.Lock()
        self._pipeline: Any = None

    @property
    def fingerprint(self) -> str:
        """The rules' version and the parser's name."""
        return f"rules-{_VERSION}:{self._name}"

    def extract(self, sources: Sequence[Source]) -> list[Extraction]:
        """See `Extractor`.

        Raises:
            ModelMissingError: the parser's weights are not installed.
            ModelCorruptError: they cannot be loaded.
        """
        folder = self._models.path(self._name)
        if self._processes > 1 and len(sources) > _CHUNK:
            return self._in_processes(folder, sources)
        with self._lock:  # the pipeline keeps state while it runs
            if self._pipeline is None:
                self._pipeline = load_parser(folder, names=True, all_cores=self._all_cores)
            return list(read_all(self._pipeline, sources))

    def _in_processes(self, folder: Path, sources: Sequence[Source]) -> list[Extraction]:
        chunks = [sources[i : i + _CHUNK] for i in range(0, len(sources), _CHUNK)]
        with ProcessPoolExecutor(
            min(self._processes, len(chunks)),
            mp_context=get_context("spawn"),  # a fork would copy the threads' locks as they are
            initializer=_start_worker,
            initargs=(folder,),
        ) as pool:
            return [one for part in pool.map(_work, chunks) for one in part]


def read_all(pipeline: Any, sources: Sequence[Source]) -> Iterator[Extraction]:
    """One extraction for each source, in order; paragraphs go through the parser in batches."""
    cleaned = [blocks(source.text) for source in sources]
    parsed = pipeline.pipe((block.text for found in cleaned for block in found), batch_size=_BATCH)
    for source, found in zip(sources, cleaned, strict=True):
        docs = list(islice(parsed, len(found)))
        yield _read(source, list(zip(found, docs, strict=True)))


def _read(source: Source, parsed: Sequence[tuple[Block, Any]]) -> Extraction:
    try:
        return read_passage(source, parsed)
    except Exception as error:  # noqa: BLE001 - one odd passage must not stop an index
        _log.warning("passage %s could not be read: %r", source.id, error)
        return Extraction(source.id, (), ())


_worker: list[Any] = []  # the parser of a worker process


def _start_worker(folder: Path) -> None:
    _worker.append(load_parser(folder, names=True))


def _work(sources: Sequence[Source]) -> list[Extraction]:
    return list(read_all(_worker[0], sources))
