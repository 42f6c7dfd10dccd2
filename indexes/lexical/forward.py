"""The tokens of every passage in order: what a lexical index is made from, and phrases found in.

Kept beside the inverted index so that a change has to cut into tokens only what is new, and so
that a phrase is looked up as it was written.

    vocabulary        every token that occurs, sorted (`indexes.lexical.vocabulary`)
    tokens.npy        int32: passage after passage, its words and then its extras
    starts.npy        int64 of shape (rows + 1,): where each passage begins
    words.npy         int32 of shape (rows,): how many of a passage's tokens are words
    languages.npy     uint8 of shape (rows,): a place in languages.json, a list of ISO codes
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes.carried import RowArray
from indexes.lexical.tokens import Tokenizer
from indexes.lexical.vocabulary import Vocabulary

IdArray = npt.NDArray[np.int32]
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Forward:
    """The token sequences of passages numbered from 0.

    Attributes:
        languages: the ISO codes that occur, sorted.
        language_of: of shape (rows,): a place in `languages`.
    """

    vocabulary: Vocabulary
    tokens: IdArray
    starts: npt.NDArray[np.int64]
    words: IdArray
    languages: tuple[str, ...]
    language_of: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def write(
        cls,
        texts: Sequence[str],
        languages: Sequence[str],
        origin: RowArray,
        old: Forward | None,
        folder: Path,
    ) -> None:
        """Write the sequences of new rows and of rows that are taken over.

        Args:
            texts, languages: of the new rows, in the order of rows.
            origin: of shape (rows,): the row in `old`, -1 for a new one.
            old: None if all rows are new.
        """
        new = origin < 0
        kept = origin[~new]
        fresh = _cut(texts)
        used = old.used(kept) if old else np.zeros(0, dtype=np.int64)
        known = old.vocabulary.strings() if old else []
        taken_over = [known[number] for number in used]
        vocabulary = sorted({*fresh.strings, *taken_over})
        Vocabulary.write(vocabulary, folder, "vocabulary")
        number = {string: place for place, string in enumerate(vocabulary)}
        fresh_ids = _numbers(fresh.strings, number)[fresh.ids]
        renumbered = np.full(len(known), -1, dtype=np.int32)
        renumbered[used] = _numbers(taken_over, number)

        lengths = np.zeros(len(origin), dtype=np.int64)
        words = np.zeros(len(origin), dtype=np.int32)
        codes = np.full(len(origin), "", dtype=object)
        lengths[new], words[new], codes[new] = fresh.lengths, fresh.words, list(languages)
        if old:
            lengths[~new] = old.starts[kept + 1] - old.starts[kept]
            words[~new] = old.words[kept]
            codes[~new] = np.array(old.languages, dtype=object)[old.language_of[kept]]
        starts = starts_of(lengths)
        with (folder / "tokens.npy").open("wb") as file:
            header = {"descr": "<i4", "fortran_order": False, "shape": (int(starts[-1]),)}
            np.lib.format.write_array_header_1_0(file, header)
            taken = 0
            for rows in cls.batches(np.arange(len(origin), dtype=np.int64)):
                is_new = np.repeat(new[rows], lengths[rows])
                ids = np.empty(len(is_new), dtype="<i4")
                count = int(is_new.sum())
                ids[is_new] = fresh_ids[taken : taken + count]
                taken += count
                if old:
                    own = origin[rows]
                    ids[~is_new] = renumbered[old.gathered(own[own >= 0])[0]]
                file.write(ids.tobytes())
        np.save(folder / "starts.npy", starts)
        np.save(folder / "words.npy", words)
        present = sorted(set(codes.tolist()))
        np.save(folder / "languages.npy", np.searchsorted(present, codes).astype(np.uint8))
        (folder / "languages.json").write_text(json.dumps(present))

    @classmethod
    def open(cls, folder: Path) -> Forward:
        """Open what `write` wrote, memory-mapped.

        Raises:
            OSError, ValueError: a file is missing or damaged.
        """
        tokens, starts, words, language_of = (
            np.load(folder / f"{name}.npy", mmap_mode="r")
            for name in ("tokens", "starts", "words", "languages")
        )
        languages = tuple(map(str, json.loads((folder / "languages.json").read_text())))
        if len(starts) != len(words) + 1 or len(language_of) != len(words):
            raise ValueError("the token sequences do not fit together")
        if int(starts[-1]) != len(tokens):
            raise ValueError("tokens are missing")
        vocabulary = Vocabulary.open(folder, "vocabulary")
        return cls(vocabulary, tokens, starts, words, languages, language_of)

    def gathered(self, rows: RowArray, *, only_words: bool = False) -> tuple[IdArray, RowArray]:
        """The tokens of `rows` one after the other, and the place in `rows` that each is from."""
        begins = self.starts[rows]
        lengths = (
            self.words[rows].astype(np.int64) if only_words else self.starts[rows + 1] - begins
        )
        where = np.repeat(np.arange(len(rows)), lengths)
        before = starts_of(lengths)
        places = np.arange(before[-1]) + np.repeat(begins - before[:-1], lengths)
        return np.asarray(self.tokens[places]), where

    @staticmethod
    def batches(rows: RowArray) -> Iterator[RowArray]:
        """`rows` in pieces whose tokens fit into memory together."""
        for begin in range(0, len(rows), _ROWS_AT_ONCE):
            yield rows[begin : begin + _ROWS_AT_ONCE]

    def used(self, rows: RowArray) -> RowArray:
        """The numbers of the tokens that occur in `rows`, ascending."""
        seen = np.zeros(len(self.vocabulary), dtype=bool)
        for some in self.batches(rows):
            seen[self.gathered(some)[0]] = True
        return np.flatnonzero(seen).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Texts as numbers of distinct tokens, text after text, and how long each is."""

    strings: list[str]
    ids: IdArray
    lengths: npt.NDArray[np.int64]
    words: IdArray


def _cut(texts: Sequence[str]) -> _Cut:
    tokenizer, number = Tokenizer(), dict[str, int]()
    parts, lengths, words = [np.zeros(0, dtype=np.int32)], [], []
    for text in texts:
        found = tokenizer.tokens(text)
        ids = [number.setdefault(token, len(number)) for token in chain(found.words, found.extras)]
        parts.append(np.array(ids, dtype=np.int32))
        lengths.append(len(ids))
        words.append(len(found.words))
    return _Cut(
        list(number),
        np.concatenate(parts),
        np.array(lengths, dtype=np.int64),
        np.array(words, dtype=np.int32),
    )


def _numbers(strings: Sequence[str], number: dict[str, int]) -> IdArray:
    return np.fromiter((number[s] for s in strings), dtype=np.int32, count=len(strings))


def starts_of(lengths: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Where each of several stretches begins that lie one after the other, and where all end."""
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts
