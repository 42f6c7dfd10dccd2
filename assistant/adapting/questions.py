"""Questions about the passages of an index, and who may see which.

They come from a language model (the index's knowledge store, and what the teacher writes for this)
or, where there is none, from the passages themselves: some words of a sentence stand for a query,
the passage without that sentence for what answers it (inverse cloze, Lee et al., 2019, arXiv
1906.00300). Such queries are no questions of a person, and whoever reports on them says so.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from assistant.knowledge.entries import KnowledgeEntry
from indexes.documents import Passage
from indexes.encodings import text_key
from indexes.sentences import split_sentences
from indexes.store import PassageStore

Split = Literal["train", "choose", "held-out"]
Origin = Literal["model", "cloze"]
SPLITS: tuple[Split, ...] = ("train", "choose", "held-out")

SHARES = {"train": 0.65, "choose": 0.10, "held-out": 0.25}
# With fewer documents than this a split by document would be none; it goes by passage then.
FEWEST_DOCUMENTS = 12
_SHORTEST = 40  # characters of a sentence that says something
_WORDS = (4, 7)  # of a query that is made of a sentence, at least and at most
_WORD = re.compile(r"[^\W_][\w'’-]{3,}")
# Share of the cloze pairs whose passage keeps the sentence, as in the paper.
_KEPT = 0.1


@dataclass(frozen=True, slots=True)
class Question:
    """A query and the passage that answers it.

    Attributes:
        positive: the text that answers in training: the passage, or what is left of it.
        answers: what a passage must not contain to count as one that does not answer.
        group: what is kept on one side of the split: a document, or a passage.
        key: the passage's (`indexes.encodings.text_key`), in hexadecimal digits.
    """

    id: str
    text: str
    passage_id: str
    positive: str
    answers: tuple[str, ...]
    group: str
    key: str
    origin: Origin

    def to_row(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Question:
        """What `to_row` gave."""
        return cls(**{**row, "answers": tuple(row["answers"])})


def of_entries(
    entries: Iterable[KnowledgeEntry], passages: PassageStore, *, by_document: bool
) -> Iterator[Question]:
    """Questions of a knowledge store whose passages are there, unchanged and not rejected."""
    for entry in entries:
        if entry.kind != "qa" or entry.tier == "rejected":
            continue
        passage = passages.passage(entry.passage_id)
        if passage is None or text_key(passage.indexed_text) != entry.passage_key:
            continue
        yield Question(
            entry.id,
            entry.question,
            passage.id,
            passage.indexed_text,
            (entry.answer,),
            passage.document_id if by_document else entry.passage_key.hex(),
            entry.passage_key.hex(),
            "model",
        )


def of_sentences(
    passages: Iterable[Passage], *, each: int, seed: int, by_document: bool
) -> Iterator[Question]:
    """Up to `each` queries of every passage that has three sentences or more."""
    for passage in passages:
        spans = split_sentences(passage.text)
        usable = [span for span in spans if span[1] - span[0] >= _SHORTEST]
        if len(spans) < 3:
            continue
        draw = random.Random(f"{seed}\0{passage.id}\0{passage.text}")
        key = text_key(passage.indexed_text).hex()
        for start, end in draw.sample(usable, min(each, len(usable))):
            sentence = passage.text[start:end]
            query = _words_of(sentence, draw)
            if not query:
                continue
            rest = f"{passage.text[:start].rstrip()} {passage.text[end:].lstrip()}".strip()
            context = passage.indexed_text[: -len(passage.text)]
            yield Question(
                hashlib.sha256(f"{key}{query}".encode()).hexdigest()[:16],
                query,
                passage.id,
                passage.indexed_text if draw.random() < _KEPT else context + rest,
                (sentence,),
                passage.document_id if by_document else key,
                key,
                "cloze",
            )


def _words_of(sentence: str, draw: random.Random) -> str:
    """Some of a sentence's longer words in their order; "" where it has too few."""
    found = list(dict.fromkeys(_WORD.findall(sentence)))
    if len(found) < _WORDS[0]:
        return ""
    count = draw.randint(_WORDS[0], min(_WORDS[1], len(found)))
    return " ".join(found[place] for place in sorted(draw.sample(range(len(found)), count)))


def split(questions: Sequence[Question], *, seed: int) -> dict[Split, list[Question]]:
    """Divide questions so that no group, and no text of a passage, is on two sides.

    Groups go by the hash of their name and the seed: a question that is added later moves no other
    one far. A text that stands in two groups belongs to the one that comes first; its questions in
    the other are left out.
    """
    owner: dict[str, str] = {}
    kept = [one for one in questions if owner.setdefault(one.key, one.group) == one.group]
    by_group: dict[str, list[Question]] = {}
    for one in kept:
        by_group.setdefault(one.group, []).append(one)
    order = sorted(by_group, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
    sides: dict[Split, list[Question]] = {side: [] for side in SPLITS}
    taken = 0
    for name in order:
        share = taken / max(1, len(kept))
        side: Split = (
            "held-out"
            if share < SHARES["held-out"]
            else "choose"
            if share < SHARES["held-out"] + SHARES["choose"]
            else "train"
        )
        sides[side] += by_group[name]
        taken += len(by_group[name])
    return sides


def drawn(questions: Sequence[Question], most: int, *, seed: int) -> list[Question]:
    """At most so many, in random order: one of each passage before the second of any."""
    draw = random.Random(seed)
    shuffled = draw.sample(list(questions), len(questions))
    seen: dict[str, int] = {}
    turns = []
    for place, one in enumerate(shuffled):
        turn = seen.get(one.key, 0)
        seen[one.key] = turn + 1
        turns.append((turn, place))
    return [shuffled[place] for _, place in sorted(turns)[:most]]
