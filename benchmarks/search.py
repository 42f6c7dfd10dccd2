"""The whole fused search against LangChain's hybrid search: quality, time, cold start, building.

    python -m benchmarks.search FOLDER [--queries N] [--repeats 3]

FOLDER is a collection in BEIR's layout; its index is the one `assistant eval retrieval` builds and
finds again. Both sides search the same passages with the same vectors and dense encoder
(`benchmarks.search_systems`):

    ours                  all stages, as the settings weigh them
    ours, two stages      without the sparse stage, which the peer does not have
    LangChain             FAISS and BM25 in an ensemble, .5 / .5, each giving 4 passages (default)
    LangChain, deep       each giving as many candidates as each of our stages
    LangChain, stemmed    deep, and BM25 over words as our lexical stage's engine would cut them

In each repeat the systems take turns query by query, so that a busy machine slows all of them; a
query's encoding counts, and is the same work for all but `ours`, which encodes it twice. Ratios
are of medians over queries, within a repeat. `LangChain` finds at most 8 passages, which lowers its
nDCG@10 and R@20. Ours lists near-duplicates under the best of them, which the peer does not. A cold
start is a fresh process up to its first result, with files in the system's cache. Of a build, our
stages are written to the disk; LangChain's BM25 cannot be saved and stays in memory.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from assistant.settings import load_settings
from assistant.workspace import Workspace
from benchmarks import search_systems as systems
from eval.collections import Collection, load_collection, sample
from eval.measures import by_query
from eval.retrieval import index_collection
from eval.significance import holm, paired_randomisation
from indexes.index import Index

MEASURES = ("nDCG@5", "nDCG@10", "R@20")
COLD_STARTS = 3
_WIDTH = 22

Results = dict[str, dict[str, list[str]]]  # by system and query: passage ids, best first
Times = dict[str, list[list[dict[str, float]]]]  # by system, repeat, query: ms by part


def spread(values: Sequence[float], form: str) -> str:
    """Median, then lowest and highest."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}} … {high:{form}})"


def watched(index: Index) -> systems.Stopwatch:
    """Counts what the parts of a search of this index take."""
    watch = systems.Stopwatch()
    watch.watch(index.encoders.dense(), "encode", "encoding, dense")
    sparse = index.encoders.sparse()
    for method in ("encode", "encode_query", "encode_queries"):
        if hasattr(sparse, method):
            watch.watch(sparse, method, "encoding, sparse")
    for stage in (index.lexical, index.dense, index.sparse):
        if stage is not None:
            watch.watch(stage, "search", f"search, {stage.stage}")
    watch.watch(index.store, "by_rows", "fetching passages")
    return watch


def searched(
    compared: Sequence[systems.System],
    queries: dict[str, str],
    watch: systems.Stopwatch,
    repeats: int,
) -> tuple[Results, Times]:
    """What each system found, and what each query took it."""
    for system in compared:
        for text in list(queries.values())[:3]:
            system.search(text)
    watch.taken()
    results: Results = {system.name: {} for system in compared}
    times: Times = {system.name: [] for system in compared}
    for _ in range(repeats):
        for own in times.values():
            own.append([])
        for number, (query, text) in enumerate(queries.items()):
            turn = number % len(compared)
            for system in (*compared[turn:], *compared[:turn]):
                started = time.perf_counter()
                found = system.search(text)
                total = time.perf_counter() - started
                parts = {"total": total, **watch.taken()}
                results[system.name][query] = found
                times[system.name][-1].append({k: 1000 * v for k, v in parts.items()})
    return results, times


