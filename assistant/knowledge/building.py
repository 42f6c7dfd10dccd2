"""Filling the store: passage by passage, several calls of the teacher at once.

What came of a passage is one transaction, so a build that is killed goes on where it stopped. A
passage that fails is asked for once more, then left alone until another teacher comes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import ModelRuntimeError
from assistant.knowledge.choosing import Choice, Chooser
from assistant.knowledge.entries import Candidate
from assistant.knowledge.store import KnowledgeStore, PassageState
from assistant.knowledge.styles import PLAIN, StyleChooser
from assistant.knowledge.teacher import Teacher, TeacherFailedError, Written
from indexes.documents import Passage
from indexes.encoders import DenseEncoder
from indexes.encodings import text_key
from indexes.progress import OnProgress, Progress
from indexes.store import PassageStore

_GIVE_UP = 4  # calls that failed one after the other: the teacher is gone, not the passage
_LOOK = 0.5  # seconds between two looks at the clock
SHORTEST = 60  # characters of a passage that is worth asking about


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How much is written.

    Attributes:
        seconds: stop asking after this time; None: no limit.
        passages: work on so many at most; None: all.
        samples: answers of the teacher to choose from, for each passage.
        slots: calls at once.
        style: "plain", or "tuned": the style of each passage is chosen by what styles brought.
    """

    seconds: float | None = None
    passages: int | None = None
    samples: int = 2
    slots: int = 4
    style: str = PLAIN


@dataclass(slots=True)
class BuildReport:
    """What a build did. `failed` counts calls that gave nothing, by reason; `dropped` candidates
    that are no entries; `left` passages that nothing was written for yet."""

    passages: int = 0
    entries: int = 0
    given_up: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    seconds: float = 0.0
    left: int = 0
    covered: int = 0
    total: int = 0
    searchable: int = 0
    stopped: str = ""


@dataclass(slots=True)
class _Result:
    """What the teacher gave for a passage, over all samples."""

    passage: Passage
    style: str
    written: list[Written] = field(default_factory=list)
    failures: list[TeacherFailedError] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def candidates(self) -> list[Candidate]:
        return [candidate for one in self.written for candidate in one.candidates]

    @property
    def tokens(self) -> int:
        return sum(one.tokens for one in self.written)


