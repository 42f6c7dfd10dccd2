"""Embedding: texts to vectors, with the mean of a BERT's last layer, scaled to length 1.

A batch has B pairs of texts that belong together. Its 2B texts make the rows: a row is a text, its
choices are all the others, its target the other one of its pair. So a divergence compares the
similarities of student and teacher, cross-entropy is the contrastive loss with in-batch negatives,
and losses on vectors compare those themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from assistant.distillation.encoding import encode, joined, mean_of, token_states
from assistant.distillation.examples import TextPair
from assistant.distillation.losses import LOSSES
from assistant.distillation.tasks.base import TASKS, Batch, Evaluation, TaskOptions
from assistant.distillation.tasks.vectors import (
    VectorOptions,
    VectorTask,
    reciprocal_ranks,
    side,
)
from assistant.distillation.terms import LossInput


class EmbedOptions(VectorOptions):
    """`prefixes`: sizes to which vectors are cut for further measures (`mrr_64`), as an index would
    cut them."""

    prefixes: tuple[Annotated[int, Field(ge=1)], ...] = ()


@TASKS.register("embed")
class EmbedTask(VectorTask):
    """A BERT-like encoder whose vectors are compared by their cosine."""

    name: ClassVar[str] = "embed"
    Options: ClassVar[type[TaskOptions]] = EmbedOptions
    example_type: ClassVar[type] = TextPair
    options: EmbedOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        self._keeps_tokens = any(LOSSES.get(spec.name).uses_tokens for spec in recipe.losses)

    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None:
        self._training, self._held_out = list(training), list(held_out)
        for example in (training, held_out):
            self._table.add(text for pair in example for text in (pair.query, pair.passage))
        lengths = [self._length(e.query) + self._length(e.passage) for e in training]
        self._lengths = np.array(lengths, np.int64)

    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        places = np.asarray(units, np.int64).tolist()
        pairs = [self._training[place] for place in places]
        texts = {"query": [pair.query for pair in pairs], "passage": _passages(pairs)}
        most = self.options.max_length
        sides = {name: self._table.singles(own, most) for name, own in texts.items()}
        return self._batch(places, sides, [*texts["query"], *texts["passage"]])

    def rows(self, model: Any, batch: Batch) -> LossInput:
        sides = [token_states(model, side(batch, name)) for name in ("query", "passage")]
        vectors = torch.cat([mean_of(one) for one in sides])
        return self._rows(vectors, batch, joined(sides) if self._keeps_tokens else None)

    def encode(
        self, model: Any, texts: Sequence[str], *, precision: str | None = None
    ) -> NDArray[np.float32]:
        """Unit vectors (N, D); the model's mode is kept."""
        chosen = precision or self.recipe.loop.precision
        vectors = encode(model, self._table, texts, self.options.max_length, precision=chosen)
        return vectors.cpu().numpy()

    def evaluate(self, model: Any, *, precision: str | None = None) -> Evaluation:
        if not self._held_out:
            return Evaluation({})
        texts = list(dict.fromkeys([*(p.query for p in self._held_out), *self._pool]))
        vectors = self.encode(model, texts, precision=precision)
        ranks = self._ranks(texts, vectors)
        records = [
            {"id": pair.id, "domain": pair.domain, "mrr": rank}
            for pair, rank in zip(self._held_out, ranks, strict=True)
        ]
        measures = {"mrr": round(float(np.mean(ranks)), 4)}
        for size in self.options.prefixes:
            cut = vectors[:, :size] / np.linalg.norm(vectors[:, :size], axis=1, keepdims=True)
            found = self._ranks(texts, cut)
            measures[f"mrr_{size}"] = round(float(np.mean(found)), 4)
        if (folder := self._teacher_folder) is not None:
            reference = self._reference(folder, texts, next(model.parameters()).device)
            theirs = self._ranks(texts, reference)
            measures["teacher_mrr"] = round(float(np.mean(theirs)), 4)
            if reference.shape == vectors.shape:
                measures["cosine"] = round(float((vectors * reference).sum(-1).mean()), 4)
            for record, value in zip(records, theirs, strict=True):
                record["teacher_mrr"] = value
        return Evaluation(measures, records)

    @property
    def _pool(self) -> list[str]:
        return list(dict.fromkeys(_passages(self._held_out)))

    def _ranks(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> list[float]:
        """The reciprocal rank of each query's own passage among all passages."""
        place = {text: number for number, text in enumerate(texts)}
        column = {text: number for number, text in enumerate(self._pool)}
        return reciprocal_ranks(
            vectors[[place[pair.query] for pair in self._held_out]],
            vectors[[place[text] for text in self._pool]],
            [column[pair.passage] for pair in self._held_out],
        )

    def samples(self, model: Any, count: int = 12) -> list[dict[str, Any]]:
        chosen = self._held_out[:count]
        if not chosen:
            return []
        nearest = self.outputs(model, chosen)
        return [
            {"id": pair.id, "query": pair.query, "own": pair.passage[:200], "nearest": text[:200]}
            for pair, text in zip(chosen, nearest, strict=True)
        ]

    def outputs(self, model: Any, examples: Sequence[Any]) -> list[str]:
        """The nearest of the passages for each query."""
        pool = list(dict.fromkeys(_passages(examples)))
        vectors = self.encode(model, [*(pair.query for pair in examples), *pool])
        best = (vectors[: len(examples)] @ vectors[len(examples) :].T).argmax(1)
        return [pool[int(place)] for place in best]

    @property
    def template(self) -> str:
        return f"embed v1: [CLS] text [SEP], mean of the tokens, {self.options.max_length} tokens"


def _passages(pairs: Sequence[TextPair]) -> list[str]:
    return [pair.passage for pair in pairs]
