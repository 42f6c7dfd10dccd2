"""Likeness of a response to reference answers: by words in order, and by meaning of sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from indexes.encoders import DenseEncoder, FloatArray
from indexes.sentences import split_sentences

_WORD = re.compile(r"\w+")


def word_tokens(text: str) -> list[str]:
    """Lower-cased runs of letters, digits and underscores; nothing is stemmed or left out."""
    return _WORD.findall(text.lower())


def longest_common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Number of tokens of the longest common subsequence; O(len(a) · len(b)) time."""
    if len(b) > len(a):
        a, b = b, a
    row = [0] * (len(b) + 1)
    for token in a:
        diagonal = 0
        for position, other in enumerate(b, start=1):
            above = row[position]
            row[position] = diagonal + 1 if token == other else max(above, row[position - 1])
            diagonal = above
    return row[-1]


def rouge_l(response: str, references: Sequence[str]) -> float:
    """ROUGE-L F1 in [0, 1] against the best reference (Lin, 2004, "ROUGE", equations 2 to 4).

    The whole text is one sequence (the sentence-level form), beta is 1. The official package adds
    stemming as an option and `rouge_score` splits at everything that is not a-z or 0-9: values
    differ from theirs in the third decimal where texts hold other letters.
    """
    words = word_tokens(response)
    return max((_rouge_l(words, word_tokens(reference)) for reference in references), default=0.0)


def _rouge_l(response: Sequence[str], reference: Sequence[str]) -> float:
    if not response or not reference:
        return 0.0
    # F1 of LCS/len(response) and LCS/len(reference)
    return 2 * longest_common_subsequence(response, reference) / (len(response) + len(reference))


def similarity(response: str, references: Sequence[str], encoder: DenseEncoder) -> float:
    """Likeness of meaning in [0, 1] against the best reference, sentence by sentence.

    Greedy matching as in BERTScore (Zhang et al., 2020, arXiv 1904.09675, equation 1), but of
    whole sentences by the cosine of a sentence encoder, with neither idf weights nor rescaling.
    It is *not* BERTScore and must not be reported as such. Each sentence of the reference takes
    its best sentence of the response (recall), the other way round (precision), F1 of both means;
    negative cosines count 0.
    """
    written = sentences(response)
    wanted = [found for reference in references if (found := sentences(reference))]
    if not written or not wanted:
        return 0.0
    vectors = encoder.encode([*written, *(text for found in wanted for text in found)])
    ours, start, best = vectors[: len(written)], len(written), 0.0
    for found in wanted:
        best = max(best, matched_f1(ours, vectors[start : start + len(found)]))
        start += len(found)
    return best


def matched_f1(response: FloatArray, reference: FloatArray) -> float:
    """F1 of the greedy matching of unit vectors, shapes (sentences, dimensions)."""
    cosines = np.clip(response @ reference.T, 0.0, 1.0)
    precision, recall = float(cosines.max(axis=1).mean()), float(cosines.max(axis=0).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def sentences(text: str) -> list[str]:
    """The sentences that hold a letter or digit."""
    found = (" ".join(text[start:end].split()) for start, end in split_sentences(text))
    return [sentence for sentence in found if _WORD.search(sentence)]
