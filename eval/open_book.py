"""Passages for questions: the one that is given, those that the assistant finds, or neighbours."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from assistant.events import FoundPassage
from assistant.retrieving import found_passages
from assistant.text_overlap import normalise
from assistant.workspace import Workspace
from eval.citations import holds
from eval.collections import load_corpus
from eval.questions import Question, given_passage, numbered_passage
from eval.retrieval import index_collection
from indexes.lexical.index import LexicalIndex
from indexes.progress import OnProgress
from indexes.queries import Query

Finder = Callable[[Question], tuple[FoundPassage, ...]]


def given(question: Question) -> tuple[FoundPassage, ...]:
    """The passage of the question's own row: reading alone."""
    return (given_passage(question),)


def found_in(workspace: Workspace, index: str) -> Finder:
    """Finds what the assistant finds for a question that stands alone."""

    def find(question: Question) -> tuple[FoundPassage, ...]:
        # A name in quotation marks is not to be insisted on, as in a turn.
        result = workspace.search(index, [Query(question.text)])
        return found_passages(result.hits)

    return find


def neighbours(questions: Sequence[Question], pool: Iterable[Question], most: int) -> Finder:
    """The question's own passage among those of the pool that BM25 finds for it.

    The own passage takes the place that BM25 gives it, and the last one where it is not among the
    best `most`, so that reading is measured with distractors and without the chance that the
    passage is missing.

    Args:
        questions: those that will be asked.
        pool: whose passages are searched.
    """
    passages = list({q.passage: q for q in [*pool, *questions]}.values())
    rows = {q.passage: row for row, q in enumerate(passages)}
    folder = tempfile.TemporaryDirectory(prefix="assistant-eval-")
    LexicalIndex.build([f"{q.title}\n{q.passage}" for q in passages], Path(folder.name))
    index = LexicalIndex.open(Path(folder.name))

    def find(question: Question) -> tuple[FoundPassage, ...]:
        assert folder.name  # kept as long as the index is searched
        ranking = index.search(question.text, most, require_phrases=False)
        best = [int(row) for row in ranking.rows]
        own = rows[question.passage]
        if own not in best:
            best = [*best[: most - 1], own]
        return tuple(numbered_passage(passages[row], n) for n, row in enumerate(best, start=1))

    return find


def index_passages(
    workspace: Workspace, questions: Iterable[Question], on_progress: OnProgress
) -> str:
    """The name of an index of the questions' passages, each once: built on first use and kept."""
    titles = {q.passage: q.title for q in questions}
    lines = [
        json.dumps({"_id": _key(text), "title": title, "text": text}, ensure_ascii=False)
        for text, title in sorted(titles.items())
    ]
    with tempfile.TemporaryDirectory(prefix="assistant-eval-") as folder:
        (Path(folder) / "corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        index = index_collection(workspace, load_corpus(Path(folder)), on_progress)
        return index.manifest.name


def is_right(question: Question, passage: FoundPassage) -> bool:
    """Whether a found passage is of the question's own one and holds a gold answer, if any."""
    found, own = normalise(passage.text), normalise(question.passage)
    if not found or not (found in own or own in found):
        return False
    return not question.answers or holds(passage.text, question.answers)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def knowledge_workspace(workspace: Workspace, *, used: bool) -> Workspace:
    """The same workspace, weights shared, that searches knowledge stores or does not."""
    wanted = workspace.settings.knowledge.model_copy(update={"use": "auto" if used else "off"})
    opened = Workspace(workspace.settings.model_copy(update={"knowledge": wanted}))
    opened.models, opened.encoders = workspace.models, workspace.encoders
    return opened
