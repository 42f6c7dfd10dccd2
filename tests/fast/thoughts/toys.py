"""A small world to think in: passages, an extractor by regular expressions, a search by words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.thoughts.budget import Budget
from assistant.thoughts.effort import EFFORTS, Effort, EffortName
from assistant.thoughts.extraction.types import Extraction, Mention, Source, Term, Triple
from assistant.thoughts.knowledge import NowReader
from assistant.thoughts.question import ANSWER, Question, Slot
from assistant.thoughts.work import Means, Work
from assistant.understanding.words import content_words
from indexes.documents import Passage
from indexes.index import Hit
from indexes.queries import Query

TEXTS = {
    "Lighthouse": "The Lighthouse of Kelp Harbour is a tower. Ida Holm is the designer of the "
    "Lighthouse of Kelp Harbour.",
    "Ida Holm": "Ida Holm is an engineer. Ida Holm studied in Trondheim.",
    "Per Lund": "Per Lund is a sailor. Per Lund studied in Bergen.",
    "Kelp": "Kelp is a plant of Kelp Harbour.",
}
_NAME = re.compile(r"[A-Z]\w+(?: (?:of )?[A-Z]\w+)*")
_FACT = re.compile(r"([A-Z][\w ]*?) (is a|is an|is the designer of|studied in) ((?:the )?[\w ]+)\.")


class ToyExtractor:
    fingerprint = "toy-1"

    def __init__(self) -> None:
        self.read: list[str] = []

    def extract(self, sources: Sequence[Source]) -> list[Extraction]:
        self.read += [source.id for source in sources]
        return [self._one(source) for source in sources]

    def _one(self, source: Source) -> Extraction:
        mentions = [
            Mention(Term(m.group().removeprefix("The "), "entity", "", True), m.start(), m.end())
            for m in _NAME.finditer(source.text)
        ]
        triples = [
            Triple(
                Term(m.group(1).removeprefix("The ")),
                {"is an": "is a", "is the designer of": "designer of"}.get(m.group(2), m.group(2)),
                Term(m.group(3).removeprefix("the ")),
                m.start(),
                m.end(),
            )
            for m in _FACT.finditer(source.text)
        ]
        return Extraction(source.id, tuple(mentions), tuple(triples))


def passage(title: str, text: str) -> Passage:
    return Passage(title.casefold(), title, text, 0, len(text), title, f"/{title}")


PASSAGES = [passage(title, text) for title, text in TEXTS.items()]


def search(queries: Sequence[Query]) -> list[Hit]:
    """Passages by the words they share with the queries."""
    scored = []
    for one in PASSAGES:
        own = set(content_words(f"{one.title} {one.text}"))
        score = sum(q.weight * len(own & set(content_words(q.text))) for q in queries)
        if score > 0:
            scored.append((score, one))
    scored.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [Hit(one, rank, score, {}) for rank, (score, one) in enumerate(scored, start=1)]


def fetch(ids: Sequence[str]) -> list[Passage]:
    return [one for one in PASSAGES if one.id in set(ids)]


ASKED = "Where did the designer of the Lighthouse of Kelp Harbour study?"
CHAIN = Question(
    ASKED,
    "chain",
    ("Lighthouse of Kelp Harbour",),
    (
        Slot(
            "?1",
            "the designer of the Lighthouse of Kelp Harbour",
            "designer",
            ("Lighthouse of Kelp Harbour",),
        ),
        Slot(ANSWER, "?1 studied in", "place", ("?1",)),
    ),
)


def work(
    effort: EffortName | Effort = "quick",
    budget: Budget | None = None,
    question: Question = CHAIN,
    hits: Sequence[Hit] | None = None,
) -> Work:
    chosen = effort if isinstance(effort, Effort) else EFFORTS[effort]
    queries = (Query(question.text),)
    means = Means(search, fetch, NowReader(ToyExtractor()), None, queries)
    found = search(queries)[:2] if hits is None else hits
    return Work(question, found, means, chosen, budget or Budget(chosen.calls - 1, 60))
