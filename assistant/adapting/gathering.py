"""The questions of an adaptation: gathered, written where some are missing, divided, kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, Any

from assistant.adapting.judging import AUTO, NONE, Asked, teacher_share
from assistant.adapting.questions import (
    FEWEST_DOCUMENTS,
    SPLITS,
    Question,
    Split,
    drawn,
    of_entries,
    of_sentences,
    split,
)
from assistant.adapting.work import WorkFolder, keys_of
from assistant.errors import UsageError
from assistant.knowledge.entries import KnowledgeEntry
from assistant.knowledge.store import KnowledgeStore
from assistant.workspace import Workspace
from indexes.index import Index
from indexes.progress import OnProgress

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

FILE = "questions.jsonl"
# Fewer questions of a model than this say too little; words of sentences are used besides.
ENOUGH = 120
FEWEST: dict[Split, int] = {"train": 40, "choose": 5, "held-out": 25}
_USE: dict[Split, str] = {
    "train": "to learn from",
    "choose": "to choose by",
    "held-out": "to measure with",
}
_CLOZE_EACH = 2  # of a passage
_SLOTS = 2  # calls of the teacher at once

TeachingModel = Callable[[str], "tuple[BaseChatModel, str]"]


def most_of(seconds: float) -> dict[Split, int]:
    """How many questions of each side are of use within a budget."""
    return {
        "train": _between(200, round(seconds), 8_000),
        "choose": _between(30, round(seconds / 20), 200),
        "held-out": _between(60, round(seconds / 6), 400),
    }


def teacher_of(workspace: Workspace, wanted: str) -> str | None:
    """The model that is to write questions, as `teaching_model` takes it; None for none.

    Raises:
        ModelMissingError, UnknownNameError: one was named that is not installed.
    """
    if wanted == NONE:
        return None
    if wanted == AUTO:
        installed = workspace.models.is_installed(workspace.settings.models.answerer)
        return "answerer" if installed and find_spec("xllamacpp") else None
    if wanted not in ("answerer", "remote"):
        workspace.models.path(wanted)
    return wanted


def gather(
    workspace: Workspace,
    index: Index,
    asked: Asked,
    work: WorkFolder,
    teaching: TeachingModel,
    on_progress: OnProgress,
) -> dict[str, Any]:
    """Make `questions.jsonl` in the working folder, unless it is there.

    Returns:
        how many there are by side and origin, which teacher wrote, and what a reader of the
        figures has to know.

    Raises:
        UsageError: there are too few passages to ask about.
        As the teacher and its model do.
    """
    if "questions" in (plan := work.plan):
        return dict(plan["questions"])
    teacher = _write_more(workspace, index, asked, work, teaching, on_progress)
    kept, notes = divided(index, asked, work)
    require_enough(kept, index.manifest.name)
    work.quote(keys_of(index.store))
    rows = ({"side": side, **one.to_row()} for side in SPLITS for one in kept[side])
    work.write_lines(FILE, rows)
    told = {"counts": counted_by_origin(kept), "teacher": teacher, "notes": notes}
    work.decide(questions=told)
    return told


def divided(
    index: Index, asked: Asked, work: WorkFolder
) -> tuple[dict[Split, list[Question]], list[str]]:
    """The questions that there are by now, as many of each side as are of use; and what a reader
    of their figures has to know."""
    by_document = index.manifest.documents >= FEWEST_DOCUMENTS
    entries = _entries(index, work)
    found = list(of_entries(entries, index.store, by_document=by_document))
    notes = [] if by_document else ["few documents: the split is by passage, not by document"]
    if len(found) < ENOUGH:
        made = of_sentences(
            index.store.passages(), each=_CLOZE_EACH, seed=asked.seed, by_document=by_document
        )
        notes.append(
            f"{len(found)} questions of a language model are too few: words of sentences stand "
            "for queries, which tells little about what people ask"
        )
        found += made
    sides = split(found, seed=asked.seed)
    most = most_of(asked.seconds)
    return {side: drawn(sides[side], most[side], seed=asked.seed) for side in SPLITS}, notes


def require_enough(sides: Mapping[Split, Sequence[Question]], name: str) -> None:
    """Refuse too few questions of an index.

    Raises:
        UsageError: a side has too few.
    """
    for side, least in FEWEST.items():
        if (count := len(sides[side])) < least:
            raise UsageError(
                f"there {_are(count)} {_USE[side]}, {least} are needed",
                remedy="add documents, or let a language model write more: "
                f"assistant knowledge build {name}",
            )


def counted_by_origin(sides: Mapping[Split, Sequence[Question]]) -> dict[str, dict[str, int]]:
    """How many questions there are by side and origin."""
    return {side: dict(Counter(one.origin for one in sides[side])) for side in SPLITS}


def enough_stored(index: Index, asked: Asked, work: WorkFolder) -> bool:
    """Whether there are as many questions of a model as are of use, so that none writes more."""
    return stored_questions(index, work) >= sum(most_of(asked.seconds).values())


def read_questions(work: WorkFolder) -> dict[Split, list[Question]]:
    """What `gather` kept, by side."""
    sides: dict[Split, list[Question]] = {side: [] for side in SPLITS}
    for row in work.lines(FILE):
        sides[row.pop("side")].append(Question.from_row(row))
    return sides


def stored_questions(index: Index, work: WorkFolder) -> int:
    """How many questions of a model there are already."""
    by_document = index.manifest.documents >= FEWEST_DOCUMENTS
    return sum(1 for _ in of_entries(_entries(index, work), index.store, by_document=by_document))


def _entries(index: Index, work: WorkFolder) -> list[KnowledgeEntry]:
    stores = (KnowledgeStore(index.folder), KnowledgeStore(work.taught))
    by_id = {entry.id: entry for store in stores if store.exists for entry in store.entries()}
    return list(by_id.values())


def _write_more(
    workspace: Workspace,
    index: Index,
    asked: Asked,
    work: WorkFolder,
    teaching: TeachingModel,
    on_progress: OnProgress,
) -> str | None:
    """Let the teacher write where entries are missing; returns its name.

    What it writes stays apart from the index's own store: that one is searched, and nothing that
    is searched shall change before something is found to be better.
    """
    from assistant.knowledge.building import BuildOptions, KnowledgeBuilder
    from assistant.knowledge.filling import encoder_of, order_of
    from assistant.knowledge.teacher import Teacher

    wanted = teacher_of(workspace, asked.teacher)
    if wanted is None or enough_stored(index, asked, work):
        return None
    enough = sum(most_of(asked.seconds).values())
    model, called = teaching(wanted)
    work.taught.mkdir(parents=True, exist_ok=True)
    most = teacher_share(asked.seconds, enough=False)
    options = BuildOptions(seconds=most, samples=1, slots=_SLOTS)
    asking = Teacher(model, called, questions=2, statements=0)
    encoder = encoder_of(workspace)
    builder = KnowledgeBuilder(work.taught, index.store, asking, encoder, options, on_progress)
    builder.report.left = index.manifest.passages
    KnowledgeStore(work.taught).follow(index.store, index.manifest.generation)
    todo, done = builder.pending()
    covered = {entry.passage_key for entry in _entries(index, work)}
    keys = keys_of(index.store)
    todo = [row for row in todo if keys[row] not in covered]
    builder.report.left = len(todo)

    begun = monotonic()

    def until_enough() -> Iterator[int]:
        for row in order_of(workspace, index, todo, done):
            late = monotonic() - begun > teacher_share(asked.seconds)
            if builder.report.entries >= enough or (
                late and stored_questions(index, work) >= ENOUGH
            ):
                return
            yield row

    builder.run(until_enough())
    return called


def _are(count: int) -> str:
    return "is 1 question" if count == 1 else f"are {count} questions"


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))
