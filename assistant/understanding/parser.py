"""spaCy behind one file: the loader of the parser, and noun phrases of a question.

Other modules receive the loaded pipeline and read its tokens; only this one imports spaCy.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from assistant.errors import ModelCorruptError, ModelMissingError
from assistant.models.store import ModelStore
from assistant.understanding.words import content_words, simple_phrases


class NounPhrases:
    """`phrases(text)`: noun phrases of a text in order, the parser loaded at the first call.

    Where the parser's weights are not installed, simple rules stand in.
    """

    def __init__(self, models: ModelStore, name: str) -> None:
        self._models, self._name = models, name
        self._lock = threading.Lock()
        self._pipeline: Any = None
        self._absent = False

    def __call__(self, text: str) -> list[str]:
        pipeline = self._load()
        if pipeline is None:
            return simple_phrases(text)
        with self._lock:  # the pipeline keeps state while it runs
            parsed = pipeline(text[:2000])
        found = []
        for chunk in parsed.noun_chunks:
            # Leading articles, question words and pronouns say nothing in a query.
            words = [t for t in chunk if not (t.is_stop and t.dep_ != "compound")]
            if words and any(t.pos_ in ("NOUN", "PROPN", "ADJ", "NUM") for t in words):
                phrase = parsed[words[0].i : words[-1].i + 1].text
                if content_words(phrase):
                    found.append(phrase)
        return found

    def _load(self) -> Any:
        with self._lock:
            if self._pipeline is None and not self._absent:
                try:
                    self._pipeline = load_parser(self._models.path(self._name))
                except ModelMissingError:
                    self._absent = True
            return self._pipeline


def load_parser(folder: Path, *, names: bool = False, all_cores: bool = False) -> Any:
    """A spaCy pipeline from a folder.

    Args:
        names: with the recogniser of named entities, which takes as long as all the rest.
        all_cores: multiply with NumPy's BLAS, which takes all cores, instead of spaCy's own, which
            takes one: on two idle cores 1.6 times as many passages a second, the same parses.

    Raises:
        ModelCorruptError: spaCy cannot load it.
    """
    import spacy

    try:
        pipeline = spacy.load(folder, exclude=[] if names else ["ner"])
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
