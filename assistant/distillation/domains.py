"""Domains in which the student is further behind its teacher count more.

DDK, Liu et al., 2024, arXiv 2407.16154, section 3. With ℓ_S[i] and ℓ_T[i] the perplexities of
student and teacher in domain i of N, measured at step 0 and then every K steps:

    r⁰[i]   = exp(ℓ_S[i] / ℓ_T[i]) / Σ over the domains                      equation 1
    ψᵗ⁺¹[i] = rᵗ[i] · exp(ℓ_S[i] / ℓ_T[i])
    rᵗ⁺¹[i] = α · ψᵗ⁺¹[i] / Σ ψᵗ⁺¹ + (1 − α) / N                             equation 2

The paper draws the examples of each K steps by rᵗ, the first K by chance. Here the batches of a run
are decided before it starts, so an example of domain i counts rᵗ[i] / nᵢ in their place, nᵢ being
the domain's share of what the plan draws: 1 in the mean, and the gradient that drawing by rᵗ would
have in expectation. The first K steps count 1. With rare domains the gradients vary more than
they would by drawing. The paper measures on a validation set, this on a fixed sample of what is
trained on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from assistant.distillation.batch_plan import Plan, cut_batches
from assistant.distillation.losses.supervised import CrossEntropy
from assistant.distillation.modes import autocast, evaluating
from assistant.distillation.tasks.base import Batch, Task, on_device
from assistant.distillation.teachers import Teacher, mean_logprobs, same_choices
from assistant.distillation.terms import LossInput
from assistant.errors import TrainingError, UsageError
from indexes.files import write_atomically

FILE = "domains.json"
_MOST = 50.0  # a difference of losses beyond this is cut: exp() of it has to stay a number

Factors = NDArray[np.float64]
OnMeasured = Callable[[list[dict[str, Any]]], None]


def first_factors(student: Factors, teacher: Factors) -> Factors:
    """r⁰ of N domains (equation 1) from the mean cross-entropies of both, (N,)."""
    return _softmax(_ratio(student, teacher))


def next_factors(before: Factors, student: Factors, teacher: Factors, smoothing: float) -> Factors:
    """rᵗ⁺¹ from rᵗ (equation 2), (N,); `smoothing` is α."""
    with np.errstate(divide="ignore"):  # a factor of 0 stays out of the sum
        psi = _softmax(np.log(before) + _ratio(student, teacher))
    return smoothing * psi + (1 - smoothing) / len(before)


def _ratio(student: Factors, teacher: Factors) -> Factors:
    """exp(CE_S) / exp(CE_T): the perplexity of the one over that of the other."""
    return np.asarray(np.exp(np.minimum(student - teacher, _MOST)), np.float64)


def _softmax(values: Factors) -> Factors:
    raised = np.exp(values - values.max())
    return np.asarray(raised / raised.sum(), np.float64)


class DomainBalance:
    """How much the rows of each domain count, measured anew every so many steps.

    Args:
        student: the model that is trained; on the device.
        plan: the batches of the run.
        on_measured: told a record of each domain.

    Raises:
        UsageError: there is one domain alone, or a teacher that cannot be compared.
    """

    def __init__(
        self,
        task: Task,
        student: Any,
        teacher: Teacher | None,
        plan: Plan,
        on_measured: OnMeasured,
    ) -> None:
        spec = task.recipe.curriculum.domains
        assert spec is not None
        self._models = same_choices(
            teacher, "curriculum.domains", otherwise="leave curriculum.domains out"
        ).models
        self._task, self._student = task, student
        self._spec, self._plan, self._on_measured = spec, plan, on_measured
        drawn = np.concatenate(plan)
        domains = np.array(task.units.domains)
        self.names: list[str] = sorted({str(name) for name in domains[drawn]})
        if len(self.names) < 2:
            raise UsageError(
                f"all examples are of the domain '{self.names[0]}'",
                remedy="give the examples a 'domain', or leave curriculum.domains out",
            )
        number = {name: place for place, name in enumerate(self.names)}
        self._domain = np.array([number.get(str(name), -1) for name in domains])  # (U,)
        counts = np.bincount(self._domain[drawn], minlength=len(self.names))
        self.shares: Factors = counts / counts.sum()
        self._batches = self._sample(np.unique(drawn))
        self.factors: Factors = np.zeros(len(self.names))
        self.weights: Factors = np.ones(len(self.names))
        self._teacher: Factors = np.zeros(len(self.names))

    def _sample(self, trained: NDArray[np.int64]) -> Plan:
        """The units that are measured, in batches: the same ones every time."""
        loop = self._task.recipe.loop
        rng = np.random.default_rng([loop.seed, 3])
        chosen = []
        for domain in range(len(self.names)):
            own = trained[self._domain[trained] == domain]
            chosen.append(rng.choice(own, min(self._spec.sample, len(own)), replace=False))
        return cut_batches(np.concatenate(chosen), self._task.units.lengths, loop)

    def begin(self) -> None:
        """Measure both before the first step."""
        self._teacher = self._losses(self._models, self._task.teacher_rows)
        student = self._losses([self._student], self._task.rows)
        self.factors = first_factors(student, self._teacher)
        self._tell(0, student)

    def update(self, step: int, progress: float) -> None:
        """Measure the student anew where it is due."""
        if step % self._spec.every:
            return
        student = self._losses([self._student], self._task.rows)
        self.factors = next_factors(self.factors, student, self._teacher, self._spec.smoothing)
        self.weights = self.factors / self.shares
        self._tell(step, student)

    def of_rows(self, batch: Batch, rows: LossInput) -> torch.Tensor:
        """How much each row of a batch of the plan counts, (N,)."""
        domains = self._domain[self._plan[int(batch["number"])]]
        weights = torch.tensor(self.weights[domains], dtype=torch.float32)
        return weights.to(rows.logits.device)[self._task.owners(batch, rows)]

    def _losses(self, models: Sequence[Any], rows_of: Callable[[Any, Batch], LossInput]) -> Factors:
        """Mean cross-entropy in each domain, (N,), of a model or of several models' mean."""
        task = self._task
        device = next(self._student.parameters()).device
        sums, counts = np.zeros(len(self.names)), np.zeros(len(self.names))
        with (
            evaluating(self._student),
            torch.no_grad(),
            autocast(self._student, task.recipe.loop.precision),
        ):
            for units in self._batches:
                batch = on_device(task.collate(units), device)
                found = [rows_of(model, batch) for model in models]
                rows = replace(found[0], logits=mean_logprobs([part.logits for part in found]))
                weights = rows.weights.double().cpu().numpy()
                losses = CrossEntropy(temperature=1, label_smoothing=0)(rows).double().cpu().numpy()
                domains = self._domain[units][task.owners(batch, rows).cpu().numpy()]
                sums += np.bincount(domains, losses * weights, len(self.names))
                counts += np.bincount(domains, weights, len(self.names))
        return sums / np.maximum(counts, 1e-9)

    def _tell(self, step: int, student: Factors) -> None:
        records = [
            {
                "step": step,
                "domain": name,
                "student_loss": float(student[place]),
                "teacher_loss": float(self._teacher[place]),
                "factor": float(self.factors[place]),
                "weight": float(self.weights[place]),
            }
            for place, name in enumerate(self.names)
        ]
        self._on_measured(records)

    def save(self, folder: Path) -> None:
        state = {
            "names": self.names,
            "factors": self.factors.tolist(),
            "weights": self.weights.tolist(),
            "teacher": self._teacher.tolist(),
        }
        write_atomically(folder / FILE, json.dumps(state, ensure_ascii=False).encode())

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: it has no factors of these domains.
        """
        try:
            state = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            state = {}
        if state.get("names") != self.names:
            raise TrainingError(
                f"{folder} has no factors of these domains",
                remedy="start the run anew, without --resume",
            )
        self.factors = np.array(state["factors"], np.float64)
        self.weights = np.array(state["weights"], np.float64)
        self._teacher = np.array(state["teacher"], np.float64)
