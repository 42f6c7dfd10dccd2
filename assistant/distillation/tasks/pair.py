"""Reranking: a row is a query, its choices are the candidates that it is asked of.

So cross-entropy is the listwise softmax loss (ListNet's top-one form, Cao et al., 2007) and a
divergence compares the orders of student and teacher. A model with several exits has a row for
each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from assistant.distillation.examples import RankExample
from assistant.distillation.modes import autocast, evaluating, forward_tokens
from assistant.distillation.ranking.layout import MOST_QUERY, TokenTable
from assistant.distillation.ranking.measures import ndcg, order_of, reciprocal_rank
from assistant.distillation.students import (
    load_model,
    shaped,
)
from assistant.distillation.tasks.base import TASKS, Batch, Evaluation, Task, TaskOptions, Units
from assistant.distillation.terms import LossInput, TeacherRows
from assistant.errors import UsageError
from indexes.encoders.batching import batches
from indexes.refining.reranking import blended

# Shares of the model's score that are tried beside the search's own.
SHARES = tuple(number / 10 for number in range(1, 11))


class PairOptions(TaskOptions):
    """`max_length` in tokens of a pair; `exits`: after how many layers there is a score."""

    max_length: int = Field(256, ge=MOST_QUERY + 16)
    exits: tuple[int, ...] = ()


@TASKS.register("pair")
class PairTask(Task):
    """A BERT-like cross-encoder."""

    name: ClassVar[str] = "pair"
    Options: ClassVar[type[TaskOptions]] = PairOptions
    example_type: ClassVar[type] = RankExample
    fitting_teacher: ClassVar[str] = (
        "name a teacher with the student's tokenizer, or give scores in the data"
    )
    options: PairOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        self._table = TokenTable(self.tokenizer, self.options.max_length)
        self._training: list[RankExample] = []
        self._held_out: list[RankExample] = []
        self._lengths = np.zeros(0, np.int64)

    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None:
        self._training, self._held_out = list(training), list(held_out)
        both = [*self._training, *self._held_out]
        self._table.add(example.query for example in both)
        self._table.add(passage for example in both for passage in example.passages)
        self._lengths = np.array([self._tokens(example) for example in training], np.int64)

    def _tokens(self, example: RankExample) -> int:
        most = self.options.max_length
        return sum(
            self._table.pair_length(example.query, passage, most) for passage in example.passages
        )

    @property
    def units(self) -> Units:
        return Units.of(self._lengths, self._training)

    def new_student(self) -> Any:
        model = shaped(self._with_exits(), self.recipe.student)
        kept, last = model.config.num_hidden_layers, model.config.exits[-1]
        if kept != last:  # an exported cross-encoder brings its own exits
            raise UsageError(
                f"{self.base} has its last score after layer {last}, and {kept} layers are kept",
                remedy="leave out student.layers, or name a model without scores",
            )
        return model

    def _with_exits(self) -> Any:
        layers = self.recipe.student.layers
        exits = list(self.options.exits)
        if not exits and layers is not None:
            exits = [len(layers)]
        if not exits:
            return load_model(self.base, self.name)
        last = len(layers) if layers is not None else _layers_of(self.base)
        if exits != sorted(set(exits)) or exits[0] < 1 or exits[-1] != last:
            raise UsageError(
                f"task.exits {exits} do not fit a model of {last} layers",
                remedy=f"name numbers of layers, ascending, the last one {last}",
            )
        return load_model(self.base, self.name, exits=exits)

    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        places = np.asarray(units, np.int64).tolist()
        examples = [self._training[place] for place in places]
        batch = self._inputs(examples)
        batch["weights"] = torch.tensor([e.weight for e in examples], dtype=torch.float32)
        batch["keys"] = [example.id for example in examples]
        batch["tokens"] = int(self._lengths[places].sum())
        return batch

    def _inputs(self, examples: Sequence[RankExample]) -> Batch:
        pairs = [(e.query, passage) for e in examples for passage in e.passages]
        batch: Batch = dict(self._table.pairs(pairs, self.options.max_length))
        width = max(len(e.passages) for e in examples)
        place = np.full((len(examples), width), -1, np.int64)
        targets = np.zeros(len(examples), np.int64)
        scores = np.full((len(examples), width), -np.inf, np.float32)
        at = 0
        for row, example in enumerate(examples):
            count = len(example.passages)
            place[row, :count] = np.arange(at, at + count)
            at += count
            targets[row] = example.relevant[0]
            if example.scores:
                scores[row, :count] = example.scores
        batch["place"] = torch.from_numpy(place)
        batch["targets"] = torch.from_numpy(targets)
        if all(example.scores for example in examples):
            batch["scores"] = torch.from_numpy(scores)
        return batch

    def rows(self, model: Any, batch: Batch) -> LossInput:
        place = batch["place"]  # (B, C)
        by_pair = model(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            token_type_ids=batch["token_type_ids"],
        ).float()  # (E, P)
        exits = len(by_pair)
        logits = by_pair[:, place.clamp(min=0)].masked_fill(place < 0, -torch.inf)  # (E, B, C)
        teacher = None
        if "scores" in batch:
            teacher = TeacherRows.from_logits(batch["scores"].repeat(exits, 1))
        count = len(place)
        return LossInput(
            logits=logits.flatten(0, 1),
            targets=batch["targets"].repeat(exits),
            teacher=teacher,
            weights=batch["weights"].repeat(exits),
            sequences=torch.arange(count, device=place.device).repeat(exits),
            sampled=torch.zeros(exits * count, dtype=torch.bool, device=place.device),
        )

    def scores(
        self, model: Any, examples: Sequence[RankExample], *, precision: str | None = None
    ) -> list[list[list[float]]]:
        """Of each example the scores of its candidates after each exit; the mode is kept."""
        self._table.add(example.query for example in examples)
        self._table.add(passage for example in examples for passage in example.passages)
        device = next(model.parameters()).device
        owners = [(row, p) for row, e in enumerate(examples) for p in range(len(e.passages))]
        pairs = [(examples[row].query, examples[row].passages[p]) for row, p in owners]
        most = self.options.max_length
        lengths = [self._table.pair_length(*pair, most) for pair in pairs]
        found: list[list[list[float]]] = [[] for _ in examples]
        with (
            evaluating(model),
            torch.inference_mode(),
            autocast(model, precision or self.recipe.loop.precision),
        ):
            for chosen in batches(lengths, forward_tokens(device)):
                inputs = self._table.pairs([pairs[pair] for pair in chosen], most)
                out = model(**{k: v.to(device) for k, v in inputs.items()}).float().cpu()
                for pair, values in zip(chosen, out.T.tolist(), strict=True):
                    row, passage = owners[pair]
                    if not found[row]:
                        empty = [0.0] * len(examples[row].passages)
                        found[row] = [list(empty) for _ in values]
                    for number, value in enumerate(values):
                        found[row][number][passage] = value
        return found

    def evaluate(self, model: Any, *, precision: str | None = None) -> Evaluation:
        if not self._held_out:
            return Evaluation({})
        records = []
        for example, by_exit in zip(
            self._held_out, self.scores(model, self._held_out, precision=precision), strict=True
        ):
            record: dict[str, Any] = {"id": example.id, "domain": example.domain}
            orders = {"before": list(range(len(example.passages)))}
            for number, scores in enumerate(by_exit[:-1]):
                orders[f"exit{number + 1}"] = order_of(scores)
            orders["after"] = order_of(by_exit[-1])
            if example.fused:
                for share in SHARES:
                    orders[f"blend{share:g}"] = order_of(blended(example.fused, by_exit[-1], share))
            for name, order in orders.items():
                record[f"mrr_{name}"] = reciprocal_rank(order, example.relevant)
                record[f"ndcg_{name}"] = ndcg(order, example.relevant)
            records.append(record)
        names = [name for name in records[0] if name not in ("id", "domain")]
        means = {
            name: round(float(np.mean([record[name] for record in records])), 4) for name in names
        }
        return Evaluation(means, records)

    def samples(self, model: Any, count: int = 12) -> list[dict[str, Any]]:
        chosen = self._held_out[:count]
        return [
            {
                "id": example.id,
                "query": example.query,
                "relevant": list(example.relevant),
                "found": [
                    {"score": round(by_exit[-1][place], 3), "text": example.passages[place][:200]}
                    for place in order_of(by_exit[-1])[:3]
                ],
            }
            for example, by_exit in zip(chosen, self.scores(model, chosen), strict=True)
        ]

    def outputs(self, model: Any, examples: Sequence[Any]) -> list[str]:
        return [
            example.passages[order_of(by_exit[-1])[0]]
            for example, by_exit in zip(examples, self.scores(model, examples), strict=True)
        ]

    @property
    def template(self) -> str:
        return f"pair v1: [CLS] query [SEP] passage [SEP], {self.options.max_length} tokens"


def _layers_of(folder: Path) -> int:
    from transformers import AutoConfig

    return int(AutoConfig.from_pretrained(folder).num_hidden_layers)
