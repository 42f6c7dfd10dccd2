"""Whether a batch is learnt as the data have it, or with completions of the student's own.

GKD, Agarwal et al., 2024, arXiv 2306.13649: with probability λ the student writes the completions,
and the teacher's distributions are compared where the student really goes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from assistant.distillation.modes import evaluating
from assistant.distillation.recipe import Sampling
from assistant.distillation.tasks.base import Batch, Task


class CompletionSampler:
    """Decides by seed and number of the batch, so a resumed run decides and writes the same."""

    def __init__(self, task: Task, spec: Sampling, seed: int) -> None:
        self._task = task
        self._spec = spec
        self._seed = seed

    def wants(self, number: int, progress: float) -> bool:
        """Whether the student writes the completions of the batch of that number."""
        if self._spec.kind != "mixed":
            return self._spec.kind == "on-policy"
        draw = np.random.default_rng([self._seed, number, 1]).random()
        return bool(draw < self._spec.fraction.at(progress))

    def __call__(self, model: Any, batch: Batch, progress: float, teacher: Any) -> Batch:
        """The batch as it is learnt from."""
        number = int(batch["number"])
        if not self.wants(number, progress):
            return batch
        device = next(model.parameters()).device
        generator = torch.Generator(device)
        generator.manual_seed(int(np.random.default_rng([self._seed, number, 2]).integers(2**62)))
        with evaluating(model), torch.no_grad():
            return self._task.sample(model, batch, generator, teacher)
