"""Whether adapted weights make the search of an index better: measures, test, and the rule.

Installed is what is significantly better on the held-out questions made from the index (nDCG@10,
paired randomisation test, p < .025: two parts share .05) and whose mean nDCG@10 on the person's
kept questions is not lower than before; where queries are made of sentences there have to be kept
questions. Prepared questions are not searched, since the held-out ones may be among them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.adapting.judging import (
    DECIDING,
    SIGNIFICANT,
    Asked,
    Comparison,
    Judgement,
    Role,
    Searching,
)
from assistant.adapting.planning import plan
from assistant.adapting.questions import Question
from assistant.errors import UsageError
from assistant.settings import RetrievalSettings
from assistant.workspace import Workspace
from eval.collections import Qrels, load_collection
from eval.measures import by_query
from eval.own.expectations import Place
from eval.own.store import OwnQuestions
from eval.significance import paired_randomisation
from indexes.index import Hit, Index
from indexes.progress import OnProgress, Progress
from indexes.queries import Query
from indexes.refining.refinement import Refinement

MEASURES = (DECIDING, "RR@10", "R@5")
_DEPTH = 10
_QUESTIONS = "held-out questions"
_SENTENCES = "held-out queries made of sentences, which are no questions of a person"

UNJUDGED = (
    "queries made of sentences cannot tell whether what you ask is found better: keep some "
    "questions of yours as tests, each with a place to cite, or let a language model write more "
    "(assistant models fetch answerer, then a larger --budget; what it wrote is kept)"
)

Run = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class JudgedQuestions:
    """Queries by id, and which passages are relevant to each."""

    queries: dict[str, str]
    qrels: Qrels
    left_out: int = 0


class SearchJudge:
    """A `Judge` over the searches of one index.

    Args:
        kept: the person's own questions about it.
        also: judged queries that are reported and decide nothing.
    """

    def __init__(
        self,
        retrieval: RetrievalSettings,
        kept: JudgedQuestions,
        also: JudgedQuestions | None,
        on_progress: OnProgress = lambda progress: None,
    ) -> None:
        self._retrieval, self._kept, self._also = retrieval, kept, also
        self._report = on_progress
        self._last: tuple[Index, Refinement, JudgedQuestions, Run] | None = None

    def no_room(self, before: Searching, held_out: Sequence[Question]) -> str:
        """See `Judge.no_room`. With k questions that can gain, the test's p is 2 · 2⁻ᵏ at least."""
        if _made_of_sentences(held_out) and not self._kept.queries:
            return UNJUDGED
        made = _made(held_out)
        found = by_query(self._run(before, made), made.qrels, (DECIDING,))[DECIDING]
        can_gain = sum(value < 1 for value in found.values())
        if 2 * 0.5**can_gain < SIGNIFICANT:
            return ""
        return (
            f"nothing to be gained: the search puts the right passage first for all but {can_gain} "
            f"of {len(found)} held-out ones, too few to find anything better"
        )

    def __call__(
        self, role: Role, before: Searching, after: Searching, held_out: Sequence[Question]
    ) -> Judgement:
        made = _made(held_out)
        first = self._compared(before, after, made)
        own = self._compared(before, after, self._kept) if self._kept.queries else None
        also = self._compared(before, after, self._also) if self._also is not None else None
        called = _SENTENCES if _made_of_sentences(held_out) else _QUESTIONS
        better, reason = decided(first, own, called)
        notes = (
            [f"{self._kept.left_out} kept questions name no place in this index"]
            if self._kept.left_out
            else []
        )
        return Judgement(better, reason, first, own, also, notes)

    def _compared(self, before: Searching, after: Searching, asked: JudgedQuestions) -> Comparison:
        found = [by_query(self._run(way, asked), asked.qrels, MEASURES) for way in (before, after)]
        names = list(asked.queries)
        a, b = ([values[DECIDING][name] for name in names] for values in found)
        means = [
            {name: round(sum(one.values()) / len(names), 4) for name, one in values.items()}
            for values in found
        ]
        return Comparison(len(names), means[0], means[1], round(paired_randomisation(a, b), 5))

    def _run(self, way: Searching, asked: JudgedQuestions) -> Run:
        if self._last is not None:  # what was measured first is what the candidate is held to
            index, refinement, known, run = self._last
            if index is way.index and refinement == way.refinement and known == asked:
                return run
        started = time.monotonic()
        run = {}
        total = len(asked.queries)
        for number, (name, text) in enumerate(asked.queries.items(), start=1):
            run[name] = searched(way, self._retrieval, text, asked.qrels[name])
            seconds = time.monotonic() - started
            left = seconds / number * (total - number)
            self._report(Progress("measure", number, total, "questions", seconds, left))
        self._last = (way.index, way.refinement, asked, run)
        return run


def _made(held_out: Sequence[Question]) -> JudgedQuestions:
    return JudgedQuestions(
        {one.id: one.text for one in held_out},
        {one.id: {one.passage_id: 1} for one in held_out},
    )


