"""Facts by rules over a dependency parse: no model is asked, the same text gives the same facts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from assistant.thoughts.extraction.cleaning import Block, blocks
from assistant.thoughts.extraction.sentences import read_passage
from assistant.thoughts.extraction.types import Extraction, Extractor, Source
from assistant.understanding.parser import Parser, load_parser

_VERSION = "1"  # of the rules: raise it with every change that can alter a result
_BATCH = 32  # paragraphs parsed at a time; larger ones are slower, not faster
_CHUNK = 64  # passages handed to a worker process at a time
_SMALL_CHUNK = 16  # the same, of the few that one call of many has
_MANY = 256  # passages that take this process as long as others take to start

_log = logging.getLogger(__name__)


class DeterministicExtractor(Extractor):
    """Mentions and triples by dependency patterns (spaCy), coreference by simple rules.

    Bounded: of a passage the first 20,000 characters are read, of its facts 200 kept; sentences of
    more than 150 tokens, words of more than 60 characters and paragraphs of code or data give none.

    Args:
        parser: of the process.
        processes: how many processes read. 1, the default, reads in this one; more start others
            by "spawn", each with its own parser (about 200 MB), for as long as a call lasts.
            For machines with more than two cores.
    """

    def __init__(self, parser: Parser, *, processes: int = 1) -> None:
        self._parser = parser
        self._processes = max(1, processes)
        self._kept: ProcessPoolExecutor | None = None
        self._unread = 0  # within `workers`: passages until processes are worth starting

    @property
    def fingerprint(self) -> str:
        """The rules' version and the parser's name."""
        return f"rules-{_VERSION}:{self._parser.name}"

    def extract(self, sources: Sequence[Source]) -> list[Extraction]:
        """See `Extractor`.

        Raises:
            ModelMissingError: the parser's weights are not installed.
            ModelCorruptError: they cannot be loaded.
        """
        folder = self._parser.folder
        if self._kept is None and self._unread > 0:
            self._unread -= len(sources)
            if self._unread <= 0:
                self._kept = self._pool(folder, self._processes)
        if self._kept is not None:
            return self._spread(self._kept, sources, _SMALL_CHUNK)
        if self._processes > 1 and len(sources) > _CHUNK:
            return self._in_processes(folder, sources)
        return read_all(lambda texts: self._parser.parse(texts, batch=_BATCH), sources)

    @contextmanager
    def workers(self) -> Iterator[None]:
        """Keep the processes from call to call; they start once `_MANY` passages were read, so that
        little work never waits for them. From one thread at a time."""
        self._unread = _MANY if self._processes > 1 else 0
        try:
            yield
        finally:
            self._unread = 0
            if self._kept is not None:
                self._kept.shutdown(cancel_futures=True)
                self._kept = None

    def _in_processes(self, folder: Path, sources: Sequence[Source]) -> list[Extraction]:
        with self._pool(folder, min(self._processes, -(-len(sources) // _CHUNK))) as pool:
            return self._spread(pool, sources, _CHUNK)

    @staticmethod
    def _spread(
        pool: ProcessPoolExecutor, sources: Sequence[Source], size: int
    ) -> list[Extraction]:
        chunks = [sources[i : i + size] for i in range(0, len(sources), size)]
        return [one for part in pool.map(_work, chunks) for one in part]

    @staticmethod
    def _pool(folder: Path, processes: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            processes,
            mp_context=get_context("spawn"),  # a fork would copy the threads' locks as they are
            initializer=_start_worker,
            initargs=(folder,),
        )


def read_all(
    parse: Callable[[list[str]], list[Any]], sources: Sequence[Source]
) -> list[Extraction]:
    """One extraction for each source, in order; paragraphs go through the parser in batches."""
    extracted = []
    for first in range(0, len(sources), _CHUNK):  # parses are large: a few at a time
        part = sources[first : first + _CHUNK]
        cleaned = [blocks(source.text) for source in part]
        parsed = iter(parse([block.text for found in cleaned for block in found]))
        for source, found in zip(part, cleaned, strict=True):
            docs = list(islice(parsed, len(found)))
            extracted.append(_read(source, list(zip(found, docs, strict=True))))
    return extracted


def _read(source: Source, parsed: Sequence[tuple[Block, Any]]) -> Extraction:
    try:
        return read_passage(source, parsed)
    except Exception as error:  # noqa: BLE001 - one odd passage must not stop an index
        _log.warning("passage %s could not be read: %r", source.id, error)
        return Extraction(source.id, (), ())


_worker: list[Any] = []  # the pipeline of a worker process


def _start_worker(folder: Path) -> None:
    _worker.append(load_parser(folder))


def _work(sources: Sequence[Source]) -> list[Extraction]:
    return read_all(lambda texts: list(_worker[0].pipe(texts, batch_size=_BATCH)), sources)
