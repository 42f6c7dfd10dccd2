"""Lexical search: BM25 by the library bm25s over stems, identifiers and pairs of characters.

bm25s because its scores are computed when the index is built, its files are memory-mapped, and k1
and b are free. tantivy and SQLite's FTS5 add in place, but both fix k1 and b, tantivy counts
deleted documents until it merges, so that the same passages can rank differently, and FTS5 takes
tens of times as long for a question (`benchmarks/lexical.py`). bm25s cannot add in place. So the
tokens of every passage are kept beside it (`indexes.forward`): a change cuts into tokens only what
is new, and the scores, all of which depend on the whole collection, are computed anew from numbers
(`indexes.bm25`). k1 and b are the values of Anserini's MS MARCO passage runs.

Files: those of bm25s (terms' scores, by term), `terms.*` (the terms, sorted), `lengths.npy` (terms
per passage) and those of `indexes.forward`. A token is in them only while a passage has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes import tokens
from indexes.carried import Allowed, Carried, RowArray
from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.forward import Forward, IdArray
from indexes.languages import VERBATIM, language_code, stems
from indexes.phrases import occurrences, quoted
from indexes.ranking import Ranking, top
from indexes.vocabulary import Vocabulary

K1 = 0.9
B = 0.4
FINGERPRINT = f"bm25s-lucene-k1={K1}-b={B}-snowball{version('PyStemmer')}-tokens{tokens.VERSION}-2"


@dataclass(frozen=True, slots=True)
class _Part:
    """What a query scores with: a term, or a phrase. `weight` times a row's score is added."""

    name: str
    rows: RowArray  # ascending
    scores: FloatArray
    weight: float = 1.0


