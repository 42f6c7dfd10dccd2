"""The cache of encodings: nothing is encoded twice, in any index; what is deleted is gone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from indexes.encoders.batching import batches
from indexes.encoding import Encoding, encode_dense, encode_sparse
from indexes.encodings import EncodingCache, pack_terms, text_key, unpack_terms, unpack_vector
from tests.fast.indexes.sources import HashedDense, HashedSparse

TEXTS = [f"passage number {number} says {'word ' * (number % 40)}" for number in range(700)]


def _cache(home: Path, name: str) -> EncodingCache:
    (home / name).mkdir(exist_ok=True)
    return EncodingCache(home / name / "encodings.sqlite")


def _encoding(cache: EncodingCache, texts: list[str], fingerprint: str = "e") -> Encoding:
    keys = [text_key(text) for text in texts]
    return Encoding(cache, fingerprint, texts, keys, lambda progress: None, "dense")


def test_results_come_in_order_and_are_encoded_once(tmp_path: Path) -> None:
    encoder = HashedDense()
    cache = _cache(tmp_path, "one")
    texts = [*TEXTS, TEXTS[3]]
    assert _encoding(cache, TEXTS[:10]).run(encode_dense(encoder)) == 10
    work = _encoding(cache, texts)
    assert work.run(encode_dense(encoder)) == len(TEXTS) - 10
    assert encoder.encoded == len(TEXTS)
    found = np.stack([unpack_vector(data) for data in work.results()])
    assert np.array_equal(found, HashedDense().encode(texts))


def test_what_was_encoded_before_a_kill_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexes.encoding._FIRST_SHARD", 2000)
    monkeypatch.setattr("indexes.encoding._SMALLEST_SHARD", 2000)
    monkeypatch.setattr("indexes.encoding._LARGEST_SHARD", 2000)
    encoder, calls = HashedDense(), []

    def killed(texts: list[str]) -> list[bytes]:
        calls.append(len(texts))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return encode_dense(encoder)(texts)

    with pytest.raises(KeyboardInterrupt):
        _encoding(_cache(tmp_path, "one"), TEXTS).run(killed)  # type: ignore[arg-type]
    done = sum(calls[:3])
    assert 0 < done < len(TEXTS)
    resumed = _encoding(_cache(tmp_path, "one"), TEXTS)
    assert resumed.run(encode_dense(encoder)) == len(TEXTS) - done


def test_missing_get_and_results_of_what_was_never_stored(tmp_path: Path) -> None:
    cache = _cache(tmp_path, "one")
    keys = [text_key(text) for text in TEXTS]
    cache.put("e", [(key, key) for key in keys[::2]])
    assert cache.missing("e", keys) == set(keys[1::2])
    assert cache.missing("other", keys) == set(keys)
    assert cache.get("e", keys[0]) == keys[0]
    with pytest.raises(KeyError):
        cache.get("e", keys[1])
    with pytest.raises(KeyError):
        list(cache.results("e", keys))


@pytest.mark.parametrize(("encoders", "left"), [(None, 4), ({"a"}, 2), (set(), 0)])
def test_keep_only_forgets_other_texts_and_encoders(
    tmp_path: Path, encoders: set[str] | None, left: int
) -> None:
    cache = _cache(tmp_path, "one")
    keys = [text_key(text) for text in TEXTS[:5]]
    for encoder in ("a", "b"):
        cache.put(encoder, [(key, b"secret" + key) for key in keys])
    assert cache.keep_only(encoders, set(keys[:2])) == 10 - left
    assert len(keys) - len(cache.missing("a", keys)) == min(left, 2)
    cache.close()
    stored = (tmp_path / "one" / "encodings.sqlite").read_bytes()
    assert keys[4] not in stored
    assert (keys[0] in stored) == (left > 0)


def test_an_encoding_of_another_index_is_borrowed_not_made_again(tmp_path: Path) -> None:
    encoder = HashedSparse()
    first = _cache(tmp_path, "first")
    _encoding(first, TEXTS[:600]).run(encode_sparse(encoder))
    before = (tmp_path / "first" / "encodings.sqlite").read_bytes()
    second = _cache(tmp_path, "second")
    work = _encoding(second, TEXTS[550:])
    assert (work.run(encode_sparse(encoder)), work.borrowed) == (100, 50)
    assert encoder.encoded == len(TEXTS)
    assert list(work.results())[:50] == list(_encoding(first, TEXTS[550:600]).results())
    # Only what it asked for came over, and nothing changed where it came from.
    assert len(second.missing("e", [text_key(text) for text in TEXTS])) == 550
    assert (tmp_path / "first" / "encodings.sqlite").read_bytes() == before
    assert _encoding(_cache(tmp_path, "third"), TEXTS[:5], "other").run(encode_sparse(encoder)) == 5


@pytest.mark.parametrize("damage", ["cut", "no database", "other table", "locked", "odd data"])
def test_a_damaged_or_locked_neighbour_is_passed_over(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexes.borrowing._SECONDS", 0.01)
    encoder = HashedDense()
    cache = _cache(tmp_path, "first")
    _encoding(cache, TEXTS[:50]).run(encode_dense(encoder))
    cache.close()
    path = tmp_path / "first" / "encodings.sqlite"
    lock = sqlite3.connect(path)
    if damage == "locked":
        lock.execute("PRAGMA journal_mode = DELETE")
        lock.execute("BEGIN EXCLUSIVE")
    elif damage == "odd data":
        lock.execute("UPDATE encodings SET data = 'text'")
        lock.commit()
    elif damage == "other table":
        lock.execute("ALTER TABLE encodings RENAME TO others")
        lock.commit()
    else:
        lock.close()
        path.write_bytes(path.read_bytes()[:5000] if damage == "cut" else b"nothing" * 999)
    work = _encoding(_cache(tmp_path, "second"), TEXTS[:50])
    assert (work.run(encode_dense(encoder)), work.borrowed) == (50, 0)
    lock.close()


@given(st.lists(st.lists(st.floats(0, 4, width=32), min_size=6, max_size=6), max_size=5))
def test_packed_rows_come_back(rows: list[list[float]]) -> None:
    dense = np.array(rows, dtype=np.float32).reshape(len(rows), 6)
    packed = pack_terms(sp.csr_matrix(dense))
    back = np.zeros_like(dense)
    for row, data in enumerate(packed):
        columns, weights = unpack_terms(data)
        back[row, columns] = weights
    assert np.array_equal(back, dense)


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 900))
def test_batches_hold_every_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    cut = batches(lengths, budget)
    assert sorted(position for batch in cut for position in batch) == list(range(len(lengths)))
    for batch in cut:
        longest = max(lengths[position] for position in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget
