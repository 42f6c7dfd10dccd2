"""Lexical search: BM25 by the library bm25s, with Snowball stemming.

bm25s because its scores are computed when the index is built (Lù, 2024, arXiv 2407.03618): a
query is a sum over a few sparse columns, milliseconds on one core, and the files are
memory-mapped. k1 and b are the values of Anserini's MS MARCO passage runs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexes.errors import IndexCorruptError
from indexes.ranking import Ranking, top

K1 = 0.9
B = 0.4
FINGERPRINT = f"bm25s-lucene-k1={K1}-b={B}-snowball-en-1"


class LexicalIndex:
    """BM25 over passages numbered from 0."""

    stage = "lexical"

    def __init__(self, engine: Any, size: int) -> None:
        self._engine = engine
        self.size = size

    @classmethod
    def build(cls, texts: Sequence[str], folder: Path) -> None:
        """Index `texts` and write the files into `folder`."""
        import bm25s

        folder.mkdir(parents=True, exist_ok=True)
        tokens = bm25s.tokenize(
            list(texts), stopwords="en", stemmer=english_stemmer(), show_progress=False
        )
        if tokens.vocab and any(len(ids) for ids in tokens.ids):
            engine = bm25s.BM25(k1=K1, b=B, method="lucene")
            engine.index(tokens, show_progress=False)
            engine.save(str(folder), show_progress=False)
        (folder / "size.json").write_text(json.dumps({"passages": len(texts)}))

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Open what `build` wrote, memory-mapped.

        Raises:
            IndexCorruptError: a file is missing or cannot be read.
        """
        import bm25s

        try:
            size = int(json.loads((folder / "size.json").read_text())["passages"])
            has_terms = (folder / "params.index.json").exists()
            engine = (
                bm25s.BM25.load(str(folder), mmap=True, show_progress=False) if has_terms else None
            )
        except (OSError, ValueError, KeyError) as error:
            raise IndexCorruptError(
                f"the lexical index in {folder} is damaged: {error}",
                remedy="run `assistant index build` again",
            ) from error
        return cls(engine, size)

    def terms(self, text: str) -> list[str]:
        """The stems of a text that the index knows: what a query is matched by."""
        import bm25s

        if self._engine is None:
            return []
        (words,) = bm25s.tokenize(
            text, stopwords="en", stemmer=english_stemmer(), return_ids=False, show_progress=False
        ) or [[]]
        return [word for word in words if word in self._engine.vocab_dict]

    def search(self, query: str, depth: int) -> Ranking:
        """The best `depth` rows with a score above 0."""
        words = self.terms(query)
        if not words:
            return Ranking.empty()
        return top(np.asarray(self._engine.get_scores(words), dtype=np.float32), depth)


def english_stemmer() -> Any:
    """The Snowball stemmer for English; not to be shared between threads."""
    import Stemmer

    return Stemmer.Stemmer("english")