class LexicalIndex:
    """BM25 over passages numbered from 0.

    A phrase in quotation marks has to occur as written in every passage that is found; its words
    rank as usual, and the phrase itself counts as one more term.
    """

    stage = "lexical"

    def __init__(
        self,
        engine: Any,
        terms: Vocabulary,
        lengths: npt.NDArray[np.int32],
        forward: Forward,
    ) -> None:
        self._engine, self._terms = engine, terms
        self._lengths, self._forward = lengths, forward
        self.size = len(forward)

    @classmethod
    def build(
        cls,
        texts: Sequence[str],
        folder: Path,
        carried: Carried | None = None,
        languages: Sequence[str] | None = None,
    ) -> None:
        """Write the index into `folder`; equal collections give equal files.

        Args:
            texts: of the new rows, in the order of rows; of all rows where nothing is carried.
            carried: the index that this one continues, made with the same FINGERPRINT.
            languages: ISO codes of `texts`; English where not given.

        Raises:
            ValueError: there are not as many texts, or languages, as new rows.
            IndexCorruptError: the index that is carried on is damaged.
        """
        count = len(carried.new) if carried else len(texts)
        if len(texts) != count or (languages is not None and len(languages) != count):
            raise ValueError(f"{count} new rows need as many texts and languages")
        codes = [language_code(code) for code in languages or [""] * count]
        old = None
        if carried and carried.kept:
            with _damage_named(carried.folder):
                old = Forward.open(carried.folder)
                if int(carried.origin.max()) >= len(old):
                    raise ValueError("passages are missing")
        origin = carried.origin if carried else np.full(count, -1, dtype=np.int64)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            Forward.write(texts, codes, origin, old, folder)
        except (IndexError, UnicodeDecodeError) as error:  # of the old tokens: nothing else is read
            raise _damaged(carried.folder if carried else folder, error) from error
        _write_scores(Forward.open(folder), folder)

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Open what `build` wrote, memory-mapped.

        Raises:
            IndexCorruptError: a file is missing or cannot be read.
        """
        from indexes.bm25 import Bm25

        with _damage_named(folder):
            forward = Forward.open(folder)
            terms = Vocabulary.open(folder, "terms")
            lengths = np.load(folder / "lengths.npy", mmap_mode="r")
            engine = Bm25.load(str(folder), mmap=True, load_vocab=False, show_progress=False)
            scores = engine.scores
            if len(scores["indptr"]) != len(terms) + 1 or len(lengths) != len(forward):
                raise ValueError("terms and passages do not fit together")
            if not len(scores["data"]) == len(scores["indices"]) == int(scores["indptr"][-1]):
                raise ValueError("scores are missing")
        return cls(engine, terms, lengths, forward)

    def terms(self, text: str) -> list[str]:
        """The stems of a text that the index knows: what a query is matched by."""
        return list(dict.fromkeys(name.removeprefix(VERBATIM) for name, _ in self._known(text)))

    def search(self, query: str, depth: int, allowed: Allowed | None = None) -> Ranking:
        """The best `depth` rows with a score above 0, of those that `allowed` allows.

        Nothing is found if a phrase of the query is in no passage: `phrase_rows` tells.

        Raises:
            IndexCorruptError: a file does not hold what it should.
        """
        with _damage_named(Path(self.stage)):
            phrases = self._phrases(query)
            scores = np.zeros(self.size, dtype=np.float32)
            for part in [*self._parts(query), *phrases]:
                scores[part.rows] += np.float32(part.weight) * part.scores
            for phrase in phrases:
                scores[~self._mask(phrase.rows)] = 0
            if allowed is not None:
                scores[~allowed] = 0
            return top(scores, depth)

    def phrase_rows(self, query: str) -> Allowed | None:
        """Which rows hold all phrases of a query as written; None if it has no phrase."""
        phrases = self._phrases(query)
        if not phrases:
            return None
        return np.logical_and.reduce([self._mask(phrase.rows) for phrase in phrases])

    def matches(self, query: str, row: int) -> list[tuple[str, float]]:
        """The terms and phrases of a query that a row has, with their shares of its score.

        Largest first; the shares add up to 1. Empty if the row has none.
        """
        found: dict[str, float] = {}
        for part in [*self._parts(query), *self._phrases(query)]:
            place = int(np.searchsorted(part.rows, row))
            if place < len(part.rows) and part.rows[place] == row:
                name = part.name.removeprefix(VERBATIM)
                found[name] = found.get(name, 0.0) + part.weight * float(part.scores[place])
        total = sum(found.values())
        return sorted(
            ((name, score / total) for name, score in found.items()),
            key=lambda pair: (-pair[1], pair[0]),
        )

    def _mask(self, rows: RowArray) -> Allowed:
        mask = np.zeros(self.size, dtype=bool)
        mask[rows] = True
        return mask

    def _parts(self, query: str) -> list[_Part]:
        """A query's terms; one that is written twice counts twice."""
        parts = {}
        for name, number in self._known(query):
            if number in parts:
                known = parts[number]
                parts[number] = _Part(name, known.rows, known.scores, known.weight + 1)
            else:
                parts[number] = _Part(name, *self._postings(number))
        return list(parts.values())

    def _postings(self, term: int) -> tuple[RowArray, FloatArray]:
        scores = self._engine.scores
        begin, end = int(scores["indptr"][term]), int(scores["indptr"][term + 1])
        return scores["indices"][begin:end], scores["data"][begin:end]

    def _known(self, text: str) -> list[tuple[str, int]]:
        """The terms of a text that the index has, in order, with their numbers.

        A word is taken in every language of the index; it counts once for each distinct stem.
        """
        found = tokens.Tokenizer().tokens(text)
        pairs = {letter for extra in found.extras if len(extra) == 2 for letter in extra}
        # Characters that stand beside others are looked up in pairs only.
        words = [w for w in found.words if not (w in pairs and tokens.is_unspaced(w))]
        words += found.extras
        by_language = [stems(words, code) for code in self._forward.languages]
        return [
            (term, number)
            for own in zip(*by_language, strict=True)
            for term in dict.fromkeys(own)
            if term and (number := self._terms.find(term)) >= 0
        ]

    def _phrases(self, query: str) -> list[_Part]:
        from indexes.bm25 import inverse_frequency, saturation

        parts = []
        for phrase in quoted(query):
            rows, counts = occurrences(self._forward, phrase, self._candidates(phrase))
            average = float(np.mean(self._lengths)) if self.size else 0.0
            shares = saturation(
                counts.astype(np.float32), self._lengths[rows], max(average, 1e-9), K1, B
            )
            scores = inverse_frequency(len(rows), self.size) * shares
            parts.append(_Part(f"“{' '.join(phrase)}”", rows, scores.astype(np.float32)))
        return parts

    def _candidates(self, phrase: Sequence[str]) -> RowArray | None:
        """Rows that have all the words of a phrase that every language counts; None for all."""
        by_language = [stems(phrase, code) for code in self._forward.languages]
        candidates: RowArray | None = None
        for own in zip(*by_language, strict=True):
            if not all(own):
                continue  # a stop word somewhere: its passages are not in the postings
            numbers = {self._terms.find(term) for term in own} - {-1}
            lists = [self._postings(number)[0] for number in sorted(numbers)]
            rows = np.unique(np.concatenate(lists)) if lists else np.zeros(0, dtype=np.int64)
            candidates = rows if candidates is None else np.intersect1d(candidates, rows)
        return None if candidates is None else candidates.astype(np.int64)


