"""The parser (spaCy), behind this file: noun phrases, tokens, whole parses.

One `Parser` per process: its pipeline takes a second and a hundred megabytes to load.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assistant.errors import ModelCorruptError, ModelMissingError
from assistant.models.store import ModelStore
from assistant.understanding.words import content_words, simple_phrases

_LONGEST = 2_000  # characters of a message


class Parser:
    """The parser's pipeline, loaded when it is first needed. Safe to share between threads.

    Args:
        models: where its weights are.
        name: of the weights.
        all_cores: see `load_parser`; slower where other work wants the cores.
    """

    def __init__(self, models: ModelStore, name: str, *, all_cores: bool = True) -> None:
        self._models, self.name, self._all_cores = models, name, all_cores
        self._lock = threading.Lock()
        self._pipeline: Any = None

    @property
    def folder(self) -> Path:
        """Where the weights are.

        Raises:
            ModelMissingError: they are not installed.
        """
        return self._models.path(self.name)

    @property
    def installed(self) -> bool:
        return self._models.is_installed(self.name)

    def parse(self, texts: Iterable[str], *, names: bool = True, batch: int = 32) -> list[Any]:
        """spaCy documents of the texts, in their order.

        Args:
            names: recognise named entities too, which takes as long as all the rest.
            batch: texts that are parsed together.

        Raises:
            ModelMissingError: the weights are not installed.
            ModelCorruptError: they cannot be loaded.
        """
        with self._lock:  # the pipeline keeps state while it runs
            if self._pipeline is None:
                self._pipeline = load_parser(self.folder, all_cores=self._all_cores)
            left_out = [] if names else ["ner"]
            return list(self._pipeline.pipe(texts, batch_size=batch, disable=left_out))


class NounPhrases:
    """`phrases(text)`: noun phrases of a text in order.

    Where the parser's weights are not installed, simple rules stand in.
    """

    def __init__(self, parser: Parser) -> None:
        self._parser = parser

    def __call__(self, text: str) -> list[str]:
        try:
            (parsed,) = self._parser.parse([text[:_LONGEST]], names=False)
        except ModelMissingError:
            return simple_phrases(text)
        found = []
        for chunk in parsed.noun_chunks:
            # Leading articles, question words and pronouns say nothing in a query.
            words = [t for t in chunk if not (t.is_stop and t.dep_ != "compound")]
            if words and any(t.pos_ in ("NOUN", "PROPN", "ADJ", "NUM") for t in words):
                phrase = parsed[words[0].i : words[-1].i + 1].text
                if content_words(phrase):
                    found.append(phrase)
        return found


def load_parser(folder: Path, *, all_cores: bool = False) -> Any:
    """A spaCy pipeline from a folder.

    Args:
        all_cores: multiply with NumPy's BLAS, which takes all cores, instead of spaCy's own, which
            takes one: on two idle cores 1.6 times as many passages a second, the same parses.

    Raises:
        ModelCorruptError: spaCy cannot load it.
    """
    import spacy

    try:
        pipeline = spacy.load(folder)
        if all_cores:
            _use_all_cores(pipeline)
        return pipeline
    except (OSError, ValueError, KeyError) as error:
        raise ModelCorruptError(
            f"the parser in {folder} cannot be loaded: {error}",
            remedy="run `assistant models verify parser`, then `assistant models fetch parser`",
        ) from error


def _use_all_cores(pipeline: Any) -> None:
    from thinc.api import NumpyOps

    ops = NumpyOps(use_blis=False)
    for _, part in pipeline.pipeline:
        model = getattr(part, "model", None)
        if model is not None and hasattr(model, "walk"):
            for node in model.walk():
                node.ops = ops
