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
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.crash_states import Reference, contents, judge, remove, scenarios
from benchmarks.crash_worker import Report, Zygote
from benchmarks.hashed import HashedEncoders, TextSource
from indexes.build import IndexWriter
from indexes.errors import KnowledgeAssistantError
from indexes.upkeep.verify import verify


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
            # First the kind, so that what happens once is as likely as what happens often.
            kind = rng.choice(list(reference.events))
            order = reference.order(self.folder, kill_at=rng.choice(reference.events[kind]))
            how = "event"
        report = self._zygote.run(order)
        where = f"{report.events[-1] if report.events else 'start'} ({how})"
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