class KnowledgeBuilder:
    """One build of the store in `folder`.

    Args:
        passages: the published passages.
        encoder: finds near-duplicates; None compares words.
    """

    def __init__(
        self,
        folder: Path,
        passages: PassageStore,
        teacher: Teacher,
        encoder: DenseEncoder | None,
        options: BuildOptions,
        on_progress: OnProgress = lambda progress: None,
    ) -> None:
        self._store = KnowledgeStore(folder)
        self._store.create()
        self._passages, self._teacher, self._encoder = passages, teacher, encoder
        self._options, self._report_progress = options, on_progress
        self._styles = StyleChooser(options.style, self._store.rewards())
        self._chooser = Chooser(encoder, self._store.deleted())
        self._outputs: dict[str, bytes] = {}
        self._streak: list[TeacherFailedError] = []
        self.report = BuildReport()

    # -- what there is to do ----------------------------------------------------------------

    def pending(self) -> tuple[list[int], list[int]]:
        """(rows to be worked on, rows that are done or given up), ascending."""
        states = self._store.states()
        keys = self._passages.keys()
        todo: list[int] = []
        done: list[int] = []
        seen: set[bytes] = set()
        for row in range(len(keys)):
            key = keys[row].tobytes()
            if key in seen:
                continue  # the same text again: one of them is enough
            seen.add(key)
            state = states.get(key)
            failed = state is not None and state.state == "failed"
            again = state is None or (failed and state.teacher != self._teacher.name)
            (todo if again else done).append(row)
        return todo, done

    # -- the work ---------------------------------------------------------------------------

    def run(self, order: Iterator[int]) -> BuildReport:
        """Work through rows in `order` until they, the time or the number of passages run out.

        An interruption (Ctrl-C) ends the calls under way and is raised again; what was written
        until then is kept.

        Raises:
            ModelRuntimeError: the teacher fails every time; nothing is held against the passages.
            ModelMissingError, ModelCorruptError: there is no usable teacher.
        """
        self._remember_kept()
        started = time.monotonic()
        queue = self._tasks(order)
        running: set[Future[_Result]] = set()
        with ThreadPoolExecutor(self._options.slots, thread_name_prefix="teacher") as pool:
            try:
                while True:
                    while len(running) < self._options.slots and (work := next(queue, None)):
                        if self._over(started):
                            break
                        running.add(pool.submit(self._work, *work))
                    if not running:
                        break
                    finished, running = wait(running, _LOOK, return_when=FIRST_COMPLETED)
                    for future in finished:
                        self._take(future.result())
                    if finished:
                        self._progress(started)
                    self._check_streak()
            except BaseException:
                self._teacher.stop.set()
                raise
            finally:
                self.report.seconds = time.monotonic() - started
        return self.report

    def _over(self, started: float) -> bool:
        seconds = self._options.seconds
        if seconds is not None and time.monotonic() - started >= seconds:
            self.report.stopped = "the time was used up"
            return True
        return False

    def _tasks(self, order: Iterator[int]) -> Iterator[tuple[Passage, str]]:
        """(passage, style), in order."""
        limit = self._options.passages
        for taken, row in enumerate(order):
            if limit is not None and taken >= limit:
                self.report.stopped = "as many passages as were asked for"
                return
            (passage,) = self._passages.by_rows([row])
            yield passage, self._styles.next()

    def _work(self, passage: Passage, style: str) -> _Result:
        """Ask for all samples; where none gave anything, once more. In a thread of its own."""
        began = time.monotonic()
        result = _Result(passage, style)
        if len(passage.text.strip()) < SHORTEST:
            result.failures.append(TeacherFailedError("too short to ask about"))
            return result
        for sample in range(self._options.samples):
            self._ask(result, sample)
        if not result.candidates and not any(f.broken for f in result.failures):
            self._ask(result, self._options.samples)
        result.seconds = time.monotonic() - began
        return result

    def _ask(self, result: _Result, sample: int) -> None:
        try:
            written = self._teacher.write(result.passage, sample=sample, style=result.style)
        except TeacherFailedError as failure:
            result.failures.append(failure)
        else:
            result.written.append(written)

    # -- what came of it --------------------------------------------------------------------

    def _take(self, result: _Result) -> None:
        key = text_key(result.passage.indexed_text)
        self.report.tokens += result.tokens
        failed = Counter(failure.reason for failure in result.failures)
        failed["identical output"] += self._drop_repeated(result, key)
        failed += Counter()  # without what is zero
        self.report.failed.update(failed)
        if not result.candidates and any(f.broken for f in result.failures):
            self._streak.append(result.failures[-1])  # not the passage's fault, it may be
            self._styles.release(result.style)
            return
        self._streak.clear()
        choice = self._chooser.choose(
            result.passage,
            result.candidates,
            questions=self._teacher.questions,
            statements=self._teacher.statements,
            teacher=self._teacher.name,
        )
        self._keep(result, key, choice, failed)

    def _keep(self, result: _Result, key: bytes, choice: Choice, failed: Counter[str]) -> None:
        done = bool(choice.entries)
        nothing = "nothing was good enough" if result.candidates else "empty output"
        reason = "" if done else next(iter(failed), nothing)
        state = PassageState(
            key,
            result.passage.id,
            result.passage.document_id,
            self._teacher.name,
            "done" if done else "failed",
            reason,
            len(result.written) + len(result.failures),
            round(result.seconds, 2),
            result.tokens,
        )
        tokens = {
            entry.id: candidate.tokens
            for entry, candidate in zip(choice.entries, choice.candidates, strict=True)
            if candidate.tokens
        }
        self._store.add(state, choice.entries, tokens, choice.dropped + failed)
        if result.candidates:
            wanted = self._teacher.questions + self._teacher.statements
            reward = sum(entry.score for entry in choice.entries) / wanted
            self._styles.learn(result.style, reward)
            self._store.reward(result.style, reward)
        else:
            self._styles.release(result.style)
        self.report.passages += bool(choice.entries)
        self.report.given_up += not done
        self.report.entries += len(choice.entries)
        self.report.dropped.update(choice.dropped)

    def _drop_repeated(self, result: _Result, key: bytes) -> int:
        """Let go of outputs that are exactly what was written for another passage; how many."""
        before = len(result.written)
        result.written = [w for w in result.written if self._outputs.get(w.raw, key) == key]
        self._outputs.update({one.raw: key for one in result.written})
        return before - len(result.written)

    def _check_streak(self) -> None:
        if len(self._streak) >= _GIVE_UP:
            raise ModelRuntimeError(
                f"the teacher '{self._teacher.name}' failed {len(self._streak)} times in a row: "
                f"{self._streak[-1].detail}",
                remedy="mend or change the teacher and run the same command again: it goes on "
                "where it stopped",
            )

    def _remember_kept(self) -> None:
        texts = [entry.text for entry in self._store.entries()]
        vectors = self._encoder.encode(texts) if texts and self._encoder else None
        self._chooser.remember(texts, vectors)

    def _progress(self, started: float) -> None:
        seconds = time.monotonic() - started
        done = self.report.passages + self.report.given_up
        total = self.report.left if self._options.passages is None else self._options.passages
        total = min(total, self.report.left)
        remaining = seconds / done * (total - done) if done else None
        if self._options.seconds is not None:
            budget = max(self._options.seconds - seconds, 0.0)
            remaining = budget if remaining is None else min(remaining, budget)
        self._report_progress(Progress("write", done, total, "passages", seconds, remaining))
