"""Weights that are trained beside the student: a critic, a part of the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from assistant.errors import TrainingError

_CLIP = 1.0  # the largest norm of a gradient


class Kept(Protocol):
    """What goes on from step to step and is kept in every checkpoint."""

    def update(self, step: int, progress: float) -> None: ...

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None: ...


class Beside:
    """Weights with an optimiser of their own (AdamW at a constant rate, no decay).

    Their gradients come from whoever uses them. They take a step when the student does, are in
    every checkpoint, and in no export.

    Args:
        file: what they are called in a checkpoint.
    """

    def __init__(self, weights: Mapping[str, Tensor], rate: float, file: str) -> None:
        self.weights = dict(weights)
        self._file = file
        self._optimiser = torch.optim.AdamW(self.weights.values(), lr=rate, weight_decay=0.0)

    def update(self, step: int, progress: float) -> None:
        """Take the step.

        Raises:
            TrainingError: the gradient is no longer finite.
        """
        norm = torch.nn.utils.clip_grad_norm_(list(self.weights.values()), _CLIP)
        if not torch.isfinite(norm):
            raise TrainingError(
                f"the gradient of {self._file} is no longer finite at step {step}",
                remedy="lower its learning_rate",
            )
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)

    def save(self, folder: Path) -> None:
        state = {"weights": self.weights, "optimiser": self._optimiser.state_dict()}
        torch.save(state, folder / self._file)

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: it has no such weights.
        """
        state = saved(folder / self._file)
        with torch.no_grad():
            for name, weight in self.weights.items():
                weight.copy_(state["weights"][name])
        self._optimiser.load_state_dict(state["optimiser"])


def saved(file: Path) -> dict[str, dict[str, Tensor]]:
    """What a checkpoint has of such weights.

    Raises:
        TrainingError: nothing.
    """
    if not file.is_file():
        raise TrainingError(
            f"{file.parent} has no {file.name}", remedy="start the run anew, without --resume"
        )
    found: dict[str, dict[str, Tensor]] = torch.load(file, map_location="cpu", weights_only=True)
    return found
