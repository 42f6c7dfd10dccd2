"""Averages of the weights over the training: EMA, and SWA (arXiv 1803.05407)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assistant.distillation.recipe import Average
from assistant.errors import TrainingError

FILE = "average.safetensors"


class Averager:
    """The running average of a model's trained weights.

    EMA begins with the weights as they are; its decay is at most (1 + n) / (10 + n) after n
    updates, so that the first steps are forgotten. SWA is the plain mean since its start.

    Args:
        file: what it is called in a checkpoint.
    """

    def __init__(self, model: Any, spec: Average, file: str = FILE) -> None:
        self._spec = spec
        self._file = file
        self._trained: dict[str, Tensor] = {
            name: parameter
            for name, parameter in model.named_parameters()
            if parameter.requires_grad
        }
        self.count = 0
        self.mean = {name: p.detach().clone().float() for name, p in self._trained.items()}

    def update(self, step: int, progress: float) -> None:
        """Take in the weights as they are after a step."""
        if self._spec.kind == "swa":
            if progress < self._spec.start or step % self._spec.every:
                return
            share = 1 / (self.count + 1)
        else:
            decay = min(self._spec.decay, (1 + self.count) / (10 + self.count))
            share = 1 - decay
        self.count += 1
        with torch.no_grad():
            torch._foreach_lerp_(  # one kernel for all of them
                list(self.mean.values()),
                [parameter.detach().float() for parameter in self._trained.values()],
                share,
            )

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the averaged weights inside, its own again after."""
        if not self.count:
            yield
            return
        own = {name: parameter.detach().clone() for name, parameter in self._trained.items()}
        self._set(self.mean)
        try:
            yield
        finally:
            self._set(own)

    def keep(self) -> None:
        """Give the model the averaged weights for good."""
        if self.count:
            self._set(self.mean)

    def save(self, folder: Path) -> None:
        from safetensors.torch import save_file

        save_file(
            {**{f"w.{k}": v for k, v in self.mean.items()}, "count": torch.tensor(self.count)},
            folder / self._file,
        )

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: the checkpoint has no average.
        """
        from safetensors.torch import load_file

        if not (folder / self._file).is_file():
            raise TrainingError(
                f"{folder} has no averaged weights", remedy="start the run anew, without --resume"
            )
        state = load_file(folder / self._file)
        self.count = int(state.pop("count"))
        for name, value in self.mean.items():
            value.copy_(state[f"w.{name}"])

    def _set(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self._trained.items():
                parameter.copy_(values[name])


def averager_for(model: Any, spec: Average) -> Averager | None:
    """An averager, or None where the recipe wants none."""
    return None if spec.kind == "none" else Averager(model, spec)
