"""Where the passages of a new generation stood in the one before."""

from __future__ import annotations

import numpy as np

from indexes.carried import RowArray
from indexes.store import PassageStore


def rows_before(old: PassageStore, new: PassageStore) -> RowArray:
    """For each row of `new` a row of `old` with the same text in the same language, else -1.

    Shape (rows of `new`,). The text is what is searched and encoded (`Passage.indexed_text`),
    compared by its SHA-256. The language counts because words are stemmed by it. Where several
    old passages have one text, any of them will do: they have one encoding.
    """
    olds, news = old.keys(), new.keys()
    if not len(olds) or not len(news):
        return np.full(len(news), -1, dtype=np.int64)
    languages = {code: number for number, code in enumerate(sorted({*old.languages()}))}
    spoken = np.array([languages[code] for code in old.languages()], dtype=np.int64)
    asked = np.array([languages.get(code, -1) for code in new.languages()], dtype=np.int64)
    # Sorted by the first eight bytes, which tell texts apart; the rest is compared for certainty.
    order = np.argsort(olds[:, 0], kind="stable")
    place = np.searchsorted(olds[order, 0], news[:, 0])
    found = order[np.minimum(place, len(order) - 1)]
    same = (olds[found] == news).all(axis=1) & (spoken[found] == asked)
    return np.where(same, found, -1).astype(np.int64)
