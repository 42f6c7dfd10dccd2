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
from torch import Tensor

from assistant.distillation.encoding import encode, joined, mean_of, token_states
from assistant.distillation.examples import TextPair
from assistant.distillation.losses import LOSSES
from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.students import (
    model_folder,
)
from assistant.distillation.tasks.base import (
    TASKS,
    Batch,
    Evaluation,
    Task,
    TaskOptions,
    Units,
)
from assistant.distillation.tasks.vectors import pair_rows
from assistant.distillation.terms import LossInput


class EmbedOptions(TaskOptions):
    """`max_length` in tokens of a text; `similarity_scale`: what cosines are multiplied with.

    `prefixes`: sizes to which vectors are cut for further measures (`mrr_64`), as an index would.
    """

    max_length: int = Field(256, ge=8)
    similarity_scale: float = Field(20.0, gt=0)
    prefixes: tuple[Annotated[int, Field(ge=1)], ...] = ()


@TASKS.register("embed")
class EmbedTask(Task):
    """A BERT-like encoder whose vectors are compared by their cosine."""

    name: ClassVar[str] = "embed"
    Options: ClassVar[type[TaskOptions]] = EmbedOptions
    example_type: ClassVar[type] = TextPair
    fitting_teacher: ClassVar[str] = "name an embedder with the student's tokenizer"
    own_choices: ClassVar[bool] = False  # they are the other texts of the batch
    options: EmbedOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        self._table = TokenTable(self.tokenizer, self.options.max_length)
        self._training: list[TextPair] = []
        self._held_out: list[TextPair] = []
        self._lengths = np.zeros(0, np.int64)
        self._reference: NDArray[np.float32] | None = None
        self._keeps_tokens = any(LOSSES.get(spec.name).uses_tokens for spec in recipe.losses)

    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None:
        self._training, self._held_out = list(training), list(held_out)
        for example in (training, held_out):
            self._table.add(text for pair in example for text in (pair.query, pair.passage))
        most = self.options.max_length - 2
        self._lengths = np.array(
            [
                sum(min(len(self._table[t]), most) + 2 for t in (e.query, e.passage))
                for e in training
            ],
            np.int64,
        )

    @property
    def units(self) -> Units:
        return Units.of(self._lengths, self._training)

    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        places = np.asarray(units, np.int64).tolist()
        pairs = [self._training[place] for place in places]
        batch: Batch = {}
        for side, texts in (("query", [p.query for p in pairs]), ("passage", _passages(pairs))):
            for name, tensor in self._table.singles(texts, self.options.max_length).items():
                batch[f"{side}_{name}"] = tensor
        # A text of two pairs is no wrong choice for the other one.
        _, same = np.unique([*(p.query for p in pairs), *_passages(pairs)], return_inverse=True)
        batch["same"] = torch.from_numpy(same.astype(np.int64))
        batch["weights"] = torch.tensor([p.weight for p in pairs], dtype=torch.float32).repeat(2)
        batch["keys"] = [pair.id for pair in pairs]
        batch["tokens"] = int(self._lengths[places].sum())
        return batch

    def rows(self, model: Any, batch: Batch) -> LossInput:
        sides = [
            token_states(model, {k[len(side) :]: v for k, v in batch.items() if k.startswith(side)})
            for side in ("query_", "passage_")
        ]
        vectors = torch.cat([mean_of(side) for side in sides])
        tokens = joined(sides) if self._keeps_tokens else None
        return pair_rows(vectors, batch, self.options.similarity_scale, tokens)

    def owners(self, batch: Batch, rows: LossInput) -> Tensor:
        return rows.sequences % len(batch["keys"])

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
        ranks = self._reciprocal_ranks(texts, vectors)
        records = [
            {"id": pair.id, "domain": pair.domain, "mrr": rank}
            for pair, rank in zip(self._held_out, ranks, strict=True)
        ]
        measures = {"mrr": round(float(np.mean(ranks)), 4)}
        for size in self.options.prefixes:
            cut = vectors[:, :size] / np.linalg.norm(vectors[:, :size], axis=1, keepdims=True)
            found = self._reciprocal_ranks(texts, cut)
            measures[f"mrr_{size}"] = round(float(np.mean(found)), 4)
        if (reference := self._teacher_vectors(texts, model)) is not None:
            theirs = self._reciprocal_ranks(texts, reference)
            measures["teacher_mrr"] = round(float(np.mean(theirs)), 4)
            if reference.shape == vectors.shape:
                measures["cosine"] = round(float((vectors * reference).sum(-1).mean()), 4)
            for record, value in zip(records, theirs, strict=True):
                record["teacher_mrr"] = value
        return Evaluation(measures, records)

    @property
    def _pool(self) -> list[str]:
        return list(dict.fromkeys(_passages(self._held_out)))

    def _reciprocal_ranks(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> list[float]:
        """1 / rank of each query's own passage among all passages, 0 beyond rank 10."""
        place = {text: number for number, text in enumerate(texts)}
        pool = vectors[[place[text] for text in self._pool]]
        column = {text: number for number, text in enumerate(self._pool)}
        values = []
        for pair in self._held_out:
            scores = pool @ vectors[place[pair.query]]
            rank = 1 + int((scores > scores[column[pair.passage]]).sum())
            values.append(1 / rank if rank <= 10 else 0.0)
        return values

    def _teacher_vectors(self, texts: Sequence[str], model: Any) -> NDArray[np.float32] | None:
        spec = self.recipe.teacher
        if spec.kind not in ("model", "checkpoint"):
            return None
        if self._reference is None:
            teacher = self.load_teacher(model_folder(self.recipe, spec.path, self.cache))
            device = next(model.parameters()).device
            self._reference = self.encode(teacher.to(device), texts, precision="fp32")
        return self._reference

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
