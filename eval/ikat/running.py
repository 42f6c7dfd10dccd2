"""A run for the track, made by the live pipeline: ranking, response, citations, statements.

topics ── per topic: a home folder of its own with the person's statements
       ── per turn:  the conversation so far → `Assistant.ask` → one `RunTurn`

Each finished turn is written to OUT.partial at once; a run that was killed goes on after it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from assistant.errors import UsageError
from assistant.memory.person import MAX_CHARACTERS
from assistant.pipeline import Assistant
from assistant.understanding.statements import Statement, StatementSelector
from assistant.workspace import Workspace
from eval.ikat.replaying import Replayed, replay_turn, shortened
from eval.ikat.runs import IkatRun, RunTurn, write_run
from eval.ikat.topics import Topic
from eval.response_tasks import Exchange
from eval.responses import History, private_workspace, store_history
from indexes.files import storage_errors
from indexes.index import Index
from indexes.progress import OnProgress, Progress
from indexes.queries import Query

MAX_WORDS = 250
# Fewer than 1,000 passages a turn (2023, 2024), at most 1,000 (2025).
MAX_PASSAGES = 999


def make_run(
    workspace: Workspace,
    topics: Sequence[Topic],
    index: str,
    out: Path,
    year: int,
    *,
    name: str,
    team: str = "",
    depth: int = MAX_PASSAGES,
    history: History = "canonical",
    fresh: bool = False,
    on_progress: OnProgress = lambda progress: None,
) -> IkatRun:
    """Run every turn of the topics and write `out` in the year's form.

    Args:
        depth: passages ranked for each turn.
        history: "canonical" shows the topics' own responses in the history, "own" the pipeline's.
        fresh: start anew where a run was left unfinished.

    Raises:
        UsageError: `out` was begun with other settings, or its folder is missing.
        KnowledgeAssistantError: a turn failed; the finished ones are kept.
    """
    depth = min(depth, MAX_PASSAGES)
    retrieval = workspace.settings.retrieval
    deeper = retrieval.model_copy(update={"depth": max(retrieval.depth, depth)})
    settings = workspace.settings.model_copy(update={"retrieval": deeper})
    opened_index = workspace.index(index)
    key = _key(topics, opened_index, settings.model_dump_json(exclude={"home"}), history, depth)
    kept = _Partial(out, key, fresh=fresh)
    total = sum(len(topic.turns) for topic in topics)
    began, done = time.monotonic(), 0
    with private_workspace(workspace) as private:
        private.settings = settings.model_copy(update={"home": private.settings.home})
        assistant = Assistant(private, ranking_depth=depth)
        for topic in topics:
            with _person(private, topic) as selector:
                exchanges: list[Exchange] = []
                for turn in topic.turns:
                    run_turn = kept.turns.get(turn.id)
                    if run_turn is None:
                        conversation = store_history(private.conversations, exchanges)
                        made = replay_turn(assistant, turn.utterance, conversation, index)
                        if not made.passages:
                            # The assistant replied by itself; a run ranks passages all the same.
                            made = replace(made, passages=_ranked(private, index, made, depth))
                        run_turn = _run_turn(turn.id, made, topic, opened_index, year, selector)
                        kept.add(run_turn)
                    reply = turn.response if history == "canonical" else run_turn.response
                    exchanges.append(Exchange(turn.utterance, reply))
                    done += 1
                    seconds = time.monotonic() - began
                    on_progress(Progress("turns", done, total, "turns", seconds))
    ordered = {turn.id: kept.turns[turn.id] for topic in topics for turn in topic.turns}
    run = IkatRun(name, "automatic", year, ordered, team=team)
    write_run(run, out, year)
    kept.remove()
    return run


@contextmanager
def _person(private: Workspace, topic: Topic) -> Iterator[StatementSelector]:
    """The topic's person, remembered for as long as their conversation lasts."""
    for statement in topic.statements:
        private.person.add(statement.text[:MAX_CHARACTERS])
    try:
        yield StatementSelector(private.encoders.dense(), threshold=-1.0, most=1)
    finally:
        private.person.forget_all()


