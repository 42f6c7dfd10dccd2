"""What the crash harness kills, and how it tells which state an index is in."""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.crash_worker import Order, Report, Zygote
from benchmarks.hashed import HashedEncoders
from indexes.errors import IndexNotFoundError, KnowledgeAssistantError
from indexes.index import DEFAULT_WEIGHTS, Index

_WORDS = (
    "kelp otter lease lyon bridge tower iron sea harbour engine passage index vector stone river "
    "winter market letter garden copper signal window number season bottle ladder mirror thread"
).split()
_QUERIES = ("kelp forest otter", "when does the lease in lyon end", "copper signal", "winter 17")

State = list[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A command, from which texts to which: `start` None begins without an index."""

    command: str
    start: dict[str, str] | None
    end: dict[str, str]
    documents: tuple[str, ...] = ()


def texts(documents: int, rng: random.Random) -> dict[str, str]:
    """Documents of two to four paragraphs of random words."""

    def paragraph() -> str:
        words = [rng.choice(_WORDS) for _ in range(90)]
        return " ".join([*words, str(rng.randrange(1000))]) + "."

    return {
        f"doc{number:04d}": "\n\n".join(paragraph() for _ in range(rng.randint(2, 4)))
        for number in range(documents)
    }


def scenarios(documents: int, rng: random.Random) -> list[Scenario]:
    """The commands that are killed."""
    first = texts(documents, rng)
    second = dict(first)
    for uri in rng.sample(sorted(second), documents // 10):
        del second[uri]
    changed = texts(documents, rng)
    for uri in rng.sample(sorted(second), documents // 3):
        second[uri] = changed[uri]
    second |= {f"new{uri}": changed[uri] for uri in rng.sample(sorted(changed), documents // 5)}
    gone = tuple(rng.sample(sorted(first), max(documents // 20, 1)))
    left = {uri: text for uri, text in first.items() if uri not in gone}
    return [
        Scenario("build", None, first),
        Scenario("update", first, second),
        Scenario("build", first, second),
        Scenario("delete", first, left, gone),
        Scenario("fresh", first, second),
    ]


def state_of(folder: Path, stages: Iterable[str] = DEFAULT_WEIGHTS) -> tuple[State, set[str]]:
    """What the queries find with those `stages` that are there, and which are there."""
    index = Index.open(folder, HashedEncoders())
    try:
        there = set(index.manifest.stages)
        weights = {s: w for s, w in DEFAULT_WEIGHTS.items() if s in there and s in stages}
        return _found(index, weights), there
    finally:
        index.close()


def _found(index: Index, weights: dict[str, float]) -> State:
    rows: State = []
    for query in _QUERIES:
        for hit in index.search(query, weights=weights).hits:
            places = sorted((s, p.rank, round(p.score, 4)) for s, p in hit.stages.items())
            rows.append((query, hit.passage.id, hit.passage.text, tuple(places)))
    return rows


def contents(folder: Path) -> tuple[int, int, list[tuple[str, str]]]:
    """Documents and passages as counted, and every passage by row."""
    index = Index.open(folder, HashedEncoders())
    try:
        passages = [(p.id, p.indexed_text) for p in index.store.passages()]
        return index.manifest.documents, index.manifest.passages, passages
    finally:
        index.close()


class Reference:
    """A scenario's start and end, built without interruption.

    `seconds` is how long its command takes; `events` are the numbers of the events of each kind.
    """

    def __init__(self, scenario: Scenario, base: Path, zygote: Zygote) -> None:
        self.scenario, self.base = scenario, base
        base.mkdir(parents=True)
        self.texts = base / "texts.json"
        self.start = base / "start" / "notes" if scenario.start is not None else None
        if self.start is not None:
            self._write(scenario.start or {})
            self._must(zygote.run(Order(str(self.start), str(self.texts), "build")))
        self._write(scenario.end)
        self.end = base / "end" / "notes"
        self._must(zygote.run(Order(str(self.end), str(self.texts), "build")))
        whole = base / "whole" / "notes"
        if self.start is not None:
            shutil.copytree(self.start, whole)
        report = zygote.run(self.order(whole))
        self._must(report)
        self.seconds = report.seconds
        self.events: dict[str, list[int]] = {}
        for number, event in enumerate(report.events, start=1):
            self.events.setdefault(re.sub(r"g\d{6}", "g", event), []).append(number)
        self.contents = contents(self.end)

    def order(self, folder: Path, *, kill_at: int = 0, kill_after: float = 0.0) -> Order:
        scenario = self.scenario
        return Order(
            str(folder), str(self.texts), scenario.command, scenario.documents, kill_at, kill_after
        )

    def _write(self, values: dict[str, str]) -> None:
        self.texts.write_text(json.dumps(values))

    @staticmethod
    def _must(report: Report) -> None:
        if report.error:
            raise RuntimeError(f"the uninterrupted run failed: {report.error} {report.message}")


def judge(folder: Path, reference: Reference) -> str:
    """Which state an index is in: none, old, new, or what is wrong with it."""
    try:
        found, there = state_of(folder)
    except IndexNotFoundError:
        return "none" if reference.start is None else "wrong: the index is gone"
    except KnowledgeAssistantError as error:
        return f"wrong: {error}"
    if found == state_of(reference.end, there)[0]:
        complete = len(there) == len(DEFAULT_WEIGHTS)
        return "new" if complete else f"new, {len(there)} of {len(DEFAULT_WEIGHTS)} stages"
    if reference.start is not None and found == state_of(reference.start, there)[0]:
        return "old"
    return "wrong: neither the old state nor the new one"


def remove(folder: Path) -> None:
    """A folder and all in it, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
