"""The ablation on a closed collection: every row's nDCG with and without what was already shown.

In a running conversation the answers already given compete with the one that is looked for. So
each row is measured twice: with all passages, and with those left out of the search that the
conversation has shown, as the product does by default. A passage is *shown* when its text equals
an earlier answer.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from assistant.workspace import Workspace
from eval.collections import Collection
from eval.ikat.ablation import Ablation, Asked
from eval.ikat.conversations import ClosedTurn
from eval.ikat.remembering import RememberingEncoders
from eval.measures import by_query
from eval.retrieval import index_collection
from eval.significance import bootstrap_interval, paired_randomisation
from indexes.index import Index
from indexes.progress import OnProgress, Progress

MEASURES = ("nDCG@3", "nDCG@5", "R@20")
TESTED = "nDCG@5"
RUN_DEPTH = 100
_MOVED = 20  # passages that nearness to a statement can move

Run = dict[str, dict[str, float]]
Values = dict[str, dict[str, float]]  # measure → turn → value


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """One row: means with their intervals, calls and seconds.

    `seconds` is the median of understanding a turn, without searching. An answer of the model that
    was kept counts with the time that it took to write.
    `p` is the paired randomisation test of nDCG@5 against another row (`raw` by default), with
    shown passages and without.
    """

    name: str
    measures: dict[str, float]
    measures_unshown: dict[str, float]
    interval: tuple[float, float]
    interval_unshown: tuple[float, float]
    lm_calls: int
    fallbacks: int
    seconds: float
    p: float | None = None
    p_unshown: float | None = None
    by_turn: dict[str, tuple[float, float]] = field(default_factory=dict)


def shown_rows(index: Index) -> Callable[[ClosedTurn], list[int]]:
    """A function that gives the rows of the passages that a turn's conversation has shown."""
    rows: dict[str, list[int]] = {}
    for row, passage in enumerate(index.store.passages()):
        rows.setdefault(passage.text.strip(), []).append(row)
    return lambda turn: sorted({row for said in turn.said for row in rows.get(said.strip(), [])})


def evaluate_closed(
    workspace: Workspace,
    collection: Collection,
    turns: Sequence[ClosedTurn],
    ablation: Ablation,
    names: Sequence[str],
    on_progress: OnProgress = lambda progress: None,
    *,
    against: str = "raw",
) -> list[ClosedRow]:
    """Measure the rows `names` (of `eval.ikat.ablation.NAMES`) on `turns`.

    Args:
        against: the row that the others are tested against; where it is not among `names`, nothing
            is tested.

    Raises:
        KnowledgeAssistantError: a retriever or the model is missing.
    """
    built = index_collection(workspace, collection, on_progress)
    index = Index.open(built.folder, RememberingEncoders(workspace.encoders))
    shown = shown_rows(index)
    qrels = {turn.id: collection.qrels[turn.id] for turn in turns}
    found: dict[str, tuple[_Made, tuple[Values, Values]]] = {}
    for name in names:
        made = _run(workspace, index, turns, ablation, shown, name, on_progress)
        values = (by_query(made.run, qrels, MEASURES), by_query(made.unshown, qrels, MEASURES))
        found[name] = (made, values)
    baseline = found[against][1] if against in found else None
    return [
        _row(name, made, values, baseline if name != against else None)
        for name, (made, values) in found.items()
    ]


@dataclass(slots=True)
class _Made:
    run: Run = field(default_factory=dict)
    unshown: Run = field(default_factory=dict)
    calls: int = 0
    fallbacks: int = 0
    understanding: list[float] = field(default_factory=list)


def _run(
    workspace: Workspace,
    index: Index,
    turns: Sequence[ClosedTurn],
    ablation: Ablation,
    shown: Callable[[ClosedTurn], list[int]],
    name: str,
    on_progress: OnProgress,
) -> _Made:
    made = _Made()
    ask = ablation.asker(name)
    began = time.monotonic()
    for number, turn in enumerate(turns, start=1):
        before = _saved(workspace)
        start = time.monotonic()
        asked = ask(turn)
        understood = time.monotonic()
        made.run[turn.id] = _search(workspace, index, asked, (), ablation)
        made.unshown[turn.id] = _search(workspace, index, asked, shown(turn), ablation)
        made.understanding.append(understood - start + _saved(workspace) - before)
        made.calls += asked.model_calls
        made.fallbacks += bool(asked.understanding and asked.understanding.fallback)
        seconds = time.monotonic() - began
        on_progress(Progress(name, number, len(turns), "turns", seconds))
    return made


def _saved(workspace: Workspace) -> float:
    return workspace.answer_cache.saved if workspace.answer_cache else 0.0


def _search(
    workspace: Workspace, index: Index, asked: Asked, hidden: Sequence[int], ablation: Ablation
) -> dict[str, float]:
    """Passage ids with their scores, without the hidden rows."""
    retrieval = workspace.settings.retrieval
    hits = index.search(
        asked.queries,
        limit=RUN_DEPTH,
        depth=retrieval.depth,
        weights=retrieval.weights,
        without=hidden,
    ).hits
    if asked.near:
        first = hits[:_MOVED]
        near = ablation.nearness(asked, [hit.passage.text for hit in first])
        total = [hit.score + float(add) for hit, add in zip(first, near, strict=True)]
        order = sorted(range(len(first)), key=lambda place: (-total[place], place))
        hits = [*(first[place] for place in order), *hits[_MOVED:]]
    # Ranks as scores: equal scores keep the order of the search.
    return {hit.passage.id: float(RUN_DEPTH - place) for place, hit in enumerate(hits)}


def _row(
    name: str, made: _Made, values: tuple[Values, Values], baseline: tuple[Values, Values] | None
) -> ClosedRow:
    tested = [list(found[TESTED].values()) for found in values]
    p: list[float | None] = [None, None]
    if baseline is not None:
        p = [
            paired_randomisation(own, list(raw[TESTED].values()))
            for own, raw in zip(tested, baseline, strict=True)
        ]
    return ClosedRow(
        name=name,
        measures=_means(values[0]),
        measures_unshown=_means(values[1]),
        interval=bootstrap_interval(tested[0]),
        interval_unshown=bootstrap_interval(tested[1]),
        lm_calls=made.calls,
        fallbacks=made.fallbacks,
        seconds=round(statistics.median(made.understanding), 4),
        p=p[0],
        p_unshown=p[1],
        by_turn=dict(zip(made.run, zip(tested[0], tested[1], strict=True), strict=True)),
    )


def _means(values: Values) -> dict[str, float]:
    return {name: round(statistics.fmean(found.values()), 4) for name, found in values.items()}
