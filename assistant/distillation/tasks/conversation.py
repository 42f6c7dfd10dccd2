"""Vectors of messages in their conversations, near those of the questions that they stand for.

A message such as "And how heavy is it?" is encoded together with what was said before, and learns
to lie where the embedder has the question as it reads alone (ConvDR, Yu et al., 2021, arXiv
2105.04166, section 3.2: there by the mean squared error of both; here by any loss on vectors or
similarities). So a search by meaning needs no rewritten question, and passages keep their vectors.

The conversation is laid out as for term tagging, the message first and then newest first. Its
vector is the mean over the tokens of the message itself, which see what was said before: untrained
it is near the message's own vector, however long the conversation is.

The rows are those of `embed`: B messages, each with the question that it stands for. A teacher
reads that question in place of the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from assistant.distillation.encoding import encode, pooled
from assistant.distillation.examples import TagExample
from assistant.distillation.message_encoder import MAX_LENGTH, message_vectors, own_mean
from assistant.distillation.modes import autocast
from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.students import model_folder
from assistant.distillation.tags.layout import MOST_MESSAGE, Laid, Layout
from assistant.distillation.tasks.base import TASKS, Batch, Evaluation, Task, TaskOptions, Units
from assistant.distillation.tasks.vectors import pair_rows
from assistant.distillation.terms import LossInput


class ConversationOptions(TaskOptions):
    """`max_length` in tokens of a conversation; `similarity_scale`: what cosines are multiplied
    with."""

    max_length: int = Field(MAX_LENGTH, ge=MOST_MESSAGE + 16)
    similarity_scale: float = Field(20.0, gt=0)


@TASKS.register("conversation")
class ConversationTask(Task):
    """A BERT-like encoder of messages in their conversations."""

    name: ClassVar[str] = "conversation"
    Options: ClassVar[type[TaskOptions]] = ConversationOptions
    example_type: ClassVar[type] = TagExample
    fitting_teacher: ClassVar[str] = "name an embedder with the student's tokenizer"
    own_choices: ClassVar[bool] = False  # they are the other messages of the batch
    options: ConversationOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        self._layout = Layout(self.tokenizer, self.options.max_length, words=False)
        self._table = TokenTable(self.tokenizer, self.options.max_length)
        self._training: list[TagExample] = []
        self._held_out: list[TagExample] = []
        self._laid: list[Laid] = []
        self._lengths = np.zeros(0, np.int64)
        self._reference_model: Any = None

    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None:
        self._training, self._held_out = list(training), list(held_out)
        self._table.add(example.resolved for example in (*training, *held_out))
        self._laid = self._lay(self._training)
        most = self.options.max_length - 2
        self._lengths = np.array(
            [
                len(laid.ids) + min(len(self._table[example.resolved]), most) + 2
                for laid, example in zip(self._laid, self._training, strict=True)
            ],
            np.int64,
        )

    def _lay(self, examples: Sequence[TagExample]) -> list[Laid]:
        return self._layout.sequences([(e.message, e.history) for e in examples])

    @property
    def units(self) -> Units:
        return Units.of(self._lengths, self._training)

    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        places = np.asarray(units, np.int64).tolist()
        examples = [self._training[place] for place in places]
        meant = [example.resolved for example in examples]
        batch: Batch = {}
        sides = (
            ("said", self._layout.batch([self._laid[place] for place in places])),
            ("meant", self._table.singles(meant, self.options.max_length)),
        )
        for side, inputs in sides:
            batch.update({f"{side}_{name}": tensor for name, tensor in inputs.items()})
        # Two messages that stand for one question are no wrong choices for each other.
        _, same = np.unique([*meant, *meant], return_inverse=True)
        batch["same"] = torch.from_numpy(same.astype(np.int64))
        weights = torch.tensor([example.weight for example in examples], dtype=torch.float32)
        batch["weights"] = weights.repeat(2)
        batch["keys"] = [example.id for example in examples]
        batch["tokens"] = int(self._lengths[places].sum())
        return batch

    def rows(self, model: Any, batch: Batch) -> LossInput:
        own = own_mean(model, _side(batch, "said_"))
        meant = pooled(model, _side(batch, "meant_"))
        return pair_rows(torch.cat([own, meant]), batch, self.options.similarity_scale)

    def teacher_rows(self, model: Any, batch: Batch) -> LossInput:
        meant = pooled(model, _side(batch, "meant_"))
        return pair_rows(torch.cat([meant, meant]), batch, self.options.similarity_scale)

    def owners(self, batch: Batch, rows: LossInput) -> Tensor:
        return rows.sequences % len(batch["keys"])

    def evaluate(self, model: Any, *, precision: str | None = None) -> Evaluation:
        """MRR@10 of each message's own question among all held-out ones; `raw_mrr` of the teacher
        that reads the bare message, and the mean cosine to the question."""
        if not self._held_out:
            return Evaluation({})
        chosen = precision or self.recipe.loop.precision
        with autocast(model, chosen):
            said = message_vectors(model, self._layout, self._lay(self._held_out)).numpy()
        meant = self._teacher_vectors([e.resolved for e in self._held_out], model)
        ranks = _reciprocal_ranks(said, meant)
        bare = self._teacher_vectors([e.message for e in self._held_out], model)
        raw = _reciprocal_ranks(bare, meant)
        records = [
            {"id": example.id, "domain": example.domain, "mrr": rank, "raw_mrr": before}
            for example, rank, before in zip(self._held_out, ranks, raw, strict=True)
        ]
        measures = {
            "mrr": round(float(np.mean(ranks)), 4),
            "raw_mrr": round(float(np.mean(raw)), 4),
            "cosine": round(float((said * meant).sum(-1).mean()), 4),
        }
        return Evaluation(measures, records)

    def _teacher_vectors(self, texts: Sequence[str], model: Any) -> NDArray[np.float32]:
        """By the teacher if it is one model, else by the base that the student began as."""
        if self._reference_model is None:
            spec = self.recipe.teacher
            single = spec.kind in ("model", "checkpoint")
            folder = model_folder(self.recipe, spec.path, self.cache) if single else self.base
            self._reference_model = self.load_teacher(folder)
        device = next(model.parameters()).device
        teacher = self._reference_model.to(device)
        most = self.options.max_length
        return encode(teacher, self._table, texts, most, precision="fp32").cpu().numpy()

    def samples(self, model: Any, count: int = 12) -> list[dict[str, Any]]:
        chosen = self._held_out[:count]
        if not chosen:
            return []
        nearest = self.outputs(model, chosen)
        return [
            {"id": e.id, "message": e.message, "resolved": e.resolved, "nearest": text}
            for e, text in zip(chosen, nearest, strict=True)
        ]

    def outputs(self, model: Any, examples: Sequence[Any]) -> list[str]:
        """The nearest of the examples' questions to each message."""
        pool = list(dict.fromkeys(example.resolved for example in examples))
        said = message_vectors(model, self._layout, self._lay(examples)).numpy()
        best = (said @ self._teacher_vectors(pool, model).T).argmax(1)
        return [pool[int(place)] for place in best]

    @property
    def template(self) -> str:
        return (
            "conversation v1: [CLS] message [SEP] role: text, newest first [SEP], mean of the "
            f"message's tokens, {self.options.max_length} tokens"
        )


def _side(batch: Batch, prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v for k, v in batch.items() if k.startswith(prefix)}


def _reciprocal_ranks(said: NDArray[np.float32], meant: NDArray[np.float32]) -> list[float]:
    """1 / rank of each message's own question among all, 0 beyond rank 10."""
    scores = said @ meant.T
    own = np.diagonal(scores)[:, None]
    ranks = 1 + (scores > own + 1e-6).sum(1)  # a question that two messages stand for is no rival
    return [1 / rank if rank <= 10 else 0.0 for rank in ranks.tolist()]
