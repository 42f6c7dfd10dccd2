"""What the reader's small language model learns: pointing at sentences, and wording answers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from assistant.answering.faithful import is_faithful
from assistant.answering.small_forms import (
    END,
    MOST,
    POINTING_SYSTEM,
    WORDING_SYSTEM,
    chatml,
    pointing_prompt,
    pointing_reply,
    wording_prompt,
)
from assistant.distillation.examples import AnyExample, Example, SpanExample
from assistant.distillation.sources.base import SOURCES, DataSource, json_lines
from assistant.distillation.sources.squad import SquadSource
from assistant.errors import ReadError
from indexes.sentences import split_sentences

Marked = tuple[str, list[str]]

_NEAR = 60  # questions before and after


@SOURCES.register("pointing")
class PointingSource(DataSource):
    """Lines as of `squad`, as prompts with marked sentences and replies that point.

    Args:
        passages: at most so many passages are shown: the question's own and others of the same
            file, its place drawn at random. How many there are is drawn as well.
        max_characters: of all passages together; later sentences of other passages are left out,
            and a question whose own passage is longer is left out with it.
        seed: of the drawing.
    """

    passages: int = Field(3, ge=1, le=MOST)
    max_characters: int = Field(1600, ge=200)
    seed: int = 0

    def examples(self, file: Path) -> Iterator[AnyExample]:
        rows = SquadSource(path=(str(file),)).examples(file)
        asked = [row for row in rows if isinstance(row, SpanExample)]
        rng = random.Random(self.seed)
        for at, row in enumerate(asked):
            # Half of the others stand near by, so mostly in the same document: those are hard.
            near = asked[max(0, at - _NEAR) : at + _NEAR]
            example = self._example(row, near if rng.random() < 0.5 else asked, rng)
            if example is not None:
                yield example

    def _example(
        self, row: SpanExample, others: Sequence[SpanExample], rng: random.Random
    ) -> Example | None:
        own, place = marked(row)
        if own is None or len(row.passage) > self.max_characters:
            return None
        shown: list[Marked] = [own]
        left = self.max_characters - len(row.passage)
        for _ in range(rng.randrange(self.passages)):
            other = others[rng.randrange(len(others))]
            if other.passage == row.passage or _says(other.passage, row.answers):
                continue
            sentences = _sentences(other.passage)[:MOST]
            while sentences and sum(map(len, sentences)) > left:
                sentences.pop()
            if sentences:
                left -= sum(map(len, sentences))
                shown.append((other.title, sentences))
        rng.shuffle(shown)
        number = shown.index(own) + 1
        reply = pointing_reply(
            None if place is None else (number, place), row.passage[row.start : row.end]
        )
        return Example(
            id=row.id,
            prefix="",
            prompt=chatml(POINTING_SYSTEM, pointing_prompt(row.question, shown)),
            completion=reply + END,
            asks=(row.question,),
            reads=(row.passage, *(" ".join(said) for _, said in shown if said != own[1])),
            domain=row.domain,
            weight=row.weight,
            origin=row.origin,
            difficulty=row.difficulty or float(len(shown)),
        )


@SOURCES.register("wording")
class WordingSource(DataSource):
    """Lines `{question, title, quote, answer, sentence}`: the sentence, a teacher wrote.

    A sentence is kept if it is one, holds the answer, and says nothing that neither the question
    nor the quote says: the teacher's slips are not to be learnt.
    """

    origin: str = "teacher"

    def examples(self, file: Path) -> Iterator[AnyExample]:
        for number, row in json_lines(file):
            try:
                texts = [str(row[key]) for key in ("question", "title", "quote", "answer")]
                sentence = " ".join(str(row["sentence"]).split())
            except KeyError as error:
                raise ReadError(
                    f"{file}, line {number}: without {error}",
                    remedy="a line has question, title, quote, answer and sentence",
                ) from error
            question, title, quote, answer = texts
            if not is_faithful(sentence, question, quote, answer):
                continue
            yield Example(
                id=str(row.get("_id", number)),
                prefix="",
                prompt=chatml(WORDING_SYSTEM, wording_prompt(question, title, quote, answer)),
                completion=sentence + END,
                asks=(question,),
                reads=(quote,),  # one sentence: told apart by the question alone, mostly
                domain=title,
                origin=self.origin,
            )


def marked(row: SpanExample) -> tuple[Marked | None, int | None]:
    """A passage as title and sentences, and the place (from 1) of the answer's sentence.

    (None, None) where the passage has more sentences than marks, or the answer spans two.
    """
    spans = [span for span in split_sentences(row.passage) if row.passage[slice(*span)].strip()]
    if not 0 < len(spans) <= MOST:
        return None, None
    place = None
    if row.answerable:
        inside = [
            n for n, (start, end) in enumerate(spans, 1) if start <= row.start and row.end <= end
        ]
        if not inside:
            return None, None
        place = inside[0]
    return (row.title, [" ".join(row.passage[slice(*span)].split()) for span in spans]), place


def _sentences(passage: str) -> list[str]:
    found = (" ".join(passage[slice(*span)].split()) for span in split_sentences(passage))
    return [sentence for sentence in found if sentence]


def _says(passage: str, answers: Sequence[str]) -> bool:
    lowered = passage.lower()
    return any(answer.lower() in lowered for answer in answers)
