"""Lexical search: BM25 by the library bm25s over stems, identifiers and pairs of characters.

bm25s because its scores are computed when the index is built, its files are memory-mapped, and k1
and b are free. tantivy and SQLite's FTS5 add in place, but both fix k1 and b at 1.2 and .75 (which
is why they rank differently: so does bm25s with these), tantivy counts deleted documents until it
merges, so that equal collections can score differently, and FTS5 takes tens of times as long for a
question (`benchmarks/lexical.py`). bm25s cannot add in place. So the tokens of every passage are
kept beside it (`forward.py`): a change cuts into tokens only what is new, and the scores, all of
which depend on the whole collection, are computed anew from numbers (`term_scores.py`). A token is
in the files only while a passage has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from indexes.carried import Allowed, Carried, RowArray
from indexes.encoders import FloatArray
from indexes.errors import IndexCorruptError
from indexes.lexical import tokens
from indexes.lexical.bm25 import K1, B
from indexes.lexical.forward import Forward
from indexes.lexical.languages import VERBATIM, language_code, stems
from indexes.lexical.phrases import occurrences, quoted
from indexes.lexical.term_scores import Postings
from indexes.ranking import Ranking, top

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

    def __init__(self, postings: Postings, forward: Forward, folder: Path) -> None:
        self._postings, self._forward, self._folder = postings, forward, folder
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
        Postings.write(Forward.open(folder), folder)

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Open what `build` wrote, memory-mapped.

        Raises:
            IndexCorruptError: a file is missing or cannot be read.
        """
        with _damage_named(folder):
            forward, postings = Forward.open(folder), Postings.open(folder)
            if len(forward) != len(postings):
                raise ValueError("terms and passages do not fit together")
        return cls(postings, forward, folder)

    def terms(self, text: str) -> list[str]:
        """The stems of a text that the index knows: what a query is matched by."""
        with _damage_named(self._folder):
            names = [name.removeprefix(VERBATIM) for name, _ in self._known(text)]
        return list(dict.fromkeys(names))

    def search(
        self,
        query: str,
        depth: int,
        allowed: Allowed | None = None,
        *,
        require_phrases: bool = True,
    ) -> Ranking:
        """The best `depth` rows with a score above 0, of those that `allowed` allows.

        Args:
            require_phrases: find only what holds every phrase of the query; nothing is found if
                one of them is in no passage (`phrase_rows` tells). Otherwise a phrase is only one
                more term: the names in quotation marks of a question are rarely meant as a filter.

        Raises:
            IndexCorruptError: a file does not hold what it should.
        """
        with _damage_named(self._folder):
            phrases = self._phrases(query)
            scores = np.zeros(self.size, dtype=np.float32)
            for part in [*self._parts(query), *phrases]:
                scores[part.rows] += np.float32(part.weight) * part.scores
            for phrase in phrases if require_phrases else ():
                scores[~self._mask(phrase.rows)] = 0
            if allowed is not None:
                scores[~allowed] = 0
            return top(scores, depth)

    def phrase_rows(self, query: str) -> Allowed | None:
        """Which rows hold all phrases of a query as written; None if it has no phrase."""
        allowed: Allowed | None = None
        with _damage_named(self._folder):
            for phrase in self._phrases(query):
                mask = self._mask(phrase.rows)
                allowed = mask if allowed is None else allowed & mask
        return allowed

    def matches(self, query: str, rows: Sequence[int]) -> list[list[tuple[str, float, float]]]:
        """For each row the terms and phrases of a query that it has: name, weight, score.

        The products of weight (in the query) and score (in the row) add up to the row's score.
        """
        found: list[list[tuple[str, float, float]]] = [[] for _ in rows]
        with _damage_named(self._folder):
            parts = [*self._parts(query), *self._phrases(query)]
        for part in parts:
            name = part.name.removeprefix(VERBATIM)
            places = np.searchsorted(part.rows, rows)
            for own, row, place in zip(found, rows, places.tolist(), strict=True):
                if place < len(part.rows) and part.rows[place] == row:
                    own.append((name, float(part.weight), float(part.scores[place])))
        return found

    def _mask(self, rows: RowArray) -> Allowed:
        mask = np.zeros(self.size, dtype=bool)
        mask[rows] = True
        return mask

    def _parts(self, query: str) -> list[_Part]:
        """A query's terms; one that is written twice counts twice."""
        weights: dict[tuple[str, int], float] = {}
        for term in self._known(query):
            weights[term] = weights.get(term, 0.0) + 1.0
        parts = {
            name: _Part(name, *self._postings.of(number), weight)
            for (name, number), weight in weights.items()
        }
        asked = tokens.identifiers(query)
        if set(tokens.words(query)) <= {w for found in asked for w in tokens.words(found.whole)}:
            for identifier in asked:
                self._lift(identifier, parts)
        return list(parts.values())

    def _lift(self, identifier: tokens.Identifier, parts: dict[str, _Part]) -> None:
        """Where nothing but identifiers is asked for, weigh one so that each passage that has it
        comes before those that have its parts only."""
        whole = VERBATIM + identifier.whole
        if whole not in parts:
            return
        pieces = " ".join((identifier.whole, *identifier.parts))
        others = {name for name, _ in self._known(pieces)} & set(parts) - {whole}
        most = sum(parts[name].weight * float(parts[name].scores.max()) for name in others)
        least = float(parts[whole].scores.min())
        parts[whole] = replace(parts[whole], weight=max(1.0, most / least))

    def _known(self, text: str) -> list[tuple[str, int]]:
        """The terms of a text that the index has, in order, with their numbers.

        A word is taken in every language of the index; it counts once for each distinct stem. One
        that is a stop word in any of them is left out: in the few passages of another language it
        is rare, and would weigh more than all that the query is about.
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
            if all(own)
            for term in dict.fromkeys(own)
            if (number := self._postings.terms.find(term)) >= 0
        ]

    def _phrases(self, query: str) -> list[_Part]:
        parts = []
        for phrase in quoted(query):
            rows, counts = occurrences(self._forward, phrase, self._candidates(phrase))
            scores = self._postings.scored(rows, counts)
            parts.append(_Part(f"“{' '.join(phrase)}”", rows, scores))
        return parts

    def _candidates(self, phrase: Sequence[str]) -> RowArray | None:
        """Rows that have all the words of a phrase that every language counts; None for all."""
        by_language = [stems(phrase, code) for code in self._forward.languages]
        candidates: RowArray | None = None
        for own in zip(*by_language, strict=True):
            if not all(own):
                continue  # a stop word somewhere: its passages are not in the postings
            numbers = {self._postings.terms.find(term) for term in own} - {-1}
            lists = [self._postings.of(number)[0] for number in sorted(numbers)]
            rows = np.unique(np.concatenate(lists)) if lists else np.zeros(0, dtype=np.int64)
            candidates = rows if candidates is None else np.intersect1d(candidates, rows)
        return candidates if candidates is None else np.asarray(candidates, dtype=np.int64)


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