def _write_scores(forward: Forward, folder: Path) -> None:
    """Terms, their scores and the passages' lengths, from the token sequences."""
    import scipy.sparse as sp

    from indexes.bm25 import Bm25

    strings = forward.vocabulary.strings()
    by_language: dict[int, tuple[IdArray, list[str]]] = {}
    for number, code in enumerate(forward.languages):
        own = forward.used(np.flatnonzero(forward.language_of == number).astype(np.int64))
        by_language[number] = own, stems([strings[token] for token in own], code)
    terms = sorted({term for _, own in by_language.values() for term in own if term})
    place = {term: index for index, term in enumerate(terms)} | {"": -1}
    term_of = np.full((len(forward.languages), len(strings)), -1, dtype=np.int32)
    for number, (own, found) in by_language.items():
        term_of[number, own] = [place[term] for term in found]
    flat, lengths = [], np.zeros(len(forward), dtype=np.int32)
    for rows in forward.batches(np.arange(len(forward), dtype=np.int64)):
        ids, where = forward.gathered(rows)
        counted = term_of[forward.language_of[rows][where], ids]
        scored = counted >= 0
        lengths[rows] = np.bincount(where[scored], minlength=len(rows))
        flat.append(counted[scored])
    columns = np.concatenate(flat) if flat else np.zeros(0, dtype=np.int32)
    starts = np.zeros(len(forward) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    occurrence = sp.csr_matrix(
        (np.ones(len(columns), dtype=np.int32), columns, starts),
        shape=(len(forward), len(terms)),
    )
    engine = Bm25(k1=K1, b=B, method="lucene")
    engine.scores = engine.build_index_from_ids(range(len(terms)), occurrence)
    engine.vocab_dict = {}  # the terms have a file of their own, which need not be loaded
    engine.save(str(folder), show_progress=False)
    Vocabulary.write(terms, folder, "terms")
    np.save(folder / "lengths.npy", lengths)


@contextmanager
def _damage_named(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        raise _damaged(place, error) from error


def _damaged(place: Path, error: Exception) -> IndexCorruptError:
    return IndexCorruptError(
        f"the lexical index in {place} is damaged: {error}",
        remedy="run `assistant index build` again",
    )


def english_stemmer() -> Any:
    """The Snowball stemmer for English; not to be shared between threads."""
    import Stemmer

    return Stemmer.Stemmer("english")
