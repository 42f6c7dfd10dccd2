"""A dense and a lexical ranking of a corpus in memory, for choosing training data.

The index of the assistant is not used: a machine that trains has torch alone.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from assistant.distillation.encoding import encode
from assistant.distillation.loop import pick_device
from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.students import load_model, load_tokenizer

_WORD = re.compile(r"\w+")
_CHUNK = 256  # queries at a time
_MOST = 256  # tokens of a text
K1, B = 1.2, 0.75

Encode = Callable[[Sequence[str]], Tensor]
"""Texts to unit vectors (N, D)."""


def words(text: str) -> list[str]:
    """Lower-case words."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a query: passages by number, best first, and the fused scores of all.

    `fused` is the mean of both scores, each scaled to [0, 1] over what was found; it has the
    query's own passage too, even where neither found it.
    """

    dense: list[int]
    lexical: list[int]
    fused: dict[int, float]


class Bm25:
    """Okapi BM25 (Robertson and Zaragoza, 2009) as one sparse matrix, (passages × words)."""

    def __init__(self, passages: Sequence[str], device: torch.device) -> None:
        self._number: dict[str, int] = {}
        rows = [Counter(words(passage)) for passage in passages]
        average = sum(sum(row.values()) for row in rows) / max(1, len(rows))
        documents: Counter[int] = Counter()
        bounds, columns, values = [0], [], []
        for row in rows:
            length = sum(row.values())
            for word, count in row.items():
                column = self._number.setdefault(word, len(self._number))
                documents[column] += 1
                columns.append(column)
                values.append(count * (K1 + 1) / (count + K1 * (1 - B + B * length / average)))
            bounds.append(len(columns))
        size = max(1, len(self._number))
        held = torch.tensor([float(documents[column]) for column in range(size)])
        idf = torch.log1p((len(rows) - held + 0.5) / (held + 0.5))
        places = torch.tensor(columns, dtype=torch.int64)
        weights = torch.tensor(values, dtype=torch.float32) * idf[places]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls its sparse matrices a beta
            self._matrix = torch.sparse_csr_tensor(
                torch.tensor(bounds, dtype=torch.int64), places, weights, (len(rows), size)
            ).to(device)
        self._size, self._device = size, device

    def scores(self, queries: Sequence[str]) -> Tensor:
        """(Q, passages)."""
        rows, columns = [], []
        for row, query in enumerate(queries):
            for word in set(words(query)):
                if (column := self._number.get(word)) is not None:
                    rows.append(row)
                    columns.append(column)
        asked = torch.zeros(self._size, len(queries), device=self._device)
        places = torch.tensor([columns, rows], dtype=torch.int64, device=self._device)
        asked[places[0], places[1]] = 1.0
        return (self._matrix @ asked).T


class Searcher:
    """Both rankings over one corpus."""

    def __init__(
        self, passages: Sequence[str], vectors: Tensor, encode: Encode, depth: int
    ) -> None:
        self._passages = list(passages)
        self._vectors = vectors
        self._encode = encode
        self._depth = depth
        self._lexical = Bm25(passages, vectors.device)

    @classmethod
    def over(cls, passages: Sequence[str], encoder: Path, *, depth: int = 50) -> Searcher:
        """Encode a corpus.

        Args:
            encoder: a BERT-like embedder's folder; its vectors are means of its last layer.
            depth: how many passages each ranking brings.
        """
        model = load_model(encoder, "embed").eval().to(pick_device())
        table = TokenTable(load_tokenizer(encoder), _MOST)

        def encoded(texts: Sequence[str]) -> Tensor:
            return encode(model, table, texts, _MOST)

        return cls(passages, encoded(passages), encoded, depth)

    def extended(self, passages: Sequence[str]) -> Searcher:
        """Over more passages, which begin with those that there are."""
        new = self._encode(passages[len(self._passages) :])
        return Searcher(passages, torch.cat([self._vectors, new]), self._encode, self._depth)

    def search(self, asked: Sequence[tuple[str, int]]) -> Iterator[Found]:
        """For queries with the number of their own passage, in order."""
        vectors = self._encode([query for query, _ in asked])
        depth = min(self._depth, len(self._passages))
        for at in range(0, len(asked), _CHUNK):
            part = asked[at : at + _CHUNK]
            dense = vectors[at : at + _CHUNK] @ self._vectors.T
            lexical = self._lexical.scores([query for query, _ in part])
            tops = [scores.topk(depth, dim=1).indices for scores in (dense, lexical)]
            own = torch.tensor([[number] for _, number in part], device=dense.device)
            places = torch.cat([*tops, own], dim=1)
            # min and max over what was found, the own passage apart
            fused = sum(_scaled(scores.gather(1, places)) for scores in (dense, lexical)) / 2
            numbers = [top.tolist() for top in tops]
            for row, (names, values) in enumerate(
                zip(places.tolist(), torch.as_tensor(fused).tolist(), strict=True)
            ):
                yield Found(numbers[0][row], numbers[1][row], dict(zip(names, values, strict=True)))


def _scaled(scores: Tensor) -> Tensor:
    found = scores[:, :-1]
    low, high = found.amin(1, keepdim=True), found.amax(1, keepdim=True)
    return ((scores - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)
