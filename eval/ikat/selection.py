"""How well the person's statements are chosen on a closed collection.

The passages that a statement is compared with may not hold the answer of the turn itself: that
answer was written with the relevant statements in mind, and would give them away.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.understanding.statements import StatementSelector
from assistant.workspace import Workspace
from eval.collections import Collection
from eval.ikat.ablation import Ablation
from eval.ikat.closed import shown_rows
from eval.ikat.conversations import ClosedTurn
from eval.ikat.judgements import read_statement_labels
from eval.retrieval import index_collection
from indexes.progress import OnProgress, Progress

_PASSAGES = 5


def evaluate_selection(
    workspace: Workspace,
    collection: Collection,
    turns: Sequence[ClosedTurn],
    ablation: Ablation,
    selector: StatementSelector,
    labels: Path | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> dict[str, Any] | None:
    """Precision, recall and F1 of the statements chosen by rules; None where there are none.

    Counts are added up over the turns with a relevant statement, as for the track's floors; on the
    others choosing nothing is right. The row "all" is the floor.

    Args:
        labels: NIST's rows, by turn id with or without the collection's prefix; turns that they
            do not judge are left out. None takes the queries' own `relevant_ptkb`.
    """
    known = [turn for turn in turns if turn.statements]
    if labels is not None:
        judged = read_statement_labels(labels).relevant
        by_turn = {turn.id: judged.get(turn.id, judged.get(_bare(turn.id))) for turn in known}
        known = [turn for turn in known if by_turn[turn.id] is not None]
        gold = {turn.id: set(by_turn[turn.id] or ()) for turn in known}
    else:
        gold = {turn.id: set(turn.relevant) for turn in known}
    if not known:
        return None
    index = index_collection(workspace, collection, on_progress)
    shown = shown_rows(index)
    ask = ablation.asker("rules")
    chosen: dict[str, dict[str, set[str]]] = {"all": {}, "question": {}, "question or passages": {}}
    for number, turn in enumerate(known, start=1):
        queries = ask(turn).queries
        own = index.store.rows_of(list(collection.qrels[turn.id]))
        found = index.search(
            queries,
            limit=_PASSAGES,
            weights=workspace.settings.retrieval.weights,
            without=[*shown(turn), *own],
        )
        passages = [hit.passage.text for hit in found.hits]
        main = queries[0]
        chosen["all"][turn.id] = {statement.id for statement in turn.statements}
        for name, read in (("question", []), ("question or passages", passages)):
            picked = selector.select(turn.statements, main, read)
            chosen[name][turn.id] = {statement.id for statement in picked}
        on_progress(Progress("persons", number, len(known), "turns", 0.0))
    rows = [{"name": name, **_counted(by_id, gold)} for name, by_id in chosen.items()]
    return {"labels": str(labels) if labels else "queries", "rows": rows}


def _counted(chosen: dict[str, set[str]], gold: dict[str, set[str]]) -> dict[str, float]:
    labelled = [turn for turn, relevant in gold.items() if relevant]
    right = sum(len(chosen[turn] & gold[turn]) for turn in labelled)
    picked = sum(len(chosen[turn]) for turn in labelled)
    relevant = sum(len(gold[turn]) for turn in labelled)
    others = [turn for turn, wanted in gold.items() if not wanted]
    return {
        "precision": round(right / picked, 4) if picked else 0.0,
        "recall": round(right / relevant, 4) if relevant else 0.0,
        "f1": round(2 * right / (picked + relevant), 4) if picked + relevant else 0.0,
        "labelled": len(labelled),
        "none_relevant": len(others),
        "rightly_none": sum(not chosen[turn] for turn in others),
    }


def _bare(identity: str) -> str:
    """`2023_test:9-1_3` is called `9-1_3` by the track."""
    return identity.rpartition(":")[2]
