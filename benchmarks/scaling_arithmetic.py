"""The arithmetic of docs/scaling.md: bytes, hours, machines and money for a number of passages.

    python -m benchmarks.scaling_arithmetic [--passages 116800000] [--dense-cpu 30] …

Every input is an argument; its help says whether the default was measured and how, or assumed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, fields
from dataclasses import field as declared

MEASURED, ASSUMED = "measured", "assumed"


def _input(default: float, kind: str, how: str) -> float:
    value: float = declared(default=default, metadata={"kind": kind, "how": how})
    return value


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the arithmetic starts from."""

    passages: float = _input(116_800_000, ASSUMED, "the passages of the iKAT collection")
    text: float = _input(1400, MEASURED, "bytes of a passage; means of scifact_dev, mtrag_un")
    dimensions: float = _input(384, MEASURED, "of MiniLM-L6")
    vector_index: float = _input(
        805, MEASURED, "bytes a vector of IVF, RaBitQ and fp16 refinement; 161 MB for 200,000"
    )
    terms: float = _input(200, MEASURED, "of a passage by SPLADE-tiny; 170 to 285")
    words: float = _input(90, MEASURED, "different stems of a passage; 94 and 85 in the same two")
    dense_cpu: float = _input(30, MEASURED, "passages/s of MiniLM-L6 on two cores; 17 to 35")
    sparse_cpu: float = _input(45, MEASURED, "passages/s of SPLADE-tiny on two cores; 24 to 57")
    dense_gpu: float = _input(3000, ASSUMED, "passages/s of MiniLM-L6 on one data-centre GPU")
    sparse_gpu: float = _input(3000, ASSUMED, "passages/s of SPLADE-tiny on the same")
    cores_price: float = _input(0.08, ASSUMED, "money an hour for a machine of two cores")
    gpu_price: float = _input(2.5, ASSUMED, "money an hour for a machine with one GPU")
    server_price: float = _input(4.0, ASSUMED, "money an hour for 64 cores and 512 GB")
    disk_price: float = _input(0.08, ASSUMED, "money a month for one GB of solid-state disk")
    machines: float = _input(50, ASSUMED, "machines of two cores that encode side by side")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what, for one passage, for all, with the unit of the latter."""

    what: str
    each: str
    total: float
    unit: str


def storage(given: Inputs) -> Iterator[Line]:
    """Bytes of what an index holds."""
    for what, each in (
        ("text", given.text),
        ("vectors, fp32", 4 * given.dimensions),
        ("vectors, fp16", 2 * given.dimensions),
        ("vectors, RaBitQ codes alone", given.dimensions / 8 + 8),
        ("vectors, IVF + RaBitQ + fp16 refinement", given.vector_index),
        ("sparse postings, row and weight in 4 bytes each", 8 * given.terms),
        ("sparse postings, row in 4 bytes, weight in 1", 5 * given.terms),
        ("lexical postings, row and score in 4 bytes each", 8 * given.words),
    ):
        yield Line(what, f"{each:,.0f} bytes", each * given.passages / 1e9, "GB")


def encoding(given: Inputs) -> Iterator[Line]:
    """Hours and money of encoding everything once, dense and sparse."""
    cpu = given.passages * (1 / given.dense_cpu + 1 / given.sparse_cpu) / 3600
    gpu = given.passages * (1 / given.dense_gpu + 1 / given.sparse_gpu) / 3600
    each = f"{1000 / given.dense_cpu + 1000 / given.sparse_cpu:,.1f} ms"
    yield Line("on two cores", each, cpu, "h")
    yield Line(f"on {given.machines:.0f} such machines", "", cpu / given.machines, "h")
    yield Line("money for these", "", cpu * given.cores_price, "")
    each = f"{1000 / given.dense_gpu + 1000 / given.sparse_gpu:,.2f} ms"
    yield Line("on one GPU", each, gpu, "h")
    yield Line("money for it", "", gpu * given.gpu_price, "")


def serving(given: Inputs, bytes_on_disk: float) -> Iterator[Line]:
    """Money a month for keeping an index of so many bytes and answering from it."""
    yield Line("disk, two copies", "", 2 * bytes_on_disk / 1e9 * given.disk_price, "a month")
    yield Line("two servers", "", 2 * 730 * given.server_price, "a month")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for one in fields(Inputs):
        how = f"{one.metadata['kind']}: {one.metadata['how']} (%(default)s)"
        option = f"--{one.name.replace('_', '-')}"
        parser.add_argument(option, type=float, default=one.default, help=how)
    given = Inputs(**vars(parser.parse_args()))
    for one in fields(Inputs):
        value = getattr(given, one.name)
        print(f"{one.metadata['kind']:<9}{one.name:<14}{value:>16,.10g}  {one.metadata['how']}")
    compact = given.passages * (given.text + given.vector_index + 5 * given.terms + 8 * given.words)
    for title, lines in (
        ("bytes", storage(given)),
        ("encoding", encoding(given)),
        (f"keeping {compact / 1e9:,.0f} GB", serving(given, compact)),
    ):
        print(f"\n{title}")
        for line in lines:
            print(f"  {line.what:<50}{line.each:>14}{line.total:>14,.1f} {line.unit}")


if __name__ == "__main__":
    main()
