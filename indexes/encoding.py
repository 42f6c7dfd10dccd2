"""Encoding the texts of an index in resumable shards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from indexes.borrowing import borrow
from indexes.encoders import DenseEncoder, SparseEncoder
from indexes.encodings import EncodingCache, pack_terms, pack_vector
from indexes.progress import OnProgress, Progress

# A shard is what a kill can cost. It is measured in characters, since that is what encoding time
# goes by; the first is small, and the next ones are as large as the speed so far allows.
_SHARD_SECONDS = 4.0
_FIRST_SHARD = 50_000
_SMALLEST_SHARD, _LARGEST_SHARD = 10_000, 50_000_000

Encode = Callable[[Sequence[str]], list[bytes]]


class Encoding:
    """The encodings of `texts` by one encoder, through the cache.

    Args:
        cache: where encodings are looked up and kept.
        fingerprint: the encoder's.
        texts: what to encode; `keys` are their cache keys, in the same order.
        stage: the name under which progress is reported.

    Attributes:
        borrowed: how many encodings `run` took over from other indexes instead of making them.
    """

    def __init__(
        self,
        cache: EncodingCache,
        fingerprint: str,
        texts: Sequence[str],
        keys: Sequence[bytes],
        on_progress: OnProgress,
        stage: str,
    ) -> None:
        self._cache = cache
        self._fingerprint = fingerprint
        self._texts = dict(zip(keys, texts, strict=True))
        self._keys = keys
        self._report = on_progress
        self._stage = stage
        self.borrowed = 0

    def run(self, encode: Encode) -> int:
        """Encode what the cache lacks; returns how many texts that were."""
        missing = self._cache.missing(self._fingerprint, self._keys)
        if missing:
            taken = borrow(self._cache, self._fingerprint, missing)
            self.borrowed = len(taken)
            missing -= taken
        # Texts of equal length beside each other: a batch then has almost no padding.
        order = sorted(missing, key=lambda key: (len(self._texts[key]), key))
        total = sum(len(self._texts[key]) for key in order)
        started, characters, done = time.monotonic(), 0, 0
        self._progress(0, len(order), 0.0, None)
        for shard in self._shards(order):
            texts = [self._texts[key] for key in shard]
            self._cache.put(self._fingerprint, zip(shard, encode(texts), strict=True))
            done += len(shard)
            characters += sum(map(len, texts))
            seconds = time.monotonic() - started
            # Long texts come last, so time goes by characters, not by texts.
            self._progress(
                done, len(order), seconds, seconds * (total - characters) / max(characters, 1)
            )
        return len(order)

    def _shards(self, order: Sequence[bytes]) -> Iterator[list[bytes]]:
        """Cut keys into shards that take about `_SHARD_SECONDS` to be worked on."""
        size: float = _FIRST_SHARD
        begin = 0
        while begin < len(order):
            end, characters = begin, 0
            while end < len(order) and (characters < size or end == begin):
                characters += len(self._texts[order[end]]) + 1
                end += 1
            started = time.monotonic()
            yield list(order[begin:end])
            speed = characters / max(time.monotonic() - started, 1e-6)
            size = min(max(speed * _SHARD_SECONDS, _SMALLEST_SHARD), _LARGEST_SHARD)
            begin = end

    def results(self) -> Iterator[bytes]:
        """Every text's encoding, in the order of `keys`."""
        return self._cache.results(self._fingerprint, self._keys)

    def _progress(self, done: int, total: int, seconds: float, remaining: float | None) -> None:
        self._report(Progress(self._stage, done, total, "passages", seconds, remaining))


def encode_dense(encoder: DenseEncoder | SparseEncoder) -> Encode:
    """Texts to packed vectors."""

    def encode(texts: Sequence[str]) -> list[bytes]:
        return [pack_vector(vector) for vector in encoder.encode(texts)]  # type: ignore[arg-type]

    return encode


def encode_sparse(encoder: DenseEncoder | SparseEncoder) -> Encode:
    """Texts to packed term weights."""

    def encode(texts: Sequence[str]) -> list[bytes]:
        return pack_terms(encoder.encode(texts))

    return encode