def _made_of_sentences(held_out: Sequence[Question]) -> bool:
    return any(one.origin == "cloze" for one in held_out)


def searched(
    way: Searching, retrieval: RetrievalSettings, text: str, relevant: dict[str, int]
) -> dict[str, float]:
    """Scores by passage of the first ten places of a search; a near-duplicate that is folded under
    a place stands for it where it is the relevant one."""
    found = way.index.search(
        [Query(text)],
        limit=_DEPTH,
        depth=retrieval.depth,
        weights=retrieval.weights,
        refinement=way.refinement,
    )
    return {_shown(hit, relevant): float(_DEPTH + 1 - hit.rank) for hit in found.hits}


def _shown(hit: Hit, relevant: dict[str, int]) -> str:
    names = [hit.passage.id, *(one.id for one in hit.duplicates)]
    return next((name for name in names if relevant.get(name, 0) > 0), names[0])


def decided(
    held_out: Comparison, kept: Comparison | None, called: str = _QUESTIONS
) -> tuple[bool, str]:
    """Whether to install, by the rule, and why in words.

    Args:
        called: what the held-out ones are, since queries made of sentences are no questions.
    """
    gain = held_out.after[DECIDING] - held_out.before[DECIDING]
    said = (
        f"{DECIDING} {held_out.before[DECIDING]:.3f} → {held_out.after[DECIDING]:.3f} "
        f"on {held_out.questions} {called}, p = {held_out.p:.3f}"
    )
    if gain <= 0:
        return False, f"not better: {said}"
    if held_out.p >= SIGNIFICANT:
        return False, f"not measurably better: {said}"
    if kept is not None and kept.after[DECIDING] < kept.before[DECIDING]:
        return False, (
            f"worse on your own kept questions ({DECIDING} {kept.before[DECIDING]:.3f} → "
            f"{kept.after[DECIDING]:.3f}, {kept.questions} questions), though better on others: "
            f"{said}"
        )
    return True, f"better: {said}"


def planned(
    workspace: Workspace, name: str, asked: Asked, on_progress: OnProgress
) -> dict[str, Any]:
    """What an adaptation would do (`assistant.adapting.planning.plan`), with what it would be
    judged by: `kept_questions` that name a place, and `unjudged`, why nothing would be trained.

    Raises:
        As `plan`.
    """
    found = plan(workspace, name, asked, on_progress)
    index = workspace.index(name)
    kept = len(kept_questions(workspace.settings.own_folder, index, name).queries)
    of_sentences = bool(found["questions"]["counts"]["held-out"].get("cloze"))
    # A teacher may write so many that no sentence has to stand for a query.
    open_yet = found["teacher"] is not None
    reason = UNJUDGED if of_sentences and not kept and not open_yet else ""
    return {**found, "kept_questions": kept, "unjudged": reason}


def kept_questions(folder: Path, index: Index, name: str) -> JudgedQuestions:
    """The person's kept questions about an index that name a place in it.

    Args:
        folder: where what belongs to the person is kept.
    """
    store = OwnQuestions(folder)
    try:
        questions = [one for one in store.questions() if one.index == name]
    finally:
        store.close()
    queries: dict[str, str] = {}
    qrels: Qrels = {}
    for one in questions:
        relevant = [p for place in one.expectation.cites for p in _passages_at(place, index)]
        if relevant:
            queries[one.id] = one.question
            qrels[one.id] = dict.fromkeys(relevant, 1)
    return JudgedQuestions(queries, qrels, len(questions) - len(queries))


def judged_queries(folder: Path, index: Index) -> JudgedQuestions:
    """The judged queries of a collection (BEIR's layout) whose passages an index holds.

    Raises:
        UsageError: no collection, or the index holds none of its relevant passages.
    """
    collection = load_collection(folder)
    by_query_id = {
        query: {passage: grade for passage, grade in grades.items() if grade > 0}
        for query, grades in collection.qrels.items()
        if query in collection.queries
    }
    of_document: dict[str, list[str]] = {}
    for passage in index.store.passages():
        of_document.setdefault(passage.document_id, []).append(passage.id)
    qrels = {
        query: {
            identity: grade
            for document, grade in grades.items()
            for identity in of_document.get(document, [])
        }
        for query, grades in by_query_id.items()
    }
    found = {query: grades for query, grades in qrels.items() if grades}
    if not found:
        raise UsageError(
            f"the index holds no relevant passage of {folder}",
            remedy=f"build it from there: assistant index build NAME --from beir:{folder}",
        )
    queries = {query: collection.queries[query] for query in found}
    return JudgedQuestions(queries, found, len(qrels) - len(found))


def _passages_at(place: Place, index: Index) -> list[str]:
    return [
        passage.id
        for document in index.store.documents()
        if document.uri == place.uri
        for passage in index.store.of_document(document.id).values()
        if place.holds(passage)
    ]
