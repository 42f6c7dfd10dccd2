"""A loss that learns itself how to tell pairs that belong together from pairs that do not."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import Field, PrivateAttr
from torch import Tensor
from torch.nn.functional import normalize

from assistant.distillation.beside import Beside, Kept, saved
from assistant.distillation.losses.base import LOSSES, LossPart
from assistant.distillation.losses.representations import vectors_of
from assistant.distillation.terms import LossInput


class Critic:
    """g(t, s) = v · relu(A·t + B·s + b), with slope 1 at most.

    [A B] is divided by its largest singular value, computed exactly, and v by its length, so that g
    is 1-Lipschitz in (t, s). Its weights are made at the first call, when the sizes are known.

    Args:
        hidden: rows of [A B].
        rate: its learning rate.
        seed: of its first weights.
        file: what it is called in a checkpoint.
    """

    def __init__(self, hidden: int, rate: float, seed: int, file: str = "critic.pt") -> None:
        self._hidden, self._rate, self._seed, self._file = hidden, rate, seed, file
        self._trained: Beside | None = None

    def __call__(self, teacher: Tensor, student: Tensor) -> Tensor:
        """g of each teacher's vector with each student's: (S, E), (S, D) → (S, S)."""
        weights = self._weights(teacher, student)
        both = weights["both"] / torch.linalg.matrix_norm(weights["both"], 2).clamp(min=1e-12)
        theirs, ours = both.split([teacher.shape[1], student.shape[1]], dim=1)
        inside = (teacher @ theirs.T)[:, None, :] + (student @ ours.T)[None, :, :]
        active = torch.relu(inside + weights["bias"])  # (S, S, H)
        return active @ normalize(weights["out"], dim=0)

    def _weights(self, teacher: Tensor, student: Tensor) -> dict[str, Tensor]:
        if self._trained is None:
            width = teacher.shape[1] + student.shape[1]
            draw = torch.Generator().manual_seed(self._seed)
            self._train(
                {
                    "both": torch.randn(self._hidden, width, generator=draw),
                    "bias": torch.zeros(self._hidden),
                    "out": torch.randn(self._hidden, generator=draw),
                },
                teacher.device,
            )
        assert self._trained is not None
        return self._trained.weights

    def _train(self, values: dict[str, Tensor], device: torch.device) -> None:
        weights = {name: value.to(device).requires_grad_() for name, value in values.items()}
        self._trained = Beside(weights, self._rate, self._file)

    def update(self, step: int, progress: float) -> None:
        if self._trained is not None:
            self._trained.update(step, progress)

    def save(self, folder: Path) -> None:
        if self._trained is None:  # no batch so far had two texts
            torch.save({"weights": {}}, folder / self._file)
        else:
            self._trained.save(folder)

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: it has no critic.
        """
        if weights := saved(folder / self._file)["weights"]:
            device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
            self._train(weights, device)
            assert self._trained is not None
            self._trained.load(folder)


@LOSSES.register("wasserstein-global")
class WassersteinGlobal(LossPart):
    """mean over j ≠ i of g(tᵢ, sⱼ) − g(tᵢ, sᵢ), g a critic that is trained by the same loss.

    After the global part of the Wasserstein contrastive distillation of Chen et al., 2021, arXiv
    2012.08674, of which the abstract and the beginning could be read: by the duality of Kantorovich
    and Rubinstein the Wasserstein distance between the pairs that belong together and all pairs is
    the largest difference of a 1-Lipschitz g over them, and the student is to make it large, too.
    The critic's form is this project's. The largest singular value is exact, so that nothing has to
    be kept of it; the pairs that do not belong together are those of the batch, with no memory of
    earlier ones; and both kinds of pairs have the same mass, without which a constant added to g
    would win. Vectors are scaled to length 1; they may be of two sizes.

    `hidden`: width of the critic; `learning_rate`: its own.
    """

    hidden: int = Field(64, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    _critic: Critic | None = PrivateAttr(None)

    def beside(self, seed: int, file: str) -> Kept:
        """The critic, made anew."""
        self._critic = Critic(self.hidden, self.learning_rate, seed, file)
        return self._critic

    def __call__(self, batch: LossInput) -> Tensor:
        student, teacher = (normalize(vectors, dim=-1) for vectors in vectors_of(batch))
        count = len(student)
        if count < 2:
            return student.sum() * torch.zeros(count, device=student.device)
        if self._critic is None:
            self.beside(0, "critic.pt")
        assert self._critic is not None
        with torch.autocast(student.device.type, enabled=False):
            scores = self._critic(teacher.detach(), student)
        own = scores.diagonal()
        return (scores.sum(1) - own) / (count - 1) - own
