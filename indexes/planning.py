"""What a change would cost, before anything is written: passages, seconds, bytes.

The documents that would be read are read, up to a limit of number and time; the rest is taken to
be like them. Seconds are those of encoding, which is nearly all that a build does, from the rate
that the encoders had when they last worked on this index or else from a short trial.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexes.changes import Changes
from indexes.chunking import Chunker
from indexes.documents import Entry, Passage
from indexes.encoders import DenseEncoder, Encoders, SparseEncoder
from indexes.encodings import EncodingCache, text_key
from indexes.errors import KnowledgeAssistantError
from indexes.manifest import Manifest
from indexes.structures import CACHE

_READ_AT_MOST = 64  # documents
_SECONDS_AT_MOST = 5.0
_TRIAL = 32  # passages
# Where there is no index to measure: a passage's text and its share of the lexical structure take
# about four bytes a character; its vector and about 200 sparse terms, once in the structures and
# once in the cache, these many bytes.
_BYTES_A_CHARACTER = 4
_TERMS, _BYTES_A_TERM = 200, 8


@dataclass(frozen=True, slots=True)
class Cost:
    """What a change would cost.

    Attributes:
        documents: how many would be read.
        passages: how many they would give.
        to_encode: how many of those have no encoding yet.
        seconds: of encoding; None where the encoders' weights are missing.
        bytes: what the index would grow by; what is removed is not deducted.
        read: how many documents were read for this; fewer than `documents`: it is an estimate.
    """

    documents: int
    passages: int
    to_encode: int
    seconds: float | None
    bytes: int
    read: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build would change, and what it would cost."""

    changes: Changes
    cost: Cost


def cost_of(
    to_read: Sequence[Entry],
    chunker: Chunker,
    encoders: Encoders,
    folder: Path,
    manifest: Manifest | None,
) -> Cost:
    """The cost of reading and encoding these entries into the index in `folder`.

    Args:
        manifest: of the published index; None where there is none.
    """
    sample = _spread(to_read, _READ_AT_MOST)
    passages, read = _passages_of(sample, chunker)
    scale = len(to_read) / read if read else 0.0
    missing = _not_encoded(passages, folder, manifest)
    to_encode = round(len(missing) * scale)
    return Cost(
        documents=len(to_read),
        passages=round(len(passages) * scale),
        to_encode=to_encode,
        seconds=_seconds(missing, to_encode, encoders, manifest),
        bytes=round(_bytes(passages, folder, manifest) * scale),
        read=read,
    )


def seconds_anew(manifest: Manifest) -> float | None:
    """Seconds of encoding that building the whole index anew takes, at the rates that its encoders
    had; None where a stage or its rate is not known."""
    rates = [s.rate if (s := manifest.stages.get(name)) else 0.0 for name in ("dense", "sparse")]
    return sum(manifest.passages / rate for rate in rates) if all(rates) else None


def _spread(entries: Sequence[Entry], most: int) -> list[Entry]:
    """At most so many entries, evenly spread."""
    if len(entries) <= most:
        return list(entries)
    return [entries[round(number * (len(entries) - 1) / (most - 1))] for number in range(most)]


def _passages_of(entries: Sequence[Entry], chunker: Chunker) -> tuple[list[Passage], int]:
    passages: list[Passage] = []
    started, read = time.monotonic(), 0
    for entry in entries:
        if read and time.monotonic() - started > _SECONDS_AT_MOST:
            break
        read += 1
        try:
            passages += chunker.split(entry.load())
        except Exception:  # noqa: BLE001 - the build will say what is wrong with this document
            continue
    return passages, read


def _not_encoded(passages: Sequence[Passage], folder: Path, manifest: Manifest | None) -> list[str]:
    """The different texts that one of the stages in force has no encoding of."""
    texts = {text_key(passage.indexed_text): passage.indexed_text for passage in passages}
    stages = [manifest.stages.get(name) for name in ("dense", "sparse")] if manifest else [None]
    if not (folder / CACHE).exists() or None in stages:
        return list(texts.values())
    cache = EncodingCache(folder / CACHE)
    try:
        missing: set[bytes] = set()
        for stage in stages:
            missing |= cache.missing(stage.fingerprint if stage else "", list(texts))
    finally:
        cache.close()
    return [text for key, text in texts.items() if key in missing]


def _seconds(
    sample: Sequence[str], count: int, encoders: Encoders, manifest: Manifest | None
) -> float | None:
    if not count:
        return 0.0
    seconds = 0.0
    for name in ("dense", "sparse"):
        stage = manifest.stages.get(name) if manifest else None
        rate = stage.rate if stage else 0.0
        if not rate:
            try:
                encoder = encoders.dense() if name == "dense" else encoders.sparse()
            except KnowledgeAssistantError:
                return None
            rate = _rate(encoder, _spread_texts(sample))
        seconds += count / rate
    return round(seconds, 1)


def _spread_texts(texts: Sequence[str]) -> list[str]:
    step = max(1, len(texts) // _TRIAL)
    return list(texts[::step][:_TRIAL])


def _rate(encoder: DenseEncoder | SparseEncoder, texts: Sequence[str]) -> float:
    """Texts a second, after a first call that warms the encoder up."""
    encoder.encode(texts[:1])
    started = time.monotonic()
    encoder.encode(texts)
    return len(texts) / max(time.monotonic() - started, 1e-6)


def _bytes(passages: Sequence[Passage], folder: Path, manifest: Manifest | None) -> int:
    if manifest is not None and manifest.passages and not manifest.missing_stages:
        whole = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return whole * len(passages) // manifest.passages
    characters = sum(len(passage.indexed_text) for passage in passages)
    encodings = 2 * (_TERMS * _BYTES_A_TERM + 4 * 384)
    return characters * _BYTES_A_CHARACTER + len(passages) * encodings