def report_times(times: Times) -> None:
    """Milliseconds of each system, their ratios, and the parts of our own."""
    totals = {
        name: [[query["total"] for query in repeat] for repeat in repeats]
        for name, repeats in times.items()
    }
    print("\nmilliseconds per query, its encoding included: median (lowest … highest)")
    for name, own in totals.items():
        print(f"  {name:{_WIDTH}}{spread([ms for repeat in own for ms in repeat], '.1f')}")
    without = {
        name: [
            [
                q["total"] - q.get("encoding, dense", 0) - q.get("encoding, sparse", 0)
                for q in repeat
            ]
            for repeat in repeats
        ]
        for name, repeats in times.items()
    }
    print("of these without encoding")
    for name, own in without.items():
        print(f"  {name:{_WIDTH}}{spread([ms for repeat in own for ms in repeat], '.2f')}")
    peers = [name for name in times if name.startswith("LangChain")]
    if peers:
        print("ours ÷ peer, medians of each repeat: whole; without encoding")
    for own_name in (name for name in times if name not in peers):
        for name in peers:
            ratios = [
                [
                    statistics.median(a) / statistics.median(b)
                    for a, b in zip(values[own_name], values[name], strict=True)
                ]
                for values in (totals, without)
            ]
            what = f"{own_name} ÷ {name}"
            print(f"  {what:{2 * _WIDTH}}{spread(ratios[0], '.2f')}; {spread(ratios[1], '.2f')}")
    print("parts of ours: median ms (lowest … highest), share of the time of all queries")
    every = [query for repeat in times["ours"] for query in repeat]
    for query in every:
        query["fusion, folding, hits"] = 2 * query["total"] - sum(query.values())
    whole = sum(query["total"] for query in every)
    for part in every[0]:
        values = [query.get(part, 0.0) for query in every]
        if part != "total":
            print(f"  {part:{_WIDTH}}{spread(values, '.2f')}  {sum(values) / whole:.1%}")


def report_quality(results: Results, collection: Collection) -> None:
    """Mean measures, and whether differences of nDCG@5 could be chance."""
    queries = list(results["ours"])
    qrels = {query: collection.qrels[query] for query in queries}
    values = {
        name: by_query(
            {
                query: {passage: 1 / rank for rank, passage in enumerate(found, start=1)}
                for query, found in run.items()
            },
            qrels,
            MEASURES,
        )
        for name, run in results.items()
    }
    print(f"\n{'':{_WIDTH}}  {''.join(f'{name:>9}' for name in MEASURES)}")
    for name, own in values.items():
        means = [statistics.mean(own[measure][query] for query in queries) for measure in MEASURES]
        print(f"  {name:{_WIDTH}}{''.join(f'{mean:9.3f}' for mean in means)}")
    pairs = [
        (ours, name)
        for name in values
        if name.startswith("LangChain")
        for ours in values
        if not ours.startswith("LangChain")
    ]
    if not pairs:
        return
    ndcg = {name: [own["nDCG@5"][query] for query in queries] for name, own in values.items()}
    chances = [paired_randomisation(ndcg[own], ndcg[name]) for own, name in pairs]
    print("difference of nDCG@5, paired randomisation: p; p by Holm over these comparisons")
    for (ours, name), p, corrected in zip(pairs, chances, holm(chances), strict=True):
        difference = statistics.mean(ndcg[ours]) - statistics.mean(ndcg[name])
        what = f"{ours} − {name}"
        print(f"  {what:{2 * _WIDTH}}{difference:+.3f}  p {p:.4f}; {corrected:.4f}")


