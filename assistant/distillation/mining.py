"""Hard negatives: what two retrievers bring for a question, and what does not answer it.

`python -m assistant.distillation.mining --encoder FOLDER --questions FILE … --out ranking.jsonl`
writes the lines of the data source `ranking`. It needs torch, transformers and numpy alone, and
uses a GPU where there is one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.distillation.retrieval import Found, Searcher, words
from assistant.distillation.sources.base import json_lines
from assistant.errors import KnowledgeAssistantError, ReadError

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'(]?[A-Z0-9])")
_SHORTEST = 40  # characters of a sentence that stands for a query
# How far above the best negative a teacher's score puts the passage that answers.
GOLD_MARGIN = 0.2


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and its own passage, by number in the corpus.

    `positive` is the text that answers: the passage, or what is left of it.
    """

    id: str
    query: str
    own: int
    positive: str
    answers: tuple[str, ...] = ()
    domain: str = ""


@dataclass(slots=True)
class Corpus:
    """Passages, each once, and the questions asked of them."""

    passages: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    _number: dict[str, int] = field(default_factory=dict)

    def add(self, passage: str) -> int:
        """The number of a passage, which is put in where it is new."""
        number = self._number.setdefault(passage, len(self.passages))
        if number == len(self.passages):
            self.passages.append(passage)
        return number

    def read(self, file: Path, *, ask: bool = True) -> None:
        """Lines in the form of SQuAD; questions without an answer bring their passage alone.

        Raises:
            ReadError: not there, or a line without a passage.
        """
        for at, row in json_lines(file):
            if not isinstance(row.get("passage"), str):
                raise ReadError(f"{file}, line {at}: no 'passage'", remedy="give lines of SQuAD")
            title = str(row.get("title") or "").replace("_", " ")
            text = f"{title}\n{row['passage']}" if title else row["passage"]
            own = self.add(text)
            answers = tuple(str(answer) for answer in row.get("answers") or ())
            if ask and row.get("question") and answers:
                identity = str(row.get("_id") or f"{file.stem}-{at}")
                query = str(row["question"]).strip()
                self.asked.append(Asked(identity, query, own, text, answers, title))


def cloze(passages: Sequence[str], count: int, draw: random.Random) -> list[Asked]:
    """Sentences as queries for what is left of their passage (inverse cloze, arXiv 1906.00300)."""
    made: list[Asked] = []
    for number in draw.sample(range(len(passages)), min(count, len(passages))):
        title, newline, body = passages[number].rpartition("\n")
        parts = [part.strip() for part in _SENTENCE.split(body)]
        usable = [place for place, part in enumerate(parts) if len(part) >= _SHORTEST]
        if len(parts) < 3 or not usable:
            continue
        place = draw.choice(usable)
        rest = " ".join(part for at, part in enumerate(parts) if at != place)
        made.append(
            Asked(f"cloze-{number}", parts[place], number, f"{title}{newline}{rest}", (), title)
        )
    return made


class Negatives:
    """Chooses from what was found: not the own passage, and none in which the answer stands.

    Args:
        passages: the corpus.
    """

    def __init__(self, passages: Sequence[str]) -> None:
        self._passages = passages
        self._spaced = [f" {' '.join(words(passage))} " for passage in passages]

    def allowed(self, asked: Asked, number: int) -> bool:
        """Whether a passage may stand for one that does not answer."""
        if number == asked.own:
            return False
        text = self._spaced[number]
        return not any(
            f" {' '.join(found)} " in text for answer in asked.answers if (found := words(answer))
        )

    def mixed(self, asked: Asked, found: Found, count: int, draw: random.Random) -> list[int]:
        """By turns the first of the dense list, the first of the lexical one, and any of both."""
        both = list(dict.fromkeys([*found.dense, *found.lexical]))
        lists = [iter(found.dense), iter(found.lexical), iter(draw.sample(both, len(both)))]
        chosen: dict[int, None] = {}
        turn = 0
        while lists and len(chosen) < count:
            turn %= len(lists)
            for number in lists[turn]:
                if number not in chosen and self.allowed(asked, number):
                    chosen[number] = None
                    turn += 1
                    break
            else:
                del lists[turn]
        return list(chosen)

    def best(self, asked: Asked, found: Found, count: int) -> list[int]:
        """The first of the fused list."""
        order = sorted(found.fused, key=lambda number: -found.fused[number])
        chosen: list[int] = []
        for number in order:
            if len(chosen) == count:
                break
            if self.allowed(asked, number):
                chosen.append(number)
        return chosen


