"""Kills a build, an update or a deletion at random points and checks that nothing is lost.

    python -m benchmarks.crash --kills 200 --seed 1

One round: an index (none, or a finished one), a command, a SIGKILL at a random time or at a random
event (a file opened, renamed or removed, a flush, a database statement, a report of progress), at
times a second kill while the command goes on. After every kill

  - the index opens and its searches are those of the old state or of the new one, never a mixture;
  - on a copy of it, `repair` leaves nothing for `verify` to find, and the searches are still those;

and at the end of a round the command is run to its end, whereupon

  - the index equals one that was built without any interruption: passages, counts, searches;
  - `verify` finds nothing, so no leftovers either;
  - no text was encoded again that had been checkpointed.

Encoders are bags of hashed words, deterministic and without weights.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.crash_worker import HashedEncoders, Order, Report, TextSource, Zygote, remove
from indexes.build import IndexWriter
from indexes.errors import IndexNotFoundError, KnowledgeAssistantError
from indexes.index import DEFAULT_WEIGHTS, Index
from indexes.verify import verify

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


@dataclass(slots=True)
class Tally:
    """What happened in all rounds."""

    kills: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    unkilled: int = 0
    repairs: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0


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
    """A scenario's start and end, built without interruption; how long and how eventful."""

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
        self.seconds, self.events = report.seconds, report.events
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


class Round:
    """One index, one command, one or two kills, and the command again."""

    def __init__(self, reference: Reference, zygote: Zygote, folder: Path, tally: Tally) -> None:
        self.reference, self.folder, self.tally = reference, folder, tally
        self._zygote = zygote
        self._checkpointed: set[tuple[str, str]] = set()
        remove(folder.parent)
        folder.parent.mkdir()
        if reference.start is not None:
            shutil.copytree(reference.start, folder)

    def run(self, rng: random.Random, kills: int) -> int:
        """Kill up to `kills` times, then finish; returns how often it was killed."""
        done = 0
        for _ in range(kills):
            killed = self._kill(rng)
            done += killed
            if not killed:
                break
        self._finish()
        self.tally.rounds += 1
        return done

    def _kill(self, rng: random.Random) -> bool:
        reference = self.reference
        if rng.random() < 1 / 3:
            order = reference.order(self.folder, kill_after=rng.uniform(0.001, reference.seconds))
            how = "time"
        else:
            order = reference.order(self.folder, kill_at=rng.randint(1, reference.events))
            how = "event"
        report = self._zygote.run(order)
        where = f"{report.stage}, {report.last_event or 'before anything'} ({how})"
        self._encodings(report, where)
        if not report.killed:
            self.tally.unkilled += 1
            self._no_error(report, where)
            return False
        self.tally.kills[report.stage] += 1
        outcome = judge(self.folder, reference)
        self.tally.outcomes[outcome] += 1
        if outcome.startswith("wrong"):
            self._fail(f"after a kill at {where}: {outcome}")
        elif outcome != "none":
            self._repair(where)
        return True

    def _repair(self, where: str) -> None:
        copy = self.folder.parent / "copy" / self.folder.name
        remove(copy.parent)
        shutil.copytree(self.folder, copy)
        writer = IndexWriter(copy, HashedEncoders())
        source = str(self.reference.texts)
        try:
            repaired = writer.repair(lambda spec: TextSource(source))
        except KnowledgeAssistantError as error:
            self._fail(f"repair after a kill at {where}: {error}")
            return
        self.tally.repairs += 1
        if not repaired.ok:
            wrong = [finding for finding in repaired.after if not finding.ok]
            self._fail(f"repair after a kill at {where} left {wrong}")
        outcome = judge(copy, self.reference)
        if outcome not in ("old", "new"):
            self._fail(f"repair after a kill at {where}: {outcome}")

    def _finish(self) -> None:
        report = self._zygote.run(self.reference.order(self.folder))
        self._encodings(report, "the run to the end")
        self._no_error(report, "the run to the end")
        if contents(self.folder) != self.reference.contents:
            self._fail("resumed: other passages than without interruption")
        if (outcome := judge(self.folder, self.reference)) != "new":
            self._fail(f"resumed: {outcome}")
        wrong = [f for f in verify(self.folder, HashedEncoders()) if not f.ok]
        if wrong:
            self._fail(f"resumed: verify found {wrong}")

    def _no_error(self, report: Report, where: str) -> None:
        deleted = self.reference.scenario.command == "delete" and report.error == "UnknownNameError"
        if report.error and not deleted:  # what a killed deletion had published is not there
            self._fail(f"{where}: {report.error}: {report.message}")

    def _encodings(self, report: Report, where: str) -> None:
        twice = [one for one in report.encoded if one in self._checkpointed]
        if twice:
            self._fail(f"{where}: {len(twice)} texts were encoded again")
        if self.reference.scenario.command == "fresh":
            return  # asked to encode everything anew, each time
        for stage, count in report.checkpointed.items():
            own = [one for one in report.encoded if one[0] == stage]
            self._checkpointed.update(own[:count])

    def _fail(self, what: str) -> None:
        self.tally.failures.append(f"{self.reference.scenario.command}: {what}")


def run(kills: int, seed: int, documents: int = 160, *, say: bool = False) -> Tally:
    """Kill `kills` times over all scenarios; what went wrong is in the tally's `failures`."""
    rng, tally, started = random.Random(seed), Tally(), time.monotonic()
    base = Path(tempfile.mkdtemp(prefix="crash-"))
    try:
        with Zygote() as zygote:
            references = [
                Reference(scenario, base / f"s{number}", zygote)
                for number, scenario in enumerate(scenarios(documents, rng))
            ]
            done = 0
            while done < kills:
                reference = references[tally.rounds % len(references)]
                one = Round(reference, zygote, base / "round" / "notes", tally)
                done += one.run(rng, min(1 + (rng.random() < 0.25), kills - done))
                if say and sys.stderr.isatty():
                    print(
                        f"\r{done} kills, {len(tally.failures)} failures", end="", file=sys.stderr
                    )
    finally:
        remove(base)
    tally.seconds = time.monotonic() - started
    return tally


def _table(title: str, counts: Counter[str]) -> None:
    print(title)
    for name, count in counts.most_common():
        print(f"  {count:5d}  {name}")


def main() -> int:
    """Print what happened; exit status 1 if anything was lost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", type=int, default=160)
    options = parser.parse_args()
    tally = run(options.kills, options.seed, options.documents, say=True)
    print(
        f"{sum(tally.kills.values())} kills in {tally.rounds} rounds, {tally.seconds:.0f} s; "
        f"{tally.unkilled} runs ended before their kill; {tally.repairs} repairs of a copy"
    )
    _table("kills by the stage last heard of:", tally.kills)
    _table("state found after a kill:", tally.outcomes)
    print(f"failures: {len(tally.failures)}")
    for failure in tally.failures[:20]:
        print(f"  {failure}")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
