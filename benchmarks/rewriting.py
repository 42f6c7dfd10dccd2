"""What the ways of understanding carry over from a conversation, against people's rewrites.

    python -m benchmarks.rewriting CONVERSATIONS.jsonl [--limit N]

CONVERSATIONS has lines of `assistant distill conversations` (`history, text, resolved`), of topics
that nothing was trained on. A message *leaves unsaid* what its rewrite and the conversation say and
it does not (stems of content words). For each way prints precision, recall and F1 of these words,
counts added up over the messages, with a 95 % bootstrap interval of F1 over topics; how often
words come that nobody said; the share of questions written as the person wrote them, but for case
and punctuation; and the median seconds of a message.

rules      carries phrases over
distilled  the tagger of words
small      the small language model writes the question
"""

from __future__ import annotations

import re
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from assistant.distillation.examples import TagExample
from assistant.distillation.sources.conversations import ConversationSource
from assistant.distillation.tags.words import missing_stems, stems_of
from assistant.settings import load_settings
from assistant.understanding.distilled import DistilledUnderstander
from assistant.understanding.parser import NounPhrases
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.small import SmallUnderstander
from assistant.understanding.types import Understander
from assistant.workspace import Workspace

_SAMPLES = 2000
_WORD = re.compile(r"\w+")


class Counts(NamedTuple):
    """Words of one message: carried over and wanted, carried over, wanted, said by nobody."""

    right: int
    carried: int
    wanted: int
    new: int


class Judged(NamedTuple):
    """One message by one way."""

    topic: str
    counts: Counts
    same: bool
    seconds: float


def judge(way: Understander, example: TagExample) -> Judged:
    """Understand a message and compare with the person's rewrite."""
    start = time.perf_counter()
    understood = way.understand(example.message, example.history)
    seconds = time.perf_counter() - start
    said = stems_of(one.content for one in example.history)
    written = stems_of([understood.standalone]) - stems_of([example.message])
    wanted = missing_stems(example.message, example.history, example.resolved)
    carried = written & said
    return Judged(
        example.domain,
        Counts(len(carried & wanted), len(carried), len(wanted), len(written - said)),
        _words(understood.standalone) == _words(example.resolved),
        seconds,
    )


def f1(counts: Iterable[Counts]) -> tuple[float, float, float]:
    """Precision, recall and F1 of counts added up; 0 where nothing is carried or wanted."""
    right, carried, wanted, _ = np.sum([(0, 0, 0, 0), *counts], axis=0).tolist()
    precision = right / carried if carried else 0.0
    recall = right / wanted if wanted else 0.0
    return precision, recall, 2 * right / (carried + wanted) if carried + wanted else 0.0


def interval(judged: Sequence[Judged], seed: int = 0) -> tuple[float, float]:
    """95 % of F1 when topics are drawn again with replacement."""
    topics: defaultdict[str, list[Counts]] = defaultdict(list)
    for one in judged:
        topics[one.topic].append(one.counts)
    sums = np.array([np.sum(counts, axis=0) for counts in topics.values()])
    drawn = np.random.default_rng(seed).integers(len(sums), size=(_SAMPLES, len(sums)))
    right, carried, wanted, _ = sums[drawn].sum(axis=1).T
    low, high = np.quantile(2 * right / np.maximum(carried + wanted, 1), (0.025, 0.975))
    return float(low), float(high)


def row(name: str, judged: Sequence[Judged]) -> str:
    """A line of the table."""
    precision, recall, both = f1(one.counts for one in judged)
    low, high = interval(judged)
    new = statistics.fmean(one.counts.new > 0 for one in judged)
    same = statistics.fmean(one.same for one in judged)
    seconds = statistics.median(one.seconds for one in judged)
    return (
        f"| {name} | {precision:.3f} | {recall:.3f} | {both:.3f} ({low:.3f}–{high:.3f}) "
        f"| {new:.3f} | {same:.3f} | {seconds:.2f} |"
    )


def main(
    conversations: Annotated[Path, typer.Argument(help="lines of assistant distill conversations")],
    limit: Annotated[int | None, typer.Option(min=1, help="the first so many messages")] = None,
) -> None:
    """Understand every message each way, and print the table."""
    workspace = Workspace(load_settings())
    rules = RuleUnderstander(NounPhrases(workspace.parser))
    ways: dict[str, Understander] = {
        "rules": rules,
        "distilled": DistilledUnderstander(workspace.loaded.tag_model, rules),
        "small": SmallUnderstander(workspace.loaded.rewriting_model, rules),
    }
    workspace.loaded.tag_model()  # or say what is missing: rules would stand in
    workspace.loaded.rewriting_model().invoke("Hello", max_tokens=1)
    source = ConversationSource(path=(str(conversations),))
    examples = [one for one in source.examples(conversations) if isinstance(one, TagExample)]
    print(f"{len(examples[:limit])} messages\n")
    print("| way | precision | recall | F1 (95 %) | words nobody said | as the person wrote | s |")
    print("|---|---|---|---|---|---|---|")
    for name, way in ways.items():
        print(row(name, [judge(way, example) for example in examples[:limit]]))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


if __name__ == "__main__":
    typer.run(main)
