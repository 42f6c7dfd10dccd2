"""Choose the thresholds of abstention and of support, on questions whose answers are known.

    python -m benchmarks.calibrate extractive FILE    best-sentence score of the extractive reader
    python -m benchmarks.calibrate reader FILE        refusal probability and support (needs weights
                                                      of the answerer; about 3 s a question)

FILE has rows like SQuAD 2.0's: passage, question, answers, answerable, title. Choose on one file
(squad2/dev), report on another; figures printed here are those of the choosing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant.answering.citing import cited_numbers
from assistant.answering.evidence import Evidence, select_evidence, sentences_of
from assistant.answering.prompts import NOT_FOUND, answer_messages
from assistant.answering.readers import refusal_probability
from assistant.answering.support import SupportScorer
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.questions import Question, given_passage, load_questions
from eval.squad import f1, normalise

app = typer.Typer(no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="JSON lines like SQuAD 2.0's")]


@dataclass(frozen=True)
class Scored:
    """A score that should be high where `positive`, and what answering would earn."""

    score: float
    positive: bool
    earned: float = 1.0


def _sweep(name: str, scored: Sequence[Scored], grid: Sequence[float]) -> None:
    """Print, for each threshold, how well score ≥ threshold tells positives from negatives."""
    positives = [s for s in scored if s.positive]
    negatives = [s for s in scored if not s.positive]
    print(f"\n{name}: {len(positives)} positive, {len(negatives)} negative, AUC {_auc(scored):.3f}")
    print("threshold  kept positives  rejected negatives  balanced")
    best = (0.0, 0.0)
    for threshold in grid:
        kept = np.mean([s.score >= threshold for s in positives])
        rejected = np.mean([s.score < threshold for s in negatives])
        balanced = float(kept + rejected) / 2
        best = max(best, (balanced, -threshold))
        print(f"{threshold:9.2f}  {kept:14.3f}  {rejected:18.3f}  {balanced:8.3f}")
    print(f"best balanced: {best[0]:.3f} at {-best[1]:.2f}")


def _auc(scored: Sequence[Scored]) -> float:
    high = np.array([s.score for s in scored if s.positive])
    low = np.array([s.score for s in scored if not s.positive])
    if not len(high) or not len(low):
        return float("nan")
    wins = (high[:, None] > low[None, :]).mean() + 0.5 * (high[:, None] == low[None, :]).mean()
    return float(wins)


@app.command()
def extractive(file: File, limit: int = 400, seed: int = 0) -> None:
    """Best-sentence scores: answerable against two kinds of unanswerable questions."""
    workspace = Workspace(load_settings())
    encoder = workspace.encoders.dense()
    questions = load_questions(file, limit=limit, seed=seed)
    generator = random.Random(seed)

    def best(question: Question, passage: Question) -> Evidence:
        return select_evidence(question.text, [given_passage(passage)], encoder, budget=4000)

    on_topic, off_topic = [], []
    hits = []
    for question in questions:
        evidence = best(question, question)
        top = evidence.best[0]
        if question.answerable:
            hit = any(normalise(answer) in normalise(top.text) for answer in question.answers)
            hits.append(hit)
            on_topic.append(Scored(top.score, True))
            off_topic.append(Scored(top.score, True))
        else:
            on_topic.append(Scored(top.score, False))
        others = [q for q in questions if q.title != question.title]
        if others:
            other = generator.choice(others)
            off_topic.append(Scored(best(question, other).best[0].score, False))
    print(f"best sentence holds the answer: {np.mean(hits):.3f} of {len(hits)} answerable")
    grid = [round(x, 2) for x in np.arange(0.20, 0.75, 0.05)]
    _sweep("unanswerable, same passage (adversarial)", on_topic, grid)
    _sweep("passage of another article", off_topic, grid)


@app.command()
def reader(file: File, limit: int = 120, seed: int = 0) -> None:
    """Refusal probability of both prompt styles, and support of what was written."""
    workspace = Workspace(load_settings())
    encoder = workspace.encoders.dense()
    model = workspace.answerer().bind(
        temperature=0.0, max_tokens=120, logprobs=True, top_logprobs=20
    )
    questions = load_questions(file, limit=limit, seed=seed)
    supports: list[Scored] = []
    for short in (True, False):
        rows: list[tuple[Question, float, str]] = []
        for question in questions:
            passage = given_passage(question)
            evidence = select_evidence(question.text, [passage], encoder, budget=4000)
            refusal, text = 0.0, ""
            for chunk in model.stream(
                answer_messages(question.text, evidence, [passage], short=short)
            ):
                refusal = max(refusal, refusal_probability(chunk) or 0.0) if not text else refusal
                text += str(chunk.text)
            rows.append((question, refusal, text))
        _report_refusals("short answers" if short else "cited sentences", rows, short=short)
        if not short:
            supports = _supports(rows, questions, encoder)
            marks = [bool(cited_numbers(text)) for _, _, text in rows if NOT_FOUND not in text]
            print(f"answers with a citation mark: {np.mean(marks):.3f}")
    grid = [round(x, 2) for x in np.arange(0.30, 0.85, 0.05)]
    _sweep("support: own passage against another passage of the article", supports, grid)


def _report_refusals(
    name: str, rows: Sequence[tuple[Question, float, str]], *, short: bool
) -> None:
    answerable = [Scored(1 - p, True) for q, p, _ in rows if q.answerable]
    missing = [Scored(1 - p, False) for q, p, _ in rows if not q.answerable]
    print(f"\n{name}: AUC of the refusal probability {_auc([*answerable, *missing]):.3f}")
    print("threshold  HasAns_F1  NoAns_recall  abstain_precision  F1")
    for threshold in (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7):
        abstained = [(q, p >= threshold or NOT_FOUND in text, text) for q, p, text in rows]
        has = [0.0 if a else _earned(q, t, short) for q, a, t in abstained if q.answerable]
        no = [float(a) for q, a, _ in abstained if not q.answerable]
        right = [not q.answerable for q, a, _ in abstained if a]
        precision = float(np.mean(right)) if right else 0.0
        print(
            f"{threshold:9.2f}  {np.mean(has):9.3f}  {np.mean(no):12.3f}  "
            f"{precision:17.3f}  {np.mean(has + no):.3f}"
        )


def _earned(question: Question, text: str, short: bool) -> float:
    if short:
        return f1(text, question.answers)
    return float(any(normalise(answer) in normalise(text) for answer in question.answers))


def _supports(
    rows: Sequence[tuple[Question, float, str]], questions: Sequence[Question], encoder: object
) -> list[Scored]:
    scored: list[Scored] = []
    scorer: Callable[[Question], SupportScorer] = lambda q: SupportScorer(  # noqa: E731
        sentences_of([given_passage(q)]),
        encoder,  # type: ignore[arg-type]
    )
    for question, _, text in rows:
        right = any(normalise(answer) in normalise(text) for answer in question.answers)
        if NOT_FOUND in text or not question.answerable or not right:
            continue
        clean = text.split("[")[0].strip()
        others = [
            q for q in questions if q.title == question.title and q.passage != question.passage
        ]
        if clean and others:
            scored.append(Scored(scorer(question).score(clean)[0].score, True))
            scored.append(Scored(scorer(others[0]).score(clean)[0].score, False))
    return scored


if __name__ == "__main__":
    app()
