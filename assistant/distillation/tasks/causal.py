"""Writing what follows a prompt: a row for each token of the completion, over the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from assistant.distillation.examples import Example
from assistant.distillation.foreign import ForeignModel, beside
from assistant.distillation.generating import generate
from assistant.distillation.losses import LOSSES
from assistant.distillation.modes import autocast, evaluating
from assistant.distillation.packing import (
    Pack,
    attention,
    collate_packs,
    make_pack,
    pack,
    tokenise,
)
from assistant.distillation.students import (
    load_model,
    load_tokenizer,
    shaped,
    tokenizer_hash,
)
from assistant.distillation.tasks.base import (
    TASKS,
    Batch,
    Evaluation,
    Task,
    TaskOptions,
    Units,
    on_device,
)
from assistant.distillation.terms import LossInput
from assistant.errors import UsageError

_EVALUATED = 8192  # padded tokens of a batch without gradients
_WRITTEN = 16  # completions written at once


class CausalOptions(TaskOptions):
    """`max_length`: tokens of a pack, prompt and completions; `end`: completions end the text."""

    max_length: int = Field(default=1024, ge=16)
    end: bool = True


@TASKS.register("causal")
class CausalTask(Task):
    """Any causal language model of transformers. Logits are computed at supervised places only."""

    name: ClassVar[str] = "causal"
    Options: ClassVar[type[TaskOptions]] = CausalOptions
    example_type: ClassVar[type] = Example
    fitting_teacher: ClassVar[str] = (
        "their distributions are over other choices: take a teacher of the student's family, "
        "learn from texts it wrote, or use universal-logit as the only loss that needs a teacher"
    )
    options: CausalOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        end = self.tokenizer.eos_token_id
        self._end = None if end is None else int(end)
        self._pad = int(self.tokenizer.pad_token_id or end or 0)
        self._packs: list[Pack] = []
        self._held_packs: list[Pack] = []
        self._held_out: list[Example] = []
        self._examples: dict[str, Example] = {}

    def _prepare(self, training: Sequence[Any], held_out: Sequence[Any]) -> None:
        most, end = self.options.max_length, self.options.end
        self._packs, left_out = pack(tokenise(self.tokenizer, training, end=end), most)
        if training and not self._packs:
            raise UsageError(
                f"all {left_out} examples are longer than {most} tokens",
                remedy="raise task.max_length, or shorten the prompts",
            )
        self._held_packs, _ = pack(tokenise(self.tokenizer, held_out, end=end), most)
        self._held_out = list(held_out)
        self._examples = {example.id: example for example in training}

    @property
    def units(self) -> Units:
        return Units(
            np.array([p.length for p in self._packs], np.int64),
            np.array([max(s.difficulty for s in p.sequences) for p in self._packs]),
            tuple(self._domain(p) for p in self._packs),
        )

    def _domain(self, one: Pack) -> str:
        """A pack of several domains is of one of its own: it is learnt as a whole."""
        return " + ".join(sorted({self._examples[s.key].domain for s in one.sequences}))

    def new_student(self) -> Any:
        model = load_model(self.base, self.name)
        if getattr(model.config, "final_logit_softcapping", None):
            raise UsageError(
                f"{self.base} caps its logits, which this task does not do",
                remedy="take another student",
            )
        model.config.use_cache = False
        return shaped(model, self.recipe.student)

    def load_teacher(self, folder: Path) -> Any:
        """As of every task; with another tokenizer where no loss asks what a choice means."""
        parts = [LOSSES.get(spec.name)(**spec.parameters) for spec in self.recipe.losses]
        tokenizer = load_tokenizer(folder)
        if tokenizer_hash(tokenizer) == tokenizer_hash(self.tokenizer) or not all(
            part.any_tokenizer for part in parts if part.needs_teacher
        ):
            return super().load_teacher(folder)
        model = load_model(folder, self.name).eval().requires_grad_(False)
        return ForeignModel(model, tokenizer)

    def collate(self, units: Sequence[int] | NDArray[np.int64]) -> Batch:
        packs = [self._packs[place] for place in np.asarray(units).tolist()]
        return {**collate_packs(packs, self._pad), "packs": packs}

    def rows(self, model: Any, batch: Batch) -> LossInput:
        if isinstance(model, ForeignModel):
            read = model.batch(batch["packs"], self._examples, self.tokenizer, end=self.options.end)
            theirs = self.rows(model.model, on_device(read, batch["rows"].device))
            logits = beside(theirs.logits, theirs.sequences, batch["sequences"])
            return _rows(logits, batch)
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        seen = attention(batch["branch"])
        if getattr(inner.config, "_attn_implementation", "sdpa") != "sdpa":
            seen = torch.where(seen, 0.0, torch.finfo(torch.float32).min)
        hidden: Tensor = inner.get_decoder()(
            input_ids=batch["input_ids"],
            attention_mask=seen,
            position_ids=batch["position_ids"],
            use_cache=False,
        ).last_hidden_state
        supervised = hidden.flatten(0, 1)[batch["rows"]]
        return _rows(inner.get_output_embeddings()(supervised).float(), batch)

    def owners(self, batch: Batch, rows: LossInput) -> Tensor:
        counts = torch.tensor([len(one.sequences) for one in batch["packs"]])
        packs = torch.arange(len(counts)).repeat_interleave(counts)
        return packs.to(rows.sequences.device)[rows.sequences]

    def sample(self, model: Any, batch: Batch, generator: torch.Generator, teacher: Any) -> Batch:
        spec = self.recipe.sampling
        packs: list[Pack] = batch["packs"]
        teaching = getattr(teacher, "models", [None])[0]
        if spec.teacher_mix and (teaching is None or isinstance(teaching, ForeignModel)):
            raise UsageError(
                "sampling.teacher_mix needs a teacher that is a model with the same tokenizer",
                remedy="set it to 0, or give the recipe such a teacher",
            )
        completions = iter(
            generate(
                model,
                [s.prompt for one in packs for s in one.sequences],
                pad=self._pad,
                end=self._end,
                most=spec.max_tokens,
                temperature=spec.temperature,
                generator=generator,
                teacher=teaching,
                teacher_mix=spec.teacher_mix,
            )
        )
        written = [
            make_pack(
                [replace(s, completion=tuple(next(completions)), sampled=True) for s in p.sequences]
            )
            for p in packs
        ]
        made = collate_packs(written, self._pad)
        device = batch["input_ids"].device
        return {**on_device(made, device), "packs": written, "number": batch["number"]}

    def evaluate(self, model: Any, *, precision: str | None = None) -> Evaluation:
        """Loss, perplexity and accuracy by token, and the share of completions written exactly.

        A completion is exact if each token is the likeliest after the right ones before it: that
        is what greedy writing would come to.
        """
        if not self._held_packs:
            return Evaluation({})
        domains = {example.id: example.domain for example in self._held_out}
        records: list[dict[str, Any]] = []
        with (
            evaluating(model),
            torch.no_grad(),
            autocast(model, precision or self.recipe.loop.precision),
        ):
            for packs in self._evaluated():
                records += self._judged(model, packs, domains)
        tokens = sum(r["tokens"] for r in records)
        loss = sum(r["loss"] * r["tokens"] for r in records) / tokens
        measures = {
            "loss": loss,
            "perplexity": float(np.exp(min(loss, 50.0))),
            "accuracy": sum(r["accuracy"] * r["tokens"] for r in records) / tokens,
            "exact": sum(r["exact"] for r in records) / len(records),
        }
        return Evaluation({k: round(v, 6) for k, v in measures.items()}, records)

    def _evaluated(self) -> list[list[Pack]]:
        batches: list[list[Pack]] = [[]]
        for one in sorted(self._held_packs, key=lambda p: p.length):
            if batches[-1] and one.length * (len(batches[-1]) + 1) > _EVALUATED:
                batches.append([])
            batches[-1].append(one)
        return batches

    def _judged(
        self, model: Any, packs: list[Pack], domains: dict[str, str]
    ) -> list[dict[str, Any]]:
        device = next(model.parameters()).device
        batch = collate_packs(packs, self._pad)
        rows = self.rows(model, on_device(batch, device))
        losses = torch.nn.functional.cross_entropy(rows.logits, rows.targets, reduction="none")
        right = rows.logits.argmax(-1) == rows.targets
        records = []
        for number, key in enumerate(batch["keys"]):
            own = rows.sequences == number
            records.append(
                {
                    "id": key,
                    "domain": domains.get(key, ""),
                    "tokens": int(own.sum()),
                    "loss": float(losses[own].mean()),
                    "accuracy": float(right[own].float().mean()),
                    "exact": float(right[own].all()),
                }
            )
        return records

    def samples(self, model: Any, count: int = 12) -> list[dict[str, Any]]:
        chosen = self._held_out[:count]
        return [
            {
                "id": example.id,
                "prompt": example.prompt,
                "completion": example.completion,
                "written": written,
            }
            for example, written in zip(chosen, self.outputs(model, chosen), strict=True)
        ]

    def outputs(self, model: Any, examples: Sequence[Any]) -> list[str]:
        written: list[list[int]] = []
        prompts = [s.prompt for _, s in tokenise(self.tokenizer, examples, end=False)]
        with evaluating(model), torch.no_grad():
            for at in range(0, len(prompts), _WRITTEN):
                written += generate(
                    model,
                    prompts[at : at + _WRITTEN],
                    pad=self._pad,
                    end=self._end,
                    most=self.recipe.sampling.max_tokens,
                )
        return [self.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in written]

    @property
    def template(self) -> str:
        return f"causal v1: prompt, completion{', end of text' if self.options.end else ''}"


def _rows(logits: Tensor, batch: Batch) -> LossInput:
    return LossInput(
        logits=logits,
        targets=batch["targets"],
        teacher=None,
        weights=batch["weights"],
        sequences=batch["sequences"],
        sampled=batch["sampled"],
    )
