"""What tasks of vectors share: pairs of texts, each text compared with all others of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from assistant.distillation.encoding import encode
from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.students import model_folder
from assistant.distillation.tasks.base import Batch, Task, TaskOptions, Units
from assistant.distillation.terms import LossInput, TokenStates


class VectorOptions(TaskOptions):
    """`max_length` in tokens of a text; `similarity_scale`: what cosines are multiplied with."""

    max_length: int = Field(256, ge=8)
    similarity_scale: float = Field(20.0, gt=0)


class VectorTask(Task):
    """B pairs make 2B rows: a row is a text, its choices all the others, its target its own pair's.

    A batch has the inputs of both sides, each name with its side before it.
    """

    fitting_teacher: ClassVar[str] = "name an embedder with the student's tokenizer"
    own_choices: ClassVar[bool] = False  # they are the other texts of the batch
    options: VectorOptions

    def __init__(self, recipe: Any, cache: Path) -> None:
        super().__init__(recipe, cache)
        self._table = TokenTable(self.tokenizer, self.options.max_length)
        self._training: list[Any] = []
        self._held_out: list[Any] = []
        self._lengths = np.zeros(0, np.int64)
        self._references: dict[str, NDArray[np.float32]] = {}

    @property
    def units(self) -> Units:
        return Units.of(self._lengths, self._training)

    def owners(self, batch: Batch, rows: LossInput) -> Tensor:
        return rows.sequences % len(batch["keys"])

    def _length(self, text: str) -> int:
        """Tokens of a text, special ones included."""
        return min(len(self._table[text]), self.options.max_length - 2) + 2

    def _batch(
        self,
        places: Sequence[int],
        sides: Mapping[str, Mapping[str, Tensor]],
        names: Sequence[str],
    ) -> Batch:
        """The batch of the training examples at `places`.

        Args:
            sides: the inputs of the two sides.
            names: of 2B texts, those of one side first; where two are equal, neither is a wrong
                choice for the other one's pair.
        """
        examples = [self._training[place] for place in places]
        batch: Batch = {
            f"{side}_{name}": tensor
            for side, inputs in sides.items()
            for name, tensor in inputs.items()
        }
        _, same = np.unique(names, return_inverse=True)
        batch["same"] = torch.from_numpy(same.astype(np.int64))
        batch["weights"] = torch.tensor([e.weight for e in examples], dtype=torch.float32).repeat(2)
        batch["keys"] = [example.id for example in examples]
        batch["tokens"] = int(self._lengths[list(places)].sum())
        return batch

    def _rows(self, vectors: Tensor, batch: Batch, tokens: TokenStates | None = None) -> LossInput:
        """The rows of a batch.

        Args:
            vectors: unit vectors (2B, D), those of one side first.
        """
        count = len(vectors) // 2
        places = torch.arange(2 * count, device=vectors.device)
        targets = (places + count) % (2 * count)
        same = batch["same"][:, None] == batch["same"][None, :]
        same[places, targets] = False
        with torch.autocast(vectors.device.type, enabled=False):  # cosines need all their digits
            logits = self.options.similarity_scale * (vectors @ vectors.T)
        return LossInput(
            logits=logits.masked_fill(same, -torch.inf),
            targets=targets,
            teacher=None,
            weights=batch["weights"],
            sequences=places,
            sampled=torch.zeros(2 * count, dtype=torch.bool, device=vectors.device),
            representations=vectors,
            tokens=tokens,
        )

    @property
    def _teacher_folder(self) -> Path | None:
        """Where the teacher is, if it is one model."""
        spec = self.recipe.teacher
        single = spec.kind in ("model", "checkpoint")
        return model_folder(self.recipe, spec.path, self.cache) if single else None

    def _reference(
        self, folder: Path, texts: Sequence[str], device: torch.device
    ) -> NDArray[np.float32]:
        """Unit vectors (N, D) of texts by a model that is not trained, each made once.

        Args:
            folder: where it is; the same at every call.
        """
        if new := [text for text in dict.fromkeys(texts) if text not in self._references]:
            model = self.load_teacher(folder).to(device)
            most = self.options.max_length
            made = encode(model, self._table, new, most, precision="fp32").cpu().numpy()
            self._references.update(zip(new, made, strict=True))
        return np.stack([self._references[text] for text in texts])


def side(batch: Batch, name: str) -> dict[str, Tensor]:
    """The inputs of one side of a batch."""
    prefix = f"{name}_"
    return {k.removeprefix(prefix): v for k, v in batch.items() if k.startswith(prefix)}


def reciprocal_ranks(
    queries: NDArray[np.float32], pool: NDArray[np.float32], own: Sequence[int]
) -> list[float]:
    """1 / rank of each query's own vector of the pool, 0 beyond rank 10.

    Args:
        queries: (N, D).
        pool: (P, D).
        own: of each query the place of its own in the pool, (N,).
    """
    scores = queries @ pool.T
    ranks = 1 + (scores > scores[np.arange(len(own)), list(own)][:, None]).sum(1)
    return [1 / rank if rank <= 10 else 0.0 for rank in ranks.tolist()]
