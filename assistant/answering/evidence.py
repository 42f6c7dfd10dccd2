"""Choosing the sentences that a reader is shown.

A small model on two cores reads about sixty tokens a second, so five whole passages would cost
half a minute before the first word. Each sentence of the found passages is scored against the
question, and the best are taken until the budget is spent, in their passages' order.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from assistant.events import FoundPassage
from assistant.understanding.stems import stems
from indexes.encoders import DenseEncoder
from indexes.sentences import split_sentences

# How much each signal counts in a sentence's score: meaning, words, the passage's own rank.
_MEANING, _WORDS, _PASSAGE = 0.55, 0.30, 0.15
# A sentence far below the best one costs reading time and distracts a small model.
_WORTH_READING = 0.4
_MAX_ENCODED = 48  # sentences per question; the rest is ruled out by words and rank

_REFERS_BACK = re.compile(
    r"^(it|its|they|their|he|his|she|her|this|these|those|that|such|however|but|also|then)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage. `start`/`end` are offsets in the *document*; `score` in [0, 1]."""

    number: int
    position: int
    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the reader is shown.

    `sentences` are in reading order (by passage number, then position); `best` the same, best
    first; `omitted` counts the sentences of the passages that are not shown. Where everything is
    shown, `select` gives what is worth reading of it, scored.
    """

    sentences: tuple[Sentence, ...]
    omitted: int
    tokens: int
    select: Callable[[], Evidence] | None = field(default=None, compare=False, repr=False)

    @property
    def best(self) -> list[Sentence]:
        return sorted(self.sentences, key=lambda s: (-s.score, s.number, s.position))

    @property
    def numbers(self) -> list[int]:
        """The passages shown, in reading order."""
        return list(dict.fromkeys(sentence.number for sentence in self.sentences))


def estimate_tokens(text: str) -> int:
    """About how many model tokens a text has: four characters each, and not below its words."""
    return max(math.ceil(len(text) / 4), len(text.split()))


def sentences_of(passages: Sequence[FoundPassage], without: Collection[str] = ()) -> list[Sentence]:
    """Every sentence of the passages, unscored, in reading order; repeated ones once.

    Args:
        without: sentences that are left out.
    """
    found: list[Sentence] = []
    seen = {" ".join(text.split()) for text in without}
    for passage in passages:
        for position, (begin, end) in enumerate(split_sentences(passage.text)):
            text = " ".join(passage.text[begin:end].split())
            if text and text not in seen:
                seen.add(text)
                start = passage.start + begin
                found.append(
                    Sentence(passage.number, position, text, start, passage.start + end, 0.0)
                )
    return found


def gather_evidence(
    question: str,
    passages: Sequence[FoundPassage],
    encoder: DenseEncoder | None,
    *,
    everything: bool,
    budget: int,
    carried: Sequence[str] = (),
    without: Collection[str] = (),
) -> Evidence:
    """What a reader is shown: all of the passages where it reads `everything`, else a selection.

    The other arguments are those of `select_evidence`.
    """
    select = partial(
        select_evidence,
        question,
        passages,
        encoder,
        budget=budget,
        carried=carried,
        without=without,
    )
    return whole_evidence(passages, without, select) if everything else select()


def whole_evidence(
    passages: Sequence[FoundPassage],
    without: Collection[str] = (),
    select: Callable[[], Evidence] | None = None,
) -> Evidence:
    """Every sentence of the passages but those `without`, unscored."""
    sentences = tuple(sentences_of(passages, without))
    return Evidence(sentences, 0, sum(estimate_tokens(s.text) for s in sentences), select)


def select_evidence(
    question: str,
    passages: Sequence[FoundPassage],
    encoder: DenseEncoder | None,
    *,
    budget: int,
    carried: Sequence[str] = (),
    without: Collection[str] = (),
) -> Evidence:
    """The sentences worth reading, within `budget` tokens.

    Args:
        question: as it was asked.
        carried: phrases that earlier messages add to it; they say what it is about, not what is
            wanted, so they count half.
        encoder: scores meaning; without one (weights not installed) words decide alone.
        budget: estimated tokens of all chosen sentences together.
        without: sentences that are not to be read.
    """
    everything = sentences_of(passages, without)
    candidates = _promising(question, everything, passages, carried)
    sentences = score_sentences(question, candidates, passages, encoder, carried=carried)
    by_place = {(s.number, s.position): s for s in sentences}
    chosen: dict[tuple[int, int], Sentence] = {}
    spent = 0
    floor = _WORTH_READING * max((s.score for s in sentences), default=0.0)
    for sentence in sorted(sentences, key=lambda s: (-s.score, s.number, s.position)):
        if sentence.score < floor:
            break
        wanted = [sentence]
        before = by_place.get((sentence.number, sentence.position - 1))
        if before is not None and _REFERS_BACK.match(sentence.text):
            wanted.insert(0, before)  # "It was built…" needs the sentence that says what
        new = [s for s in wanted if (s.number, s.position) not in chosen]
        cost = sum(estimate_tokens(s.text) for s in new)
        if chosen and spent + cost > budget:
            continue
        spent += cost
        chosen.update({(s.number, s.position): s for s in new})
        if spent >= budget:
            break
    ordered = tuple(chosen[place] for place in sorted(chosen))
    return Evidence(ordered, len(everything) - len(ordered), spent)


def _promising(
    question: str,
    sentences: Sequence[Sentence],
    passages: Sequence[FoundPassage],
    carried: Sequence[str],
) -> list[Sentence]:
    """The sentences worth encoding, in reading order: encoding is what takes time here."""
    if len(sentences) <= _MAX_ENCODED:
        return list(sentences)
    cheap = score_sentences(question, sentences, passages, None, carried=carried)
    best = sorted(cheap, key=lambda s: (-s.score, s.number, s.position))[:_MAX_ENCODED]
    return sorted(best, key=lambda s: (s.number, s.position))


def score_sentences(
    question: str,
    sentences: Sequence[Sentence],
    passages: Sequence[FoundPassage],
    encoder: DenseEncoder | None,
    *,
    carried: Sequence[str] = (),
) -> list[Sentence]:
    """The same sentences with scores in [0, 1]: how likely each helps to answer."""
    if not sentences:
        return []
    words = _word_scores(question, carried, [s.text for s in sentences])
    meaning = words
    if encoder is not None:
        titles = {p.number: p.title for p in passages}
        # The title says what "it" is in a passage from the middle of a document.
        texts = [f"{titles[s.number]}: {s.text}" for s in sentences]
        asked = [question, " ".join([question, *carried])] if carried else [question]
        vectors = encoder.encode([*asked, *texts])
        queries, found = vectors[: len(asked)], vectors[len(asked) :]
        meaning = np.clip((found @ queries.T).mean(axis=1), 0, 1)
    ranks = {p.number: p.score for p in passages}
    return [
        Sentence(
            s.number,
            s.position,
            s.text,
            s.start,
            s.end,
            float(_MEANING * m + _WORDS * w + _PASSAGE * min(max(ranks[s.number], 0.0), 1.0)),
        )
        for s, m, w in zip(sentences, meaning, words, strict=True)
    ]


def _word_scores(question: str, carried: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """Share of the question's stems found in each text, rare ones counting more. Shape (n,)."""
    bags = [set(stems(text)) for text in texts]
    frequency = Counter(word for bag in bags for word in bag)
    importance = {word: 0.5 for phrase in carried for word in stems(phrase)}
    importance.update(dict.fromkeys(stems(question), 1.0))
    weights = {
        word: share * math.log(1 + len(bags) / (0.5 + frequency[word]))
        for word, share in importance.items()
    }
    total = sum(weights.values())
    if total == 0:
        return np.zeros(len(bags))
    return np.array([sum(w for t, w in weights.items() if t in bag) / total for bag in bags])
