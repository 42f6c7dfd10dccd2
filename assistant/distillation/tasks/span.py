"""Finding the answer's words in a passage: two rows for each window, its start and its end.

The choices of a row are the tokens of the passage, and position 0 for "not here" (BERT's way with
SQuAD 2.0: Devlin et al., 2019, arXiv 1810.04805).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator

from assistant.distillation.examples import SpanExample
from assistant.distillation.modes import autocast
from assistant.distillation.spans.asking import Asked, Span
from assistant.distillation.spans.measures import judge, settled, summarise
from assistant.distillation.spans.model import find_spans
from assistant.distillation.spans.windows import WindowOptions, Windows, make_windows
from assistant.distillation.tasks.base import TASKS, Batch, Evaluation, Task, TaskOptions, Units
from assistant.distillation.terms import LossInput


class SpanOptions(TaskOptions):
    """Lengths in tokens. `null_weight`: how much rows without an answer count."""

    max_length: int = Field(384, ge=32)
    stride: int = Field(128, ge=0)
    max_answer_tokens: int = Field(30, ge=1)
    null_weight: float = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _room(self) -> SpanOptions:
        if self.max_length <= 132 + self.stride:
            raise ValueError("'max_length' has to be more than 132 above 'stride'")
        return self


@TASKS.register("span")
class SpanTask(Task):
    """A BERT-like encoder with start and end logits."""

    name: ClassVar[str] = "span"
    Options: ClassVar[type[TaskOptions]] = SpanOptions
    example_type: ClassVar[type] = SpanExample
    fitting_teacher: ClassVar[str] = "a span teacher has to cut texts into the same tokens"
    options: SpanOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        self._windows: Windows | None = None
        self._held_out: list[SpanExample] = []

    @property
    def windows(self) -> Windows:
        assert self._windows is not None, "prepare() comes first"
        return self._windows

    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None:
        layout = WindowOptions(self.options.max_length, self.options.stride)
        self._windows = windows = make_windows(self.tokenizer, _asked(training), layout)
        self._held_out = list(held_out)
        self._held_windows = make_windows(self.tokenizer, _asked(held_out), layout)
        count = len(windows)
        self._targets = np.zeros((count, 2), np.int64)
        self._weights = np.zeros(count, np.float32)
        self._keys: list[str] = []
        read = [training[owner] for owner in windows.owner.tolist()]  # a long one more than once
        self._units = Units.of(windows.lengths, read)
        before, part = -1, 0
        for window in range(count):
            owner = int(windows.owner[window])
            part = part + 1 if owner == before else 0
            before = owner
            example = training[owner]
            if example.answerable:
                self._targets[window] = windows.token_span(window, example.start, example.end)
            null = self._targets[window, 0] == 0
            self._weights[window] = example.weight * (self.options.null_weight if null else 1.0)
            self._keys.append(f"{example.id}#{part}")

    @property
    def units(self) -> Units:
        return self._units

    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        places = np.asarray(units, np.int64)
        batch: Batch = dict(self.windows.batch(places))
        batch["targets"] = torch.from_numpy(self._targets[places])
        batch["weights"] = torch.from_numpy(self._weights[places])
        batch["keys"] = [self._keys[place] for place in places.tolist()]
        batch["tokens"] = int(self.windows.lengths[places].sum())
        return batch

    def rows(self, model: Any, batch: Batch) -> LossInput:
        out = model(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            token_type_ids=batch["token_type_ids"],
        )
        both = torch.stack([out.start_logits, out.end_logits], dim=1).float()  # (B, 2, L)
        both = both.masked_fill(~batch["choices"][:, None, :], -torch.inf)
        count = len(both)
        return LossInput(
            logits=both.flatten(0, 1),
            targets=batch["targets"].flatten(),
            teacher=None,
            weights=batch["weights"].repeat_interleave(2),
            sequences=torch.arange(count, device=both.device).repeat_interleave(2),
            sampled=torch.zeros(2 * count, dtype=torch.bool, device=both.device),
        )

    def evaluate(self, model: Any, *, precision: str | None = None) -> Evaluation:
        if not self._held_out:
            return Evaluation({})
        with autocast(model, precision or self.recipe.loop.precision):
            found = find_spans(
                model,
                self._held_windows,
                len(self._held_out),
                max_tokens=self.options.max_answer_tokens,
            )
        judged = [
            judge(example, spans[0] if spans else None)
            for example, spans in zip(self._held_out, found, strict=True)
        ]
        measures = summarise(judged)
        return Evaluation(measures, settled(judged, measures["threshold"]))

    def samples(self, model: Any, count: int = 12) -> list[dict[str, Any]]:
        chosen = self._held_out[:count]
        found = self._found(model, chosen, n_best=3)
        return [
            {
                "id": example.id,
                "question": example.question,
                "answers": list(example.answers),
                "found": [
                    {"text": example.passage[s.start : s.end], "score": round(s.score, 3)}
                    for s in spans
                ],
            }
            for example, spans in zip(chosen, found, strict=True)
        ]

    def outputs(self, model: Any, examples: Sequence[Any]) -> list[str]:
        return [
            example.passage[spans[0].start : spans[0].end] if spans and spans[0].score > 0 else ""
            for example, spans in zip(examples, self._found(model, examples), strict=True)
        ]

    def _found(
        self, model: Any, examples: Sequence[SpanExample], n_best: int = 1
    ) -> list[list[Span]]:
        layout = WindowOptions(self.options.max_length, self.options.stride)
        windows = make_windows(self.tokenizer, _asked(examples), layout)
        most = self.options.max_answer_tokens
        return find_spans(model, windows, len(examples), n_best=n_best, max_tokens=most)

    @property
    def template(self) -> str:
        return (
            "span v1: [CLS] question [SEP] title. passage [SEP], "
            f"{self.options.max_length} tokens, stride {self.options.stride}"
        )


def _asked(examples: Sequence[SpanExample]) -> list[Asked]:
    return [Asked(e.question, e.title, e.passage) for e in examples]
