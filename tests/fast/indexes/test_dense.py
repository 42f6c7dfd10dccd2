"""Dense search: every kind against brute force, carried builds against builds of all rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.carried import Carried
from indexes.dense import faiss_engine
from indexes.dense.index import DenseIndex
from indexes.dense.kinds import DenseChoice, Kind, Training
from indexes.errors import IndexCorruptError, IndexingError
from indexes.ranking import Ranking

DIMENSIONS = 16
FLAT = DenseChoice(kind="flat")
IVF = DenseChoice(kind="ivf", lists=12, probes=4)
HNSW = DenseChoice(kind="hnsw")


def vectors(rows: int, seed: int = 0) -> np.ndarray:
    """Unit vectors in clusters."""
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((8, DIMENSIONS))
    drawn = centres[generator.integers(0, 8, rows)]
    drawn = drawn + 0.7 * generator.standard_normal((rows, DIMENSIONS))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def built(
    folder: Path, rows: np.ndarray, choice: DenseChoice, carried: Carried | None = None
) -> DenseIndex:
    DenseIndex.build(iter(rows), DIMENSIONS, folder, carried, choice=choice)
    return DenseIndex.open(folder, exact_limit=50)


def brute_force(
    rows: np.ndarray, query: np.ndarray, depth: int, allowed: np.ndarray | None = None
) -> list[int]:
    scores = np.einsum("kd,d->k", rows.astype(np.float32), query)
    possible = np.arange(len(rows)) if allowed is None else np.flatnonzero(allowed)
    order = np.lexsort((possible, -scores[possible]))
    return possible[order][:depth].tolist()


def same(one: Ranking, other: Ranking) -> bool:
    return np.array_equal(one.rows, other.rows) and np.array_equal(one.scores, other.scores)


def test_flat_is_exact_and_batches_equal_single_queries(tmp_path: Path) -> None:
    rows, queries = vectors(400), vectors(60, seed=1)
    index = built(tmp_path / "i", rows, FLAT)
    together = index.search_many(queries, 15)
    for query, ranking in zip(queries, together, strict=True):
        assert ranking.rows.tolist() == brute_force(rows, query, 15)
        assert same(index.search(query, 15), ranking)
    assert np.array_equal(index.vectors([3, 1]), rows[[3, 1]])


@pytest.mark.parametrize("choice", [FLAT, IVF, HNSW], ids=lambda c: c.kind)
def test_equal_vectors_come_by_row_even_where_the_list_is_cut(
    tmp_path: Path, choice: DenseChoice
) -> None:
    rows = vectors(300)
    equal = np.arange(5, 300, 6)
    rows[equal] = rows[5]
    index = built(tmp_path / "i", rows, choice)
    for depth in (1, 3, 20):
        assert index.search(rows[5], depth).rows.tolist() == equal[:depth].tolist()
        assert index.search_many(rows[:6], depth)[5].rows.tolist() == equal[:depth].tolist()


@pytest.mark.parametrize("choice", [IVF, HNSW], ids=lambda c: c.kind)
def test_larger_kinds_find_nearly_all_and_score_as_flat_does(
    tmp_path: Path, choice: DenseChoice
) -> None:
    rows, queries = vectors(600), vectors(50, seed=1)
    rankings = built(tmp_path / "i", rows, choice).search_many(queries, 10)
    rounded = rows.astype(np.float16)
    right = [brute_force(rounded, query, 10) for query in queries]
    hits = [len(set(r.rows.tolist()) & set(own)) for r, own in zip(rankings, right, strict=True)]
    assert np.mean(hits) >= 9.0
    ranking, query = rankings[0], queries[0]
    expected = np.einsum("kd,d->k", rounded[ranking.rows].astype(np.float32), query)
    assert np.allclose(ranking.scores, expected, atol=1e-6)
    assert (np.diff(ranking.scores) <= 0).all()


@pytest.mark.parametrize("choice", [FLAT, IVF, HNSW], ids=lambda c: c.kind)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_filters_act_inside_the_search(choice: DenseChoice, data: st.DataObject) -> None:
    rows = vectors(200)
    share = data.draw(st.sampled_from([0.0, 0.01, 0.2, 0.6, 1.0]))
    allowed = np.random.default_rng(data.draw(st.integers(0, 99))).random(200) < share
    depth = data.draw(st.integers(1, 60))
    query = vectors(1, seed=data.draw(st.integers(0, 99)))[0]
    with tempfile.TemporaryDirectory() as folder:
        index = built(Path(folder) / "i", rows, choice)
        ranking = index.search(query, depth, allowed)
        assert len(ranking) == min(depth, allowed.sum())
        assert len(set(ranking.rows.tolist())) == len(ranking)
        assert allowed[ranking.rows].all()
        if choice is FLAT or allowed.sum() <= 50:
            stored = index.vectors(range(200))
            assert ranking.rows.tolist() == brute_force(stored, query, depth, allowed)


def test_nothing_is_found_in_an_empty_index_or_through_a_closed_filter(tmp_path: Path) -> None:
    empty = built(tmp_path / "empty", vectors(0), DenseChoice())
    assert empty.size == 0
    assert len(empty.search(vectors(1)[0], 5)) == 0
    index = built(tmp_path / "i", vectors(20), FLAT)
    assert len(index.search(vectors(1)[0], 5, np.zeros(20, dtype=bool))) == 0
    with pytest.raises(ValueError, match="20 rows"):
        index.search(vectors(1)[0], 5, np.zeros(19, dtype=bool))


@pytest.mark.parametrize("choice", [FLAT, IVF, HNSW], ids=lambda c: c.kind)
def test_a_query_that_is_not_a_number_finds_nothing(tmp_path: Path, choice: DenseChoice) -> None:
    index = built(tmp_path / "i", vectors(100), choice)
    assert len(index.search(np.full(DIMENSIONS, np.nan, dtype=np.float32), 5)) == 0


@st.composite
def changes(draw: st.DrawFn) -> tuple[int, np.ndarray]:
    """How many rows there were, and where each new row stood before (-1: nowhere)."""
    old = draw(st.integers(20, 80))
    kept = draw(st.lists(st.integers(0, old - 1), min_size=1, unique=True))
    added = draw(st.integers(0, 30))
    origin = np.array(kept + [-1] * added, dtype=np.int64)
    order = draw(st.permutations(range(len(origin))))
    return old, origin[np.array(order)]


@settings(max_examples=40, deadline=None)
@given(change=changes(), kind=st.sampled_from(["flat", "ivf"]))
def test_a_carried_build_equals_a_build_of_all_rows(
    change: tuple[int, np.ndarray], kind: Kind
) -> None:
    old, origin = change
    choice = DenseChoice(kind=kind, lists=5, probes=2, drift=99.0, growth=99.0)
    before, fresh = vectors(old), vectors(len(origin), seed=1)
    whole = np.where((origin >= 0)[:, None], before[origin], fresh)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built(folder / "before", before, choice)
        carried = built(
            folder / "carried", whole[origin < 0], choice, Carried(folder / "before", origin)
        )
        # With the same centroids: an inverted file that is trained anew has others.
        same_centroids = Carried(folder / "before", np.full(len(origin), -1))
        all_new = built(folder / "all", whole, choice, same_centroids if kind == "ivf" else None)
        files = ["vectors.npy", "dense.json"] if kind == "flat" else ["vectors.npy", "ivf.faiss"]
        for file in files:
            one, other = (folder / f / file for f in ("carried", "all"))
            assert one.read_bytes() == other.read_bytes()
        queries = vectors(5, seed=2)
        pairs = zip(carried.search_many(queries, 10), all_new.search_many(queries, 10), strict=True)
        assert all(same(one, other) for one, other in pairs)


def test_the_kind_follows_the_size_across_carried_builds(tmp_path: Path) -> None:
    choice = DenseChoice(flat_limit=100, lists=8, probes=8)
    rows = vectors(160)
    assert built(tmp_path / "1", rows[:100], choice).description.kind == "flat"
    origin = np.append(np.arange(100), np.full(60, -1))
    grown = built(tmp_path / "2", rows[100:], choice, Carried(tmp_path / "1", origin))
    fresh = built(tmp_path / "fresh", rows, choice)
    assert (grown.description.kind, grown.description) == ("ivf", fresh.description)
    for file in ("vectors.npy", "ivf.faiss"):
        assert (tmp_path / "2" / file).read_bytes() == (tmp_path / "fresh" / file).read_bytes()
    less = built(tmp_path / "3", rows[:0], choice, Carried(tmp_path / "2", np.arange(60)))
    assert less.description.kind == "ivf"  # not at every crossing of the limit
    few = built(tmp_path / "4", rows[:0], choice, Carried(tmp_path / "3", np.arange(50)))
    assert (few.description.kind, few.description.stored) == ("flat", "float16")
    assert few.search(rows[7], 1).rows.tolist() == [7]


def test_centroids_are_kept_until_the_new_vectors_lie_elsewhere(tmp_path: Path) -> None:
    choice = DenseChoice(kind="ivf", lists=8, probes=8)
    first = built(tmp_path / "1", vectors(200), choice).description.training
    origin = np.append(np.arange(200), np.full(40, -1))
    alike = vectors(240)[200:]
    kept = built(tmp_path / "2", alike, choice, Carried(tmp_path / "1", origin))
    training = kept.description.training
    assert first is not None
    assert training is not None
    assert (training.rows, training.added) == (200, 40)
    assert training.distance == first.distance
    elsewhere = -vectors(40, seed=5)
    anew = built(tmp_path / "3", elsewhere, choice, Carried(tmp_path / "1", origin))
    assert anew.description.training is not None
    assert (anew.description.training.rows, anew.description.training.added) == (240, 0)


def test_centroids_are_trained_again_when_the_index_has_outgrown_them() -> None:
    training = Training(rows=100, sample=100, distance=0.5)
    assert not training.drifted(400, DenseChoice())
    assert training.drifted(401, DenseChoice())
    assert training.drifted(24, DenseChoice())
    far = training.with_added(4, 0.9)
    assert not far.drifted(104, DenseChoice())  # too few to say much
    assert far.with_added(4, 0.9).drifted(108, DenseChoice())


@pytest.mark.parametrize("given_rows", [4, 6])
def test_as_many_vectors_as_new_rows(tmp_path: Path, given_rows: int) -> None:
    built(tmp_path / "1", vectors(10), FLAT)
    origin = np.append(np.arange(10), np.full(5, -1))
    with pytest.raises(IndexingError, match="vectors than new rows"):
        built(tmp_path / "2", vectors(given_rows), FLAT, Carried(tmp_path / "1", origin))


@pytest.mark.parametrize("choice", [FLAT, IVF, HNSW], ids=lambda c: c.kind)
def test_mapped_and_read_vectors_give_the_same(tmp_path: Path, choice: DenseChoice) -> None:
    index = built(tmp_path / "i", vectors(150), choice)
    mapped = DenseIndex.open(tmp_path / "i", resident_limit=0)
    maps = Path("/proc/self/maps").read_text()
    assert all(str(path) in maps for path in (tmp_path / "i").iterdir() if path.suffix != ".json")
    for query in vectors(10, seed=1):
        assert same(index.search(query, 12), mapped.search(query, 12))


def _damages() -> Iterator[tuple[DenseChoice, str]]:
    for choice, file in ((FLAT, None), (IVF, "ivf.faiss"), (HNSW, "hnsw.faiss")):
        yield from ((choice, name) for name in ("dense.json", "vectors.npy", file) if name)


@pytest.mark.parametrize(("choice", "file"), list(_damages()), ids=str)
def test_a_damaged_file_is_told(tmp_path: Path, choice: DenseChoice, file: str) -> None:
    built(tmp_path / "i", vectors(80), choice)
    path = tmp_path / "i" / file
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:3], b"", b"{}", None):
        if damaged is None:
            path.unlink()
        else:
            path.write_bytes(damaged)
        with pytest.raises(IndexCorruptError) as caught:
            DenseIndex.open(tmp_path / "i")
        assert caught.value.remedy


@pytest.mark.parametrize("file", ["vectors.npy", "ivf.faiss"])
def test_files_of_another_index_are_told(tmp_path: Path, file: str) -> None:
    built(tmp_path / "1", vectors(80), IVF)
    built(tmp_path / "2", vectors(81), IVF)
    (tmp_path / "1" / file).write_bytes((tmp_path / "2" / file).read_bytes())
    with pytest.raises(IndexCorruptError):
        DenseIndex.open(tmp_path / "1")


@pytest.mark.skipif(
    faiss_engine.gpus() == 0, reason="no GPU is seen by FAISS (faiss-cpu, or no device)"
)
@pytest.mark.parametrize("choice", [FLAT, IVF], ids=lambda c: c.kind)
def test_a_gpu_finds_what_the_processor_finds(tmp_path: Path, choice: DenseChoice) -> None:
    rows, queries = vectors(2000), vectors(40, seed=1)
    index = built(tmp_path / "i", rows, choice)
    stored = index.vectors(range(2000))
    right = [brute_force(stored, query, 10) for query in queries]
    found = [ranking.rows.tolist() for ranking in index.search_many(queries, 10)]
    if choice is FLAT:
        assert found == right
    hits = [len(set(own) & set(other)) for own, other in zip(found, right, strict=True)]
    assert np.mean(hits) >= 9.0
    allowed = np.arange(2000) % 50 == 0
    assert index.search(queries[0], 10, allowed).rows.tolist() == brute_force(
        stored, queries[0], 10, allowed
    )