def report_building(collection: Path, index: Index, repeats: int, saved: Path) -> None:
    """Seconds of building from equal encodings; leaves the peer's files in `saved`."""
    passages = list(index.store.passages())
    encoder = index.encoders.dense()
    given = systems.ReplayedEncoders(index, index.encoders, passages)
    work = systems.builders(collection, passages, given, encoder)
    taken: dict[str, list[float]] = {name: [] for name in work}
    for repeat in range(repeats + 1):  # the first compiles and loads, and is not counted
        for name, build in work.items():
            with tempfile.TemporaryDirectory() as place:
                started = time.perf_counter()
                build(Path(place))
                if repeat:
                    taken[name].append(time.perf_counter() - started)
    print(f"\nseconds to build {len(passages):,} passages from equal encodings")
    peer = taken.get(systems.PEER_BUILD)
    for name, seconds in taken.items():
        ratio = ""
        if peer and seconds is not peer:
            ratios = [own / other for own, other in zip(seconds, peer, strict=True)]
            ratio = f"; ÷ LangChain {spread(ratios, '.2f')}"
        print(f"  {name:{2 * _WIDTH + 8}}{spread(seconds, '.2f')}{ratio}")
    if peer:
        systems.peer_store(passages, given.vectors.tolist(), encoder).save_local(str(saved))


def cold_starts(tasks: dict[str, tuple[str, str]], query: str) -> None:
    """Seconds and memory of fresh processes, the tasks in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    peaks: dict[str, list[float]] = {name: [] for name in tasks}
    for name, (task, place) in (item for _ in range(COLD_STARTS) for item in tasks.items()):
        command = [sys.executable, "-m", "benchmarks.search_worker", task, place, query]
        started = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds[name].append(time.perf_counter() - started)
            said = process.communicate()[1]
        if not line:
            raise RuntimeError(f"the cold start '{name}' failed: {said[-2000:]}")
        peaks[name].append(json.loads(line)["peak"])
    print("\ncold start: seconds to the first result; peak of resident memory in MB")
    for name in tasks:
        print(f"  {name:{_WIDTH}}{spread(seconds[name], '.2f')}; {spread(peaks[name], '.0f')}")


def compared_systems(index: Index, workspace: Workspace) -> Iterator[systems.System]:
    """Ours, and LangChain's where it is installed."""
    retrieval = workspace.settings.retrieval
    depth, weights = retrieval.depth, retrieval.weights
    yield systems.ours("ours", index, depth, weights)
    yield systems.ours("ours, two stages", index, depth, {**weights, "sparse": 0.0})
    if missing := systems.missing_packages():
        print(f"LangChain is left out of the comparison: `pip install {' '.join(missing)}`")
        return
    passages = list(index.store.passages())
    encoder = index.encoders.dense()
    assert index.dense is not None
    vectors = index.dense.vectors(range(len(passages))).tolist()
    store, words = systems.peer_store(passages, vectors, encoder), systems.peer_words(passages)
    yield systems.peer("LangChain", store, words)
    yield systems.peer("LangChain, deep", store, words, depth)
    stems = systems.peer_words(passages, systems.stemmed)
    yield systems.peer("LangChain, stemmed", store, stems, depth)


def main(
    folder: Annotated[Path, typer.Argument(help="a collection in BEIR's layout")],
    queries: Annotated[int | None, typer.Option(help="drawn with seed 0; else all")] = None,
    repeats: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Compare and print everything in one run."""
    collection = load_collection(folder)
    workspace = Workspace(load_settings())
    index = index_collection(workspace, collection, lambda progress: None)
    chosen = {
        query: collection.queries[query] for query in sample(list(collection.queries), queries, 0)
    }
    compared = list(compared_systems(index, workspace))
    print(
        f"{collection.name}: {index.manifest.passages:,} passages, {len(chosen)} queries, "
        f"{repeats} repeats, {os.cpu_count()} processors; median (lowest … highest)"
    )
    results, times = searched(compared, chosen, watched(index), repeats)
    report_quality(results, collection)
    report_times(times)
    with tempfile.TemporaryDirectory() as place:
        saved = Path(place) / "faiss"
        report_building(folder, index, repeats, saved)
        name = index.folder.name
        tasks = {"ours": ("whole", name), "ours, lexical alone": ("lexical", name)}
        if saved.exists():
            tasks["LangChain"] = ("peer", str(saved))
        cold_starts(tasks, next(iter(chosen.values())))


if __name__ == "__main__":
    typer.run(main)