def _run_turn(
    identity: str,
    made: Replayed,
    topic: Topic,
    index: Index,
    year: int,
    nearest: StatementSelector,
) -> RunTurn:
    ids = {" ".join(s.text.split())[:MAX_CHARACTERS]: s.id for s in topic.statements}
    chosen = [ids[text] for text in made.statements if text in ids]
    if not chosen and year == 2024 and topic.statements:
        # The form of 2024 asks for at least one statement, also where none matters.
        known = [Statement(s.id, s.text) for s in topic.statements]
        query = Query(made.standalone or topic.title)
        chosen = [statement.id for statement in nearest.select(known, query)]
    texts = {s.id: s.text for s in topic.statements}
    passages = _falling(made.passages)
    used = tuple(p for p in made.used if p in passages) or tuple(list(passages)[:1])
    stored = {p: index.store.passage(p) for p in passages} if year == 2023 else {}
    return RunTurn(
        identity,
        passages,
        response=shortened(made.response, MAX_WORDS),
        used=used,
        statements=tuple(texts[s] for s in chosen) if year == 2025 else tuple(chosen),
        statement_texts={s: texts[s] for s in chosen} if year == 2023 else {},
        passage_texts={p: passage.text for p, passage in stored.items() if passage is not None},
    )


def _ranked(private: Workspace, index: str, made: Replayed, depth: int) -> dict[str, float]:
    found = private.search(index, made.standalone, limit=depth)
    return {hit.passage.id: hit.score for hit in found.hits}


def _falling(scores: dict[str, float]) -> dict[str, float]:
    """Scores that fall strictly, as the form asks for; equal ones are told apart by a millionth."""
    falling: dict[str, float] = {}
    before = float("inf")
    for passage, score in scores.items():
        before = score if score < before else before - 1e-6
        falling[passage] = round(before, 6)
    return falling


def _key(topics: Sequence[Topic], index: Index, settings: str, *others: object) -> str:
    """Everything that a turn's outcome depends on; an unfinished run goes on only with the same."""
    parts = [repr(topics), index.manifest.generation, str(index.manifest.passages), settings]
    return hashlib.sha256("\n".join([*parts, *map(str, others)]).encode()).hexdigest()


class _Partial:
    """The turns of an unfinished run, one JSON line each after a line with the key.

    Raises:
        UsageError: the file was begun for something else.
    """

    def __init__(self, out: Path, key: str, *, fresh: bool) -> None:
        if not out.parent.is_dir():
            raise UsageError(f"{out} cannot be written: no such folder", remedy="make it first")
        self._path = out.with_name(f"{out.name}.partial")
        self.turns: dict[str, RunTurn] = {}
        if fresh:
            self._path.unlink(missing_ok=True)
        if self._path.exists():
            self._read(key)
        else:
            self._append({"key": key})

    def add(self, turn: RunTurn) -> None:
        """Keep a finished turn."""
        self.turns[turn.turn_id] = turn
        self._append(dataclasses.asdict(turn))

    def remove(self) -> None:
        """The run is complete."""
        self._path.unlink(missing_ok=True)

    def _append(self, value: dict[str, object]) -> None:
        with storage_errors(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(value, ensure_ascii=False) + "\n")

    def _read(self, key: str) -> None:
        whole = []
        for line in self._path.read_text(encoding="utf-8").split("\n"):
            try:
                whole.append(json.loads(line))
            except ValueError:
                break  # the line that was being written when the run was killed
        if not whole or whole[0].get("key") != key:
            raise UsageError(
                f"{self._path} was begun with other topics, settings or another index",
                remedy="give --fresh to start anew, or another --out",
            )
        for values in whole[1:]:
            turn = RunTurn(**{**values, **_tuples(values)})
            self.turns[turn.turn_id] = turn
        lines = [json.dumps(value, ensure_ascii=False) for value in whole]
        with storage_errors(self._path):
            self._path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _tuples(values: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values[name]) for name in ("used", "statements")}
