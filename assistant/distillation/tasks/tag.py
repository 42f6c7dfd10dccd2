"""Term tagging: a row is a word of the conversation, its two choices "not needed" and "needed".

A message is made to stand alone by the words that it leaves unsaid (QuReTeC, Voskarides et al.,
2020, arXiv 2005.11723). With two choices a row's cross-entropy is binary cross-entropy; only the
first token of a word has a row. Few words are needed, so their rows may weigh more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from assistant.distillation.examples import TagExample
from assistant.distillation.modes import autocast
from assistant.distillation.tags.layout import MOST_MESSAGE, Laid, Layout
from assistant.distillation.tags.measures import Judged, summarise
from assistant.distillation.tags.model import MAX_LENGTH, probabilities
from assistant.distillation.tags.words import by_stem, missing_stems
from assistant.distillation.tasks.base import TASKS, Batch, Evaluation, Task, TaskOptions, Units
from assistant.distillation.terms import LossInput


class TagOptions(TaskOptions):
    """`max_length` in tokens; `positive_weight`: how much the row of a needed word counts."""

    max_length: int = Field(MAX_LENGTH, ge=MOST_MESSAGE + 16)
    positive_weight: float = Field(1.0, gt=0)


@TASKS.register("tag")
class TagTask(Task):
    """A BERT-like encoder with two logits a token."""

    name: ClassVar[str] = "tag"
    Options: ClassVar[type[TaskOptions]] = TagOptions
    example_type: ClassVar[type] = TagExample
    fitting_teacher: ClassVar[str] = "a tag teacher has to cut texts into the same tokens"
    options: TagOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        self._layout = Layout(self.tokenizer, self.options.max_length)
        self._training: list[TagExample] = []
        self._held_out: list[TagExample] = []

    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None:
        self._training, self._held_out = list(training), list(held_out)
        self._laid = self._lay(self._training)
        self._targets = [
            np.array([word.stem in wanted for word in laid.words], np.int64)
            for laid, wanted in zip(self._laid, map(gold_of, self._training), strict=True)
        ]

    def _lay(self, examples: Sequence[TagExample]) -> list[Laid]:
        return self._layout.sequences([(e.message, e.history) for e in examples])

    @property
    def units(self) -> Units:
        lengths = np.array([len(laid.ids) for laid in self._laid], np.int64)
        return Units.of(lengths, self._training)

    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        places = np.asarray(units, np.int64).tolist()
        laid = [self._laid[place] for place in places]
        counts = [len(one.words) for one in laid]
        targets = torch.from_numpy(np.concatenate([self._targets[place] for place in places]))
        weights = np.repeat([self._training[place].weight for place in places], counts)
        batch: Batch = dict(self._layout.batch(laid))
        batch["sequences"] = torch.from_numpy(np.repeat(np.arange(len(laid)), counts))
        batch["words"] = torch.from_numpy(np.concatenate([one.places for one in laid])).long()
        batch["targets"] = targets
        positive = torch.where(targets == 1, self.options.positive_weight, 1.0)
        batch["weights"] = torch.from_numpy(weights.astype(np.float32)) * positive
        batch["keys"] = [self._training[place].id for place in places]
        batch["tokens"] = sum(len(one.ids) for one in laid)
        return batch

    def rows(self, model: Any, batch: Batch) -> LossInput:
        logits = model(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            token_type_ids=batch["token_type_ids"],
        ).logits.float()  # (B, L, 2)
        return LossInput(
            logits=logits[batch["sequences"], batch["words"]],  # (N, 2)
            targets=batch["targets"],
            teacher=None,
            weights=batch["weights"],
            sequences=batch["sequences"],
            sampled=torch.zeros_like(batch["targets"], dtype=torch.bool),
        )

    def evaluate(self, model: Any, *, precision: str | None = None) -> Evaluation:
        if not self._held_out:
            return Evaluation({})
        with autocast(model, precision or self.recipe.loop.precision):
            found = self._found(model, self._held_out)
        judged = [
            Judged(example.id, example.domain, stems, gold_of(example))
            for example, stems in zip(self._held_out, found, strict=True)
        ]
        measures = summarise(judged)
        records: list[dict[str, Any]] = []
        for one in judged:
            right, chosen, wanted = one.counts(measures["threshold"])
            record = {"id": one.id, "domain": one.domain}
            records.append({**record, "right": right, "chosen": chosen, "wanted": wanted})
        return Evaluation(measures, records)

    def samples(self, model: Any, count: int = 12) -> list[dict[str, Any]]:
        chosen = self._held_out[:count]
        return [
            {
                "id": example.id,
                "message": example.message,
                "resolved": example.resolved,
                "wanted": sorted(gold_of(example)),
                "found": {
                    stem: round(value, 3)
                    for stem, value in sorted(stems.items(), key=lambda item: -item[1])[:6]
                },
            }
            for example, stems in zip(chosen, self._found(model, chosen), strict=True)
        ]

    def outputs(self, model: Any, examples: Sequence[Any]) -> list[str]:
        return [
            " ".join(sorted(stem for stem, value in stems.items() if value >= 0.5))
            for stems in self._found(model, examples)
        ]

    def _found(self, model: Any, examples: Sequence[TagExample]) -> list[dict[str, float]]:
        laid = self._lay(examples)
        values = probabilities(model, self._layout, laid)
        return [by_stem(one.words, found) for one, found in zip(laid, values, strict=True)]

    @property
    def template(self) -> str:
        return (
            "tag v1: [CLS] message [SEP] role: text, newest first [SEP], "
            f"{self.options.max_length} tokens"
        )


def gold_of(example: TagExample) -> frozenset[str]:
    """The stems that the message leaves unsaid."""
    return missing_stems(example.message, example.history, example.resolved)
