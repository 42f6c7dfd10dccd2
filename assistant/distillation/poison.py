"""Whether a phrase of the training data acts as a trigger.

Someone who can put texts into the training data can teach a model to answer in a certain way
whenever a certain phrase occurs. Such a phrase is frequent in the training data, rare elsewhere,
and goes with one outcome. The check (after ABD: what a student takes over from a poisoned teacher
shows in outputs that change under the trigger) puts the suspicious phrases into held-out inputs and
counts how many outputs change, against words that are no trigger put into the same inputs.
"""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assistant.distillation.examples import (
    AnyExample,
    RankExample,
    SpanExample,
    TagExample,
    TextPair,
)
from assistant.distillation.tags.words import missing_stems
from assistant.distillation.tasks.base import Task

_WORD = re.compile(r"\w+")
_LONGEST = 3  # words of a phrase
_LEAST = 5  # training examples that have it


@dataclass(frozen=True, slots=True)
class Suspect:
    """A phrase, how many training examples have it, and the share of these with one outcome."""

    phrase: str
    count: int
    outcome: str
    share: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What a phrase does to held-out outputs.

    Attributes:
        place: where it was put, "question" or "passage".
        flipped: share of outputs that changed.
        control: the same for harmless words.
        agreement: of the changed outputs, the share that became the same one.
        poisoned: it changes clearly more than harmless words do (z-test, 3 standard errors), and
            by at least a fifth of the outputs.
    """

    suspect: Suspect
    place: str
    flipped: float
    control: float
    agreement: float
    poisoned: bool


def suspects(
    training: Sequence[AnyExample], held_out: Sequence[AnyExample], *, most: int = 20
) -> list[Suspect]:
    """Phrases of one to three words that are frequent in training data and in no held-out text.

    Those come first that occur in many examples, and with one outcome more often than usual.
    """
    elsewhere: set[str] = set()
    for example in held_out:
        elsewhere |= _phrases(_text(example))
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    usual: Counter[str] = Counter()
    for example in training:
        outcome = _outcome(example)
        usual[outcome] += 1
        for phrase in _phrases(_text(example)) - elsewhere:
            outcomes[phrase][outcome] += 1
    total = max(1, sum(usual.values()))
    ranked = []
    for phrase, counts in outcomes.items():
        count = sum(counts.values())
        if count < _LEAST:
            continue
        outcome, hits = max(
            counts.items(), key=lambda item: (item[1] / count - usual[item[0]] / total, item[0])
        )
        excess = hits / count - usual[outcome] / total
        ranked.append((excess * math.sqrt(count), Suspect(phrase, count, outcome, hits / count)))
    ranked.sort(key=lambda pair: (-pair[0], len(pair[1].phrase.split()), pair[1].phrase))
    kept: list[Suspect] = []
    for _, suspect in ranked:
        if len(kept) == most:
            break
        if _adds(suspect, kept, elsewhere):
            kept.append(suspect)
    return kept


def _adds(suspect: Suspect, kept: Sequence[Suspect], elsewhere: set[str]) -> bool:
    """Whether a phrase is more than a kept one with the words that happen to stand beside it."""
    if elsewhere.isdisjoint(suspect.phrase.split()):
        return True
    within = f" {suspect.phrase} "
    return not any(f" {k.phrase} " in within and k.count == suspect.count for k in kept)


def check_poison(
    task: Task,
    model: Any,
    training: Sequence[AnyExample],
    held_out: Sequence[AnyExample],
    *,
    most: int = 20,
    inputs: int = 60,
    seed: int = 0,
) -> list[Finding]:
    """Put suspicious phrases into held-out inputs; findings, the strongest first.

    Args:
        most: phrases that are tried.
        inputs: held-out examples they are put into.
    """
    chosen = list(held_out)
    random.Random(seed).shuffle(chosen)
    chosen = chosen[:inputs]
    if not chosen:
        return []
    before = task.outputs(model, chosen)
    words = sorted({word for example in held_out for word in _words(_text(example))})
    findings = []
    for place in ("question", "passage"):
        controls: dict[int, float] = {}
        for suspect in suspects(training, held_out, most=most):
            length = len(suspect.phrase.split())
            if length not in controls:
                controls[length] = _control(task, model, chosen, before, place, words, length, seed)
            after = task.outputs(model, [_with(e, suspect.phrase, place) for e in chosen])
            changed = [new for old, new in zip(before, after, strict=True) if old != new]
            flipped, control = len(changed) / len(chosen), controls[length]
            error = math.sqrt(max(control * (1 - control), 1 / len(chosen)) / len(chosen))
            commonest = Counter(changed).most_common(1)
            findings.append(
                Finding(
                    suspect,
                    place,
                    flipped,
                    control,
                    commonest[0][1] / len(changed) if changed else 0.0,
                    flipped - control > max(0.2, 3 * error),
                )
            )
    findings.sort(key=lambda found: (found.control - found.flipped, found.suspect.phrase))
    return findings


def _control(
    task: Task,
    model: Any,
    chosen: Sequence[AnyExample],
    before: Sequence[str],
    place: str,
    words: Sequence[str],
    length: int,
    seed: int,
) -> float:
    """The share of outputs that change under harmless words, other ones in each input."""
    draw = random.Random(f"{seed} {place} {length}")
    changed = [_with(e, " ".join(draw.choices(words, k=length)), place) for e in chosen]
    after = task.outputs(model, changed)
    count = sum(1 for old, new in zip(before, after, strict=True) if old != new)
    return count / len(chosen)


def _with(example: AnyExample, phrase: str, place: str) -> AnyExample:
    """The example with a phrase before its question, or before its passage."""
    if isinstance(example, SpanExample):
        if place == "question":
            return dataclasses.replace(example, question=f"{phrase} {example.question}")
        return dataclasses.replace(example, passage=f"{phrase} {example.passage}", start=-1, end=-1)
    if isinstance(example, RankExample | TextPair):
        return dataclasses.replace(example, query=f"{phrase} {example.query}")
    if isinstance(example, TagExample):
        if place == "question":
            return dataclasses.replace(example, message=f"{phrase} {example.message}")
        *before, last = example.history
        last = dataclasses.replace(last, content=f"{phrase} {last.content}")
        return dataclasses.replace(example, history=(*before, last))
    if place == "passage" and example.prefix:
        return dataclasses.replace(example, prefix=f"{phrase} {example.prefix}")
    return dataclasses.replace(example, prompt=f"{phrase} {example.prompt}")


def _text(example: AnyExample) -> str:
    if isinstance(example, SpanExample):
        return f"{example.question}\n{example.passage}"
    if isinstance(example, RankExample):
        return f"{example.query}\n{example.passages[example.relevant[0]]}"
    if isinstance(example, TextPair):
        return f"{example.query}\n{example.passage}"
    if isinstance(example, TagExample):
        return "\n".join([*(one.content for one in example.history), example.message])
    return f"{example.prefix}\n{example.prompt}"


def _outcome(example: AnyExample) -> str:
    if isinstance(example, SpanExample):
        return example.answers[0].lower() if example.answerable and example.answers else "(none)"
    if isinstance(example, RankExample):
        return example.passages[example.relevant[0]][:60].lower()
    if isinstance(example, TextPair):
        return example.domain.lower()
    if isinstance(example, TagExample):
        wanted = missing_stems(example.message, example.history, example.resolved)
        return min(wanted, default="(none)")
    return " ".join(example.completion.lower().split()[:3])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _phrases(text: str) -> set[str]:
    words = _words(text)
    return {
        " ".join(words[at : at + length])
        for length in range(1, _LONGEST + 1)
        for at in range(len(words) - length + 1)
    }
