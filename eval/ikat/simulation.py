"""Whole conversations with the assistant's own answers in the history, against the canonical ones.

An evaluation that shows the canonical answers flatters: a real conversation goes on from what the
assistant itself said. Each conversation of a closed collection is replayed both ways through the
real pipeline, and what is lost is reported.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.pipeline import Assistant
from assistant.workspace import Workspace
from eval.collections import Collection
from eval.ikat.conversations import ClosedTurn
from eval.ikat.replaying import Replayed, replay_turn
from eval.measures import by_query
from eval.response_tasks import Exchange
from eval.responses import private_workspace, store_history
from eval.retrieval import index_collection
from eval.significance import bootstrap_interval, paired_randomisation
from indexes.progress import OnProgress, Progress

MEASURE = "nDCG@5"
DEPTH = 20


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """Means of nDCG@5 with each history; `lost` is their difference, with its interval and p."""

    conversations: int
    turns: int
    canonical: float
    own: float
    lost: float
    interval: tuple[float, float]
    p: float
    abstained: dict[str, int]
    seconds: float
    by_turn: dict[str, tuple[float, float]]


def conversations_of(turns: Sequence[ClosedTurn]) -> list[list[ClosedTurn]]:
    """Turns by conversation: those whose history begins with the same message of the same topic."""
    groups: dict[str, list[ClosedTurn]] = {}
    for turn in turns:
        groups.setdefault(turn.id.rpartition("_")[0] or turn.history[0].content, []).append(turn)
    return [sorted(group, key=lambda turn: len(turn.history)) for group in groups.values()]


def simulate(
    workspace: Workspace,
    collection: Collection,
    conversations: Sequence[Sequence[ClosedTurn]],
    on_progress: OnProgress = lambda progress: None,
) -> SimulationReport:
    """Replay the conversations both ways; turns that are not judged are asked too.

    Raises:
        KnowledgeAssistantError: a turn failed.
    """
    index = index_collection(workspace, collection, on_progress).manifest.name
    runs: dict[str, dict[str, dict[str, float]]] = {"canonical": {}, "own": {}}
    abstained = {"canonical": 0, "own": 0}
    seconds: list[float] = []
    total = 2 * sum(len(group) for group in conversations)
    began, done = time.monotonic(), 0
    with private_workspace(workspace) as private:
        assistant = Assistant(private, ranking_depth=DEPTH)
        for group in conversations:
            own: dict[str, Replayed] = {}
            conversation = private.conversations.start("own")
            for text, turn in _messages(group):
                made = replay_turn(assistant, text, conversation, index)
                if turn is not None:
                    own[turn.id] = made
            for turn in group:
                given = store_history(private.conversations, _exchanges(turn))
                made = replay_turn(assistant, turn.text, given, index)
                for name, outcome in (("canonical", made), ("own", own[turn.id])):
                    runs[name][turn.id] = outcome.passages
                    abstained[name] += outcome.abstained
                    seconds.append(outcome.seconds)
                    done += 1
                on_progress(Progress("turns", done, total, "turns", time.monotonic() - began))
    qrels = {turn: collection.qrels[turn] for turn in runs["own"]}
    values = {name: by_query(run, qrels, [MEASURE])[MEASURE] for name, run in runs.items()}
    pairs = {turn: (values["canonical"][turn], values["own"][turn]) for turn in qrels}
    lost = [canonical - own_value for canonical, own_value in pairs.values()]
    return SimulationReport(
        conversations=len(conversations),
        turns=len(pairs),
        canonical=round(statistics.fmean(values["canonical"].values()), 4),
        own=round(statistics.fmean(values["own"].values()), 4),
        lost=round(statistics.fmean(lost), 4),
        interval=bootstrap_interval(lost),
        p=paired_randomisation(list(values["canonical"].values()), list(values["own"].values())),
        abstained=abstained,
        seconds=round(statistics.median(seconds), 3),
        by_turn=pairs,
    )


def _messages(group: Sequence[ClosedTurn]) -> list[tuple[str, ClosedTurn | None]]:
    """The person's messages in order, each with its judged turn where it has one."""
    last = group[-1]
    said = [message.content for message in last.history if message.role == "user"] + [last.text]
    at = {sum(m.role == "user" for m in turn.history): turn for turn in group}
    return [(text, at.get(place)) for place, text in enumerate(said)]


def _exchanges(turn: ClosedTurn) -> list[Exchange]:
    exchanges: list[Exchange] = []
    for message in turn.history:
        if message.role == "user":
            exchanges.append(Exchange(message.content, ""))
        elif exchanges:
            exchanges[-1] = Exchange(exchanges[-1].message, message.content)
    return exchanges
