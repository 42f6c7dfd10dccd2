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

from assistant.distillation.encoding import pooled
from assistant.distillation.examples import TagExample
from assistant.distillation.message_encoder import MAX_LENGTH, message_vectors, own_mean
from assistant.distillation.modes import autocast
from assistant.distillation.tags.layout import MOST_MESSAGE, Laid, Layout
from assistant.distillation.tasks.base import TASKS, Batch, Evaluation, TaskOptions
from assistant.distillation.tasks.vectors import (
    VectorOptions,
    VectorTask,
    reciprocal_ranks,
    side,
)
from assistant.distillation.terms import LossInput


class ConversationOptions(VectorOptions):
    """`max_length` in tokens of a conversation."""

    max_length: int = Field(MAX_LENGTH, ge=MOST_MESSAGE + 16)


@TASKS.register("conversation")
class ConversationTask(VectorTask):
    """A BERT-like encoder of messages in their conversations."""

    name: ClassVar[str] = "conversation"
    Options: ClassVar[type[TaskOptions]] = ConversationOptions
    example_type: ClassVar[type] = TagExample
    options: ConversationOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        self._layout = Layout(self.tokenizer, self.options.max_length, words=False)
        self._laid: list[Laid] = []

    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None:
        self._training, self._held_out = list(training), list(held_out)
        self._table.add(example.resolved for example in (*training, *held_out))
        self._laid = self._lay(training)
        said = [len(laid.ids) for laid in self._laid]
        meant = [self._length(example.resolved) for example in training]
        self._lengths = np.add(said, meant, dtype=np.int64)

    def _lay(self, examples: Sequence[TagExample]) -> list[Laid]:
        return self._layout.sequences([(e.message, e.history) for e in examples])

    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        places = np.asarray(units, np.int64).tolist()
        meant = [self._training[place].resolved for place in places]
        sides = {
            "said": self._layout.batch([self._laid[place] for place in places]),
            "meant": self._table.singles(meant, self.options.max_length),
        }
        return self._batch(places, sides, [*meant, *meant])

    def rows(self, model: Any, batch: Batch) -> LossInput:
        own, meant = own_mean(model, side(batch, "said")), pooled(model, side(batch, "meant"))
        return self._rows(torch.cat([own, meant]), batch)

    def teacher_rows(self, model: Any, batch: Batch) -> LossInput:
        meant = pooled(model, side(batch, "meant"))
        return self._rows(torch.cat([meant, meant]), batch)

    def evaluate(self, model: Any, *, precision: str | None = None) -> Evaluation:
        """MRR@10 of each message's own question among all held-out ones; `raw_mrr` of the teacher
        that reads the bare message, and the mean cosine to the question."""
        if not self._held_out:
            return Evaluation({})
        chosen = precision or self.recipe.loop.precision
        with autocast(model, chosen):
            said = message_vectors(model, self._layout, self._lay(self._held_out)).numpy()
        meant = [example.resolved for example in self._held_out]
        pool = list(dict.fromkeys(meant))  # what two messages stand for is no rival of itself
        column = {text: place for place, text in enumerate(pool)}
        own = [column[text] for text in meant]
        questions = self._base_vectors(pool, model)
        bare = self._base_vectors([example.message for example in self._held_out], model)
        ranks = reciprocal_ranks(said, questions, own)
        raw = reciprocal_ranks(bare, questions, own)
        records = [
            {"id": example.id, "domain": example.domain, "mrr": rank, "raw_mrr": before}
            for example, rank, before in zip(self._held_out, ranks, raw, strict=True)
        ]
        measures = {
            "mrr": round(float(np.mean(ranks)), 4),
            "raw_mrr": round(float(np.mean(raw)), 4),
            "cosine": round(float((said * questions[own]).sum(-1).mean()), 4),
        }
        return Evaluation(measures, records)

    def _base_vectors(self, texts: Sequence[str], model: Any) -> NDArray[np.float32]:
        """By the teacher if it is one model, else by the base that the student began as."""
        device = next(model.parameters()).device
        return self._reference(self._teacher_folder or self.base, texts, device)

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
        best = (said @ self._base_vectors(pool, model).T).argmax(1)
        return [pool[int(place)] for place in best]

    @property
    def template(self) -> str:
        return (
            "conversation v1: [CLS] message [SEP] role: text, newest first [SEP], mean of the "
            f"message's tokens, {self.options.max_length} tokens"
        )
