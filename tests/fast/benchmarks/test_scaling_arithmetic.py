"""The sizing example's arithmetic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.scaling_arithmetic import Inputs, encoding, serving, storage


def test_totals_are_each_times_passages() -> None:
    given = replace(Inputs(), passages=1e6, text=1000.0, terms=10.0, words=0.0)
    totals = {line.what: line.total for line in storage(given)}
    assert totals["text"] == 1.0  # GB
    assert totals["vectors, fp32"] == 2 * totals["vectors, fp16"] == pytest.approx(1.536)
    assert totals["sparse postings, row in 4 bytes, weight in 1"] == pytest.approx(0.05)


def test_hours_and_money() -> None:
    given = replace(
        Inputs(), passages=3_600_000, dense_cpu=10.0, sparse_cpu=40.0, machines=5.0,
        cores_price=0.5, dense_gpu=1000.0, sparse_gpu=1000.0, gpu_price=3.0,
    )  # fmt: skip
    totals = {line.what: line.total for line in encoding(given)}
    assert totals["on two cores"] == pytest.approx(125.0)
    assert totals["on 5 such machines"] == pytest.approx(25.0)
    assert totals["money for these"] == pytest.approx(62.5)
    assert totals["on one GPU"] == pytest.approx(2.0)
    assert totals["money for it"] == pytest.approx(6.0)
    disk, _ = serving(replace(given, disk_price=0.1), 1e12)
    assert disk.total == pytest.approx(200.0)
