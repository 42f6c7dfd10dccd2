"""The terms of a lexical index and what each scores in each passage.

Files: those of bm25s (scores by term), `terms.*` (the terms, sorted: `vocabulary.py`) and
`lengths.npy` (int32: how many terms each passage has).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.carried import RowArray
from indexes.encoders import FloatArray
from indexes.lexical.bm25 import inverse_frequency, saturation
from indexes.lexical.forward import Forward, IdArray, starts_of
from indexes.lexical.languages import stems
from indexes.lexical.vocabulary import Vocabulary


class Postings:
    """BM25's scores, by term, memory-mapped."""

    def __init__(
        self, terms: Vocabulary, scores: dict[str, Any], lengths: npt.NDArray[np.int32]
    ) -> None:
        self.terms = terms
        self._scores, self._lengths = scores, lengths

    @classmethod
    def write(cls, forward: Forward, folder: Path) -> None:
        """Derive everything from the token sequences and write it into `folder`."""
        import scipy.sparse as sp

        from indexes.lexical.bm25s_engine import Bm25

        terms, columns, lengths = _counted(forward)
        occurrences = sp.csr_matrix(
            (np.ones(len(columns), dtype=np.int32), columns, starts_of(lengths)),
            shape=(len(forward), len(terms)),
        )
        engine = Bm25.empty()
        engine.scores = engine.build_index_from_ids(range(len(terms)), occurrences)
        engine.vocab_dict = {}  # the terms have a file of their own, which need not be loaded
        engine.save(str(folder), show_progress=False)
        Vocabulary.write(terms, folder, "terms")
        np.save(folder / "lengths.npy", lengths)

    @classmethod
    def open(cls, folder: Path) -> Postings:
        """Open what `write` wrote.

        Raises:
            OSError, ValueError, KeyError, TypeError, EOFError: a file is missing or damaged.
        """
        from indexes.lexical.bm25s_engine import Bm25

        terms = Vocabulary.open(folder, "terms")
        lengths = np.load(folder / "lengths.npy", mmap_mode="r")
        scores = Bm25.load(str(folder), mmap=True, load_vocab=False, show_progress=False).scores
        if len(scores["indptr"]) != len(terms) + 1:
            raise ValueError("terms and scores do not fit together")
        if not len(scores["data"]) == len(scores["indices"]) == int(scores["indptr"][-1]):
            raise ValueError("scores are missing")
        return cls(terms, scores, lengths)

    def __len__(self) -> int:
        return len(self._lengths)

    def of(self, term: int) -> tuple[RowArray, FloatArray]:
        """The rows that have a term, ascending, and its score in each."""
        begin, end = int(self._scores["indptr"][term]), int(self._scores["indptr"][term + 1])
        return self._scores["indices"][begin:end], self._scores["data"][begin:end]

    def scored(self, rows: RowArray, counts: npt.NDArray[np.int64]) -> FloatArray:
        """The scores of something that is no term and occurs so many times in `rows` only."""
        average = float(np.mean(self._lengths)) if len(rows) else 0.0
        # Passages of stop words alone have no terms, so that the average can be 0.
        shares = saturation(counts.astype(np.float32), self._lengths[rows], average or 1.0)
        return (inverse_frequency(len(rows), len(self)) * shares).astype(np.float32)


def _counted(forward: Forward) -> tuple[list[str], IdArray, npt.NDArray[np.int32]]:
    """The terms, sorted; the term of each token that counts, passage after passage; and how many
    each passage has."""
    strings = forward.vocabulary.strings()
    by_language: list[tuple[RowArray, list[str]]] = []
    for number, code in enumerate(forward.languages):
        own = forward.used(np.flatnonzero(forward.language_of == number).astype(np.int64))
        by_language.append((own, stems([strings[token] for token in own], code)))
    terms = sorted({term for _, found in by_language for term in found if term})
    place = {term: index for index, term in enumerate(terms)} | {"": -1}
    term_of = np.full((len(forward.languages), len(strings)), -1, dtype=np.int32)
    for number, (own, found) in enumerate(by_language):
        term_of[number, own] = [place[term] for term in found]
    columns, lengths = [np.zeros(0, dtype=np.int32)], np.zeros(len(forward), dtype=np.int32)
    for rows in forward.batches(np.arange(len(forward), dtype=np.int64)):
        tokens, where = forward.gathered(rows)
        counted = term_of[forward.language_of[rows][where], tokens]
        scored = counted >= 0
        lengths[rows] = np.bincount(where[scored], minlength=len(rows))
        columns.append(counted[scored])
    return terms, np.concatenate(columns), lengths
