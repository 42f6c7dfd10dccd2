"""In which form should knowledge be given to the reader? The same model, the same questions.

Every question is searched and thought about once; then it is answered once for each form, from the
same passages and the same graph of thoughts. Compared are exact match and F1 of the same questions
(paired randomisation test, Holm's correction over the comparisons).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel

from assistant.answering.evidence import select_evidence
from assistant.answering.facts import facts_to_tell
from assistant.answering.forms import KnowledgeForm
from assistant.answering.readers import ModelReader
from assistant.errors import UnknownNameError, UsageError
from assistant.events import ReaderKind
from assistant.retrieving import Found, found_passages
from assistant.thinking import TurnThinking
from assistant.thoughts.effort import EffortName
from assistant.thoughts.likeness import Likeness
from assistant.workspace import Workspace
from eval.answers import read
from eval.collections import Collection, sample
from eval.retrieval import index_collection
from eval.significance import bootstrap_interval, holm, paired_randomisation
from eval.squad import exact_match, f1
from eval.thoughts import Asked, Half, load_asked
from indexes.progress import OnProgress, Progress
from indexes.queries import Query


@dataclass(frozen=True, slots=True)
class Variant:
    """A form, and whether facts beside passages carry the numbers of their passages."""

    form: KnowledgeForm
    numbered: bool = False


VARIANTS: dict[str, Variant] = {
    "both": Variant("both"),
    "passages": Variant("passages"),
    "triples": Variant("triples"),
    "both, numbered": Variant("both", numbered=True),
}
BASELINE = "both"


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """One answer; `text` None where the model abstained. `facts` counts those it was told."""

    text: str | None
    em: float
    f1: float
    facts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FormRow:
    """One question and its answers by the name of the variant."""

    asked: Asked
    answers: dict[str, FormAnswer]


def evaluate_forms(
    workspace: Workspace,
    collection: Collection,
    model: BaseChatModel,
    kind: ReaderKind,
    *,
    variants: Sequence[str] = tuple(VARIANTS),
    effort: EffortName = "quick",
    half: Half = "all",
    limit: int | None = None,
    seed: int = 0,
    on_row: Callable[[FormRow], None] = lambda row: None,
    on_progress: OnProgress = lambda progress: None,
) -> list[FormRow]:
    """Answer every question in every form.

    Args:
        half: see `eval.thoughts.load_asked`; choose on one half, report on the other.
        on_row: is given each row as soon as it is there: a run takes long.

    Raises:
        UnknownNameError: there is no such variant.
        UsageError: a question has no gold answer.
        ModelMissingError: the parser's weights are missing: there is no graph without it.
    """
    for name in variants:
        if name not in VARIANTS:
            raise UnknownNameError("form", name, VARIANTS)
    asked = sample(load_asked(collection, half=half), limit, seed)
    if not asked or not all(one.answer for one in asked):
        raise UsageError(f"{collection.folder}/queries.jsonl has questions without an answer")
    index = index_collection(workspace, collection, on_progress).manifest.name
    readers = {
        name: ModelReader(
            model, kind, short=True, form=VARIANTS[name].form, logprobs=kind == "answerer"
        )
        for name in variants
    }
    rows = []
    started = time.monotonic()
    for number, one in enumerate(asked, start=1):
        row = FormRow(one, _answers(workspace, index, one, effort, readers))
        on_row(row)
        rows.append(row)
        seconds = time.monotonic() - started
        on_progress(Progress("answer", number, len(asked), "questions", seconds))
    return rows


def _answers(
    workspace: Workspace,
    index: str,
    asked: Asked,
    effort: EffortName,
    readers: Mapping[str, ModelReader],
) -> dict[str, FormAnswer]:
    settings = workspace.settings
    encoder = Likeness(workspace.encoders.dense())
    queries = (Query(asked.text),)
    found = workspace.search(index, queries, limit=settings.retrieval.depth)
    thinking = TurnThinking(workspace, index, encoder, effort)
    for _ in thinking.think(asked.text, Found(found, queries, ())):
        pass
    outcome = thinking.outcome
    hits = found.hits if outcome is None else outcome.hits
    passages = found_passages(hits[: settings.retrieval.passages])
    budget = settings.answering.evidence_tokens
    evidence = select_evidence(
        asked.text if outcome is None else outcome.evidence_for(asked.text),
        passages,
        encoder,
        budget=budget,
        carried=() if outcome is None else outcome.carried,
    )
    answers = {}
    for name, reader in readers.items():
        variant = VARIANTS[name]
        facts = facts_to_tell(
            outcome, passages, variant.form, budget=budget, numbered=variant.numbered
        )
        began = time.monotonic()
        text = read(reader, asked.text, evidence, passages, facts=facts)
        seconds = time.monotonic() - began
        gold = [asked.answer]
        scores = (0.0, 0.0) if text is None else (exact_match(text, gold), f1(text, gold))
        answers[name] = FormAnswer(text, *scores, len(facts), seconds)
    return answers


def report(rows: Sequence[FormRow]) -> dict[str, Any]:
    """The documented shape of `assistant eval forms --json`.

    Every variant is compared with the first one; `p_em` and `p_f1` are corrected (Holm) over the
    variants.

    Raises:
        UsageError: there are no rows.
    """
    if not rows:
        raise UsageError("there are no questions", remedy="another half, or no limit")
    names = list(rows[0].answers)
    found: dict[str, Any] = {}
    for name in names:
        own = [row.answers[name] for row in rows]
        low, high = bootstrap_interval([answer.f1 for answer in own])
        found[name] = {
            "em": _mean([answer.em for answer in own]),
            "f1": _mean([answer.f1 for answer in own]),
            "f1_95": [round(low, 4), round(high, 4)],
            "abstained": _mean([float(answer.text is None) for answer in own]),
            "facts": _mean([float(answer.facts) for answer in own]),
            "seconds": _mean([answer.seconds for answer in own]),
        }
    others = names[1:]
    for measure in ("em", "f1"):
        first = [getattr(row.answers[names[0]], measure) for row in rows]
        values = []
        for name in others:
            second = [getattr(row.answers[name], measure) for row in rows]
            values.append(1.0 if first == second else paired_randomisation(second, first))
        for name, p in zip(others, holm(values), strict=True):
            found[name][f"p_{measure}"] = round(p, 4)
    return {"questions": len(rows), "compared_with": names[0], "forms": found}


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)