def line(
    asked: Asked, passages: Sequence[str], chosen: Sequence[int], found: Found
) -> dict[str, Any]:
    """A line of the source `ranking`: the fused scores as the teacher's, the answer on top."""
    fused = [found.fused[asked.own], *(found.fused[number] for number in chosen)]
    top = max(fused) + GOLD_MARGIN
    return {
        "id": asked.id,
        "domain": asked.domain,
        "query": asked.query,
        "positive": [asked.positive],
        "negatives": [passages[number] for number in chosen],
        "scores": [round(value, 4) for value in (top, *fused[1:])],
        "fused": [round(value, 4) for value in fused],
    }


def mine(
    corpus: Corpus,
    asked: Sequence[Asked],
    searcher: Searcher,
    *,
    count: int,
    seed: int = 0,
    evaluation: bool = False,
) -> Iterator[dict[str, Any]]:
    """Lines of the source `ranking`, one for each query that has a negative.

    Args:
        count: negatives for each.
        evaluation: the first of the fused list, as a search would bring them.
    """
    negatives = Negatives(corpus.passages)
    draw = random.Random(seed)
    found = searcher.search([(one.query, one.own) for one in asked])
    for one, hits in zip(asked, found, strict=True):
        chosen = (
            negatives.best(one, hits, count)
            if evaluation
            else negatives.mixed(one, hits, count, draw)
        )
        if chosen:
            yield line(one, corpus.passages, chosen, hits)


def write(lines: Iterator[dict[str, Any]], file: Path) -> int:
    """Write JSON lines and say how many."""
    number = 0
    with file.open("w", encoding="utf-8") as out:
        for one in lines:
            if one["positive"][0] in one["negatives"]:
                continue  # the same text once more, with another title's case
            out.write(json.dumps(one, ensure_ascii=False) + "\n")
            number += 1
    return number


def main(arguments: list[str] | None = None) -> int:
    """Mine as the command line says and return an exit status."""
    parser = argparse.ArgumentParser(prog="python -m assistant.distillation.mining")
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=40_000, help="questions, drawn at random")
    parser.add_argument("--cloze", type=int, default=6_000, help="sentences that stand as queries")
    parser.add_argument("--negatives", type=int, default=7)
    parser.add_argument("--held-out", type=Path, nargs="*", default=[])
    parser.add_argument("--held-out-out", type=Path)
    parser.add_argument("--held-out-most", type=int, default=500)
    parser.add_argument("--candidates", type=int, default=30, help="of a held-out query")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        _run(options)
    except KnowledgeAssistantError as error:
        sys.stderr.write(f"error: {error.message}\nwhat to do: {error.remedy}\n")
        return error.exit_status
    return 0


def _run(options: argparse.Namespace) -> None:
    draw = random.Random(options.seed)
    corpus = Corpus()
    for file in options.questions:
        corpus.read(file)
    asked = draw.sample(corpus.asked, min(options.most, len(corpus.asked)))
    asked += cloze(corpus.passages, options.cloze, draw)
    searcher = Searcher.over(corpus.passages, options.encoder)
    written = write(
        mine(corpus, asked, searcher, count=options.negatives, seed=options.seed), options.out
    )
    sys.stderr.write(f"{written} queries over {len(corpus.passages)} passages\n")
    if not options.held_out:
        return
    corpus.asked = []
    for file in options.held_out:
        corpus.read(file)
    asked = draw.sample(corpus.asked, min(options.held_out_most, len(corpus.asked)))
    searcher = searcher.extended(corpus.passages)
    lines = mine(corpus, asked, searcher, count=options.candidates - 1, evaluation=True)
    target = options.held_out_out or options.out.with_name("held-out-" + options.out.name)
    sys.stderr.write(f"{write(lines, target)} held-out queries\n")


if __name__ == "__main__":
    raise SystemExit(main())
