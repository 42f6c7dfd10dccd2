"""The training loop: Trainer of transformers, fed with rows and with a recipe's losses.

The Trainer brings checkpoints with all random states, accumulation, clipping and mixed precision.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset, SequentialSampler
from transformers import PrinterCallback, Trainer, TrainerCallback

from assistant.distillation.averaging import Averager, averager_for
from assistant.distillation.batch_plan import Plan
from assistant.distillation.beside import Kept
from assistant.distillation.checkpoints import last_checkpoint, training_errors
from assistant.distillation.domains import DomainBalance
from assistant.distillation.objective import Term
from assistant.distillation.sampling import CompletionSampler
from assistant.distillation.tasks.base import Batch, Task, weighted_mean
from assistant.distillation.teachers import Teacher, TeachingModels, taught
from assistant.distillation.training_arguments import rate_at, training_arguments
from assistant.distillation.tuned import TunedTeacher
from assistant.errors import TrainingError
from indexes.files import storage_errors


@dataclass(frozen=True, slots=True)
class Step:
    """What is reported every `log_every` steps.

    `terms`, `tokens` and `seconds` are of the `covered` steps since the report before; `terms` are
    means.
    """

    step: int
    steps: int
    loss: float
    terms: dict[str, float]
    learning_rate: float
    gradient_norm: float
    tokens: int
    seconds: float
    covered: int = 1

    @property
    def remaining(self) -> float:
        """Seconds to the last step at the pace of the covered ones."""
        return self.seconds / max(1, self.covered) * (self.steps - self.step)

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds if self.seconds else 0.0


OnStep = Callable[[Step], None]
OnEvaluate = Callable[[int, Any], None]


def pick_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class PlannedBatches(Dataset[Batch]):
    """The batches of a plan, made when they are needed."""

    def __init__(self, task: Task, plan: Plan) -> None:
        self._task = task
        self._plan = plan

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, number: int) -> Batch:
        return {**self._task.collate(self._plan[number]), "number": number}


class DistillTrainer(Trainer):
    """Minimises Σ weight(progress) · weighted mean of each loss."""

    def __init__(
        self,
        task: Task,
        model: Any,
        plan: Plan,
        objective: list[Term],
        teacher: Teacher | None,
        folder: Path,
        *,
        on_step: OnStep,
        on_evaluate: OnEvaluate,
        domains: DomainBalance | None = None,
    ) -> None:
        loop = task.recipe.loop
        super().__init__(
            model=model,
            args=training_arguments(loop, folder, len(plan) // loop.accumulate),
            train_dataset=PlannedBatches(task, plan),
            callbacks=[_Hooks(self)],
        )
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = False
        self.loss_is_scaled_for_ga = False
        self.task = task
        self.objective = objective
        self.teacher = teacher
        self.averager: Averager | None = averager_for(self.model, loop.average)
        self.domains = domains
        every: list[Kept | None] = [
            self.averager,
            teacher.beside if isinstance(teacher, TeachingModels) else None,
            domains,
            *(t.loss.beside(loop.seed, f"loss-{n}.pt") for n, t in enumerate(objective)),
        ]
        self.kept = [part for part in every if part is not None]
        self._sampler = CompletionSampler(task, task.recipe.sampling, loop.seed)
        self._on_step = on_step
        self.on_evaluate = on_evaluate
        self._sums: dict[str, torch.Tensor] = {}
        self._batches = 0
        self._tokens = 0
        self._since = self._begun = time.perf_counter()

    @property
    def progress(self) -> float:
        return self._progress(self.state.global_step)

    def _progress(self, step: int) -> float:
        """By steps, or by time where that is further on, in [0, 1]."""
        limit = self.task.recipe.loop.max_seconds
        by_time = (time.perf_counter() - self._begun) / limit if limit else 0.0
        return float(min(1.0, max(step / max(1, self.args.max_steps), by_time)))

    @property
    def out_of_time(self) -> bool:
        limit = self.task.recipe.loop.max_seconds
        return limit is not None and time.perf_counter() - self._begun >= limit

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        loop = self.task.recipe.loop
        if loop.max_seconds is None:
            return super().create_scheduler(num_training_steps, optimizer)
        self.lr_scheduler: Any = LambdaLR(
            optimizer or self.optimizer,
            lambda step: rate_at(self._progress(step), loop.schedule, loop.warmup),
        )
        return self.lr_scheduler

    def get_train_dataloader(self) -> DataLoader[Any]:
        dataset = self.train_dataset
        return DataLoader(
            dataset,
            batch_size=1,
            sampler=SequentialSampler(dataset),
            collate_fn=_only,
            pin_memory=self.args.device.type == "cuda",
        )

    def floating_point_ops(self, inputs: Any) -> int:
        return 0

    def create_optimizer(self, model: Any = None) -> Any:
        made = super().create_optimizer() if model is None else super().create_optimizer(model)
        rate = self.task.recipe.loop.head_learning_rate
        if rate is not None:
            prefix = f"{getattr(self.model, 'base_model_prefix', '')}."
            head = {id(p) for n, p in self.model.named_parameters() if not n.startswith(prefix)}
            for group in list(self.optimizer.param_groups):
                own = [p for p in group["params"] if id(p) in head]
                if own:
                    group["params"] = [p for p in group["params"] if id(p) not in head]
                    rest = {k: v for k, v in group.items() if k != "params"}
                    self.optimizer.add_param_group({**rest, "params": own, "lr": rate})
        return made

    def compute_loss(
        self,
        model: Any,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        progress = self.progress
        # of our own: the Trainer's covers the student's forward() alone, and bf16 has to hold for
        # the teacher and for parts of the student that are called by themselves
        with torch.autocast(self.args.device.type, torch.bfloat16, enabled=bool(self.args.bf16)):
            batch = self._sampler(model, inputs, progress, self.teacher)
            rows = replace(self.task.rows(model, batch), progress=progress)
            if self.teacher is not None:
                rows = taught(self.teacher, batch, rows)
        if isinstance(self.teacher, TunedTeacher):
            self._add("teacher", self.teacher.loss)
        total = torch.zeros((), device=self.args.device)
        # beside the weights, which the mean is divided by: a batch of one domain counts by it too
        counts = self.domains.of_rows(batch, rows) if self.domains is not None else 1.0
        for term in self.objective:
            value = weighted_mean(term.loss(rows) * counts, rows.weights)
            total = total + term.weight.at(progress) * value
            self._add(term.name, value.detach())
        self._batches += 1
        self._tokens += int(batch["tokens"])
        if not torch.isfinite(total):
            raise self._broken(f"the loss became {total.item()}", batch)
        return total

    def _add(self, name: str, value: torch.Tensor) -> None:
        self._sums[name] = self._sums.get(name, 0) + value

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        super().log(logs, start_time)
        if "loss" not in logs or not self._batches:
            return
        now = time.perf_counter()
        self._on_step(
            Step(
                step=self.state.global_step,
                steps=self.state.max_steps,
                loss=float(logs["loss"]),
                terms={k: float(v) / self._batches for k, v in self._sums.items()},
                learning_rate=float(logs.get("learning_rate", 0.0)),
                gradient_norm=float(logs.get("grad_norm") or 0.0),
                tokens=self._tokens,
                seconds=now - self._since,
                covered=max(1, self._batches // self.args.gradient_accumulation_steps),
            )
        )
        self._sums, self._batches, self._tokens, self._since = {}, 0, 0, now

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad and not torch.isfinite(parameter).all():
                raise self._broken(f"the weights {name} are no longer finite")
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for part in self.kept:
                part.save(folder)
            super()._save_checkpoint(model, trial)

    def evaluate_now(self) -> None:
        """Evaluate with the averaged weights, where there are some."""
        if self.averager is None:
            self.on_evaluate(self.state.global_step, self.model)
        else:
            with self.averager.applied():
                self.on_evaluate(self.state.global_step, self.model)
        self._since = time.perf_counter()

    def run(self, checkpoint: Path | None) -> None:
        """Train, from a checkpoint where one is given, and leave the final weights in the model.

        Raises:
            TrainingError: the loss or the weights are no longer finite.
            StorageError: a checkpoint cannot be written.
        """
        if checkpoint is not None:
            for part in self.kept:
                part.load(checkpoint)
        elif self.domains is not None:
            self.domains.begin()
        self._since = self._begun = time.perf_counter()
        with training_errors(Path(self.args.output_dir)):
            self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if self.averager is not None:
            self.averager.keep()

    def _broken(self, what: str, batch: Batch | None = None) -> TrainingError:
        kept = last_checkpoint(Path(self.args.output_dir))
        examples = f", at the examples {', '.join(batch['keys'][:3])} …" if batch else ""
        return TrainingError(
            f"{what} at step {self.state.global_step + 1}{examples}",
            remedy=(f"the last good checkpoint is {kept}; " if kept else "no checkpoint was due; ")
            + "lower loop.learning_rate or the weight of the loss that grew (curves.csv)",
        )


class _Hooks(TrainerCallback):
    def __init__(self, trainer: DistillTrainer) -> None:
        self._trainer = trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        trainer = self._trainer
        for part in trainer.kept:
            part.update(state.global_step, trainer.progress)
        every = trainer.task.recipe.loop.evaluate_every
        done = state.global_step >= state.max_steps or trainer.out_of_time
        if every and state.global_step % every == 0 and not done:
            trainer.evaluate_now()
        if done:
            control.should_training_stop = True
            control.should_log = True
            control.should_save = True


def _only(items: list[Batch]) -> Batch:
    return items[0]
