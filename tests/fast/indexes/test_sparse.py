"""The sparse index against scipy's inner product, and against itself built anew."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.carried import Carried
from indexes.errors import IndexCorruptError
from indexes.ranking import top
from indexes.sparse.index import SparseIndex
from indexes.sparse.postings import Terms, _write_new

WIDTH = 12
# Few different weights, so that equal scores are common.
passages = st.lists(
    st.dictionaries(st.integers(0, WIDTH - 1), st.sampled_from([0.25, 0.5, 1.0, 1.7]), max_size=6),
    max_size=30,
)


def _terms(passage: dict[int, float]) -> Terms:
    columns = sorted(passage)
    return (
        np.array(columns, dtype=np.int32),
        np.array([passage[c] for c in columns], dtype=np.float32),
    )


def _matrix(found: list[dict[int, float]], width: int = WIDTH) -> sp.csr_matrix:
    dense = np.zeros((len(found), width), dtype=np.float32)
    for row, passage in enumerate(found):
        for column, weight in passage.items():
            dense[row, column] = weight
    return sp.csr_matrix(dense)


def _built(folder: Path, found: list[dict[int, float]], dimensions: int | None = WIDTH) -> Path:
    SparseIndex.build((_terms(p) for p in found), dimensions, folder)
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@settings(max_examples=60, deadline=None)
@given(
    passages,
    st.dictionaries(st.integers(0, WIDTH + 4), st.sampled_from([0.5, 1.0, 1.3]), max_size=6),
    st.integers(0, 12),
    st.one_of(st.none(), st.lists(st.booleans(), min_size=30, max_size=30)),
)
def test_search_equals_scipy_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory,
    found: list[dict[int, float]],
    asked: dict[int, float],
    depth: int,
    kept: list[bool] | None,
) -> None:
    index = SparseIndex.open(_built(tmp_path_factory.mktemp("sparse"), found))
    query = _matrix([asked], WIDTH + 5)
    scores = np.asarray((_matrix(found) @ query[:, :WIDTH].T).todense(), dtype=np.float32).ravel()
    allowed = None if kept is None else np.array(kept[: len(found)], dtype=np.bool_)
    expected = top(scores if allowed is None else np.where(allowed, scores, 0), depth)
    for _ in range(2):  # the second search meets what the first left behind
        ranking = index.search(query, depth, allowed)
        assert ranking.rows.tolist() == expected.rows.tolist()
        assert ranking.scores.tobytes() == expected.scores.tobytes()


@settings(max_examples=60, deadline=None)
@given(passages, st.data(), st.sampled_from([WIDTH, None]))
def test_carried_rows_give_the_files_of_a_fresh_build(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[dict[int, float]],
    data: st.DataObject,
    dimensions: int | None,
) -> None:
    root = tmp_path_factory.mktemp("carried")
    old = _built(root / "old", before, dimensions)
    rows = data.draw(st.permutations(range(len(before))))
    origin = list(rows[: data.draw(st.integers(0, len(before)))])
    if data.draw(st.booleans()):
        origin.sort()
    for _ in range(data.draw(st.integers(0, 4))):
        origin.insert(data.draw(st.integers(0, len(origin))), -1)
    fresh = [
        data.draw(st.dictionaries(st.integers(0, WIDTH - 1), st.just(0.75), max_size=3))
        for row in origin
        if row < 0
    ]
    new = iter(fresh)
    after = [before[row] if row >= 0 else next(new) for row in origin]
    SparseIndex.build(
        (_terms(p) for p in fresh),
        dimensions,
        root / "new",
        Carried(old, np.array(origin, dtype=np.int64)),
    )
    assert _files(root / "new") == _files(_built(root / "fresh", after, dimensions))


def test_bounded_steps_write_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(3)
    found = [
        {int(c): float(generator.random()) for c in generator.choice(WIDTH, 5, replace=False)}
        for _ in range(50)
    ]
    whole = _files(_built(tmp_path / "whole", found))
    origin = np.array([-1, *range(10, 40), -1, *range(10), -1])
    new = [{1: 1.0}, {}, {0: 2.0, 11: 1.0}]
    carried = Carried(tmp_path / "whole", origin)
    SparseIndex.build(map(_terms, new), WIDTH, tmp_path / "merged", carried)
    monkeypatch.setattr("indexes.sparse.postings._STEP", 17)
    assert _files(_built(tmp_path / "steps", found)) == whole
    SparseIndex.build(map(_terms, new), WIDTH, tmp_path / "merged-in-steps", carried)
    assert _files(tmp_path / "merged") == _files(tmp_path / "merged-in-steps")


def test_terms_of_a_passage_and_passages_of_a_term(tmp_path: Path) -> None:
    found = [{0: 1.0, 3: 0.5}, {}, {3: 2.0}]
    index = SparseIndex.open(_built(tmp_path / "i", found))
    rows, weights = index.postings(3)
    assert (rows.tolist(), weights.tolist()) == ([0, 2], [0.5, 2.0])
    assert [len(part) for part in index.postings(WIDTH + 1)] == [0, 0]
    for row, passage in enumerate(found):
        columns, values = index.weights_of(row)
        assert dict(zip(columns.tolist(), values.tolist(), strict=True)) == passage


def test_many_queries_and_an_empty_index(tmp_path: Path) -> None:
    index = SparseIndex.open(_built(tmp_path / "i", [{0: 1.0}, {1: 1.0}]))
    queries = _matrix([{1: 1.0}, {0: 2.0}, {}])
    assert [r.rows.tolist() for r in index.search_many(queries, 5)] == [[1], [0], []]
    empty = SparseIndex.open(_built(tmp_path / "empty", [], None))
    assert (empty.size, len(empty.search(queries[0], 5))) == (0, 0)


def test_a_filter_of_another_length_is_refused(tmp_path: Path) -> None:
    index = SparseIndex.open(_built(tmp_path / "i", [{0: 1.0}, {1: 1.0}]))
    with pytest.raises(ValueError, match="3 rows for an index of 2"):
        index.search(_matrix([{1: 1.0}]), 5, np.ones(3, dtype=np.bool_))


@pytest.mark.parametrize("name", ["starts.npy", "rows.npy", "weights.npy", "size.npy"])
def test_missing_and_cut_files(tmp_path: Path, name: str) -> None:
    path = _built(tmp_path / "i", [{0: 1.0, 2: 1.0}, {1: 1.0}]) / name
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(IndexCorruptError, match="damaged"):
        SparseIndex.open(tmp_path / "i")
    path.unlink()
    with pytest.raises(IndexCorruptError, match="damaged"):
        SparseIndex.open(tmp_path / "i")


def test_damaged_rows_never_write_outside_the_scores(tmp_path: Path) -> None:
    folder = _built(tmp_path / "i", [{0: 1.0}, {0: 2.0}])
    np.save(folder / "rows.npy", np.array([-5, 1 << 30], dtype=np.int32))
    assert len(SparseIndex.open(folder).search(_matrix([{0: 1.0}]), 5)) == 0


def test_passages_and_new_rows_have_to_agree(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 passages for 2 new rows"):
        _write_new([_terms({0: 1.0})], WIDTH, _made(tmp_path / "n"), np.array([0, 1]))
    assert not list((tmp_path / "n").glob("*.partial"))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_numba_is_imported_by_a_search_only_and_needs_no_cache(tmp_path: Path) -> None:
    _built(tmp_path / "i", [{0: 1.0}])
    nowhere = tmp_path / "file"
    nowhere.write_text("not a folder")
    code = (
        "import sys, numpy as np, scipy.sparse as sp\n"
        "from pathlib import Path\n"
        "from indexes.sparse.index import SparseIndex\n"
        f"index = SparseIndex.open(Path({str(tmp_path / 'i')!r}))\n"
        "assert 'numba' not in sys.modules\n"
        "found = index.search(sp.csr_matrix(np.ones((1, 12), dtype=np.float32)), 3)\n"
        "assert found.rows.tolist() == [0], found\n"
    )
    # A cache folder that cannot be made stands for a process without a writable one.
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(nowhere / "below")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
