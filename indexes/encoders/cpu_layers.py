"""What a CPU does fast: linear layers through oneDNN, GELU fused into them, and bfloat16.

On a CPU torch multiplies float32 matrices with its BLAS and then passes over the result again for
the activation. oneDNN's fused operator, which torch carries for its own compiler, does both in
one pass over the same float32 numbers. The operator is not part of torch's public interface, so
it is used only where it is there and gives what the plain layers give.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class FusedLinear(nn.Module):
    """A linear layer, with the activation that follows it where one is given."""

    def __init__(self, linear: nn.Linear, activation: str = "none") -> None:
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x of shape (…, in_features) to (…, out_features)."""
        return torch.ops.mkldnn._linear_pointwise(  # type: ignore[no-any-return]
            x, self.weight, self.bias, self._activation, [], "none"
        )


def available() -> bool:
    """Whether this torch has the operator and it computes what a plain layer does."""
    try:
        with torch.inference_mode():
            x = torch.linspace(-2, 2, 64).reshape(4, 16)
            linear = nn.Linear(16, 8)
            expected = nn.functional.gelu(linear(x))
            return bool(torch.allclose(FusedLinear(linear, "gelu")(x), expected, atol=1e-5))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False


def fuse(model: nn.Module) -> None:
    """Replace the linear layers of a model in place; float32 on a CPU only."""
    if not available():
        return
    for module in list(model.modules()):
        activation: Any = getattr(module, "intermediate_act_fn", None)
        dense = getattr(module, "dense", None)
        if _plain(dense) and _exact_gelu(activation):
            module.dense = FusedLinear(dense, "gelu")  # type: ignore[arg-type]
            module.intermediate_act_fn = nn.Identity()
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if _plain(child):
                setattr(module, name, FusedLinear(child))  # type: ignore[arg-type]


def _plain(layer: object) -> bool:
    return (
        type(layer) is nn.Linear
        and layer.weight.dtype == torch.float32
        and layer.weight.device.type == "cpu"
    )


def _exact_gelu(activation: object) -> bool:
    """Whether an activation is the GELU of the error function, not an approximation of it."""
    if isinstance(activation, nn.GELU):
        return activation.approximate == "none"
    if not isinstance(activation, nn.Module):
        return False
    x = torch.linspace(-3, 3, 7)
    with torch.inference_mode():
        return bool(torch.equal(activation(x), nn.functional.gelu(x)))


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether it is a CPU with instructions that multiply bfloat16 numbers.

    Elsewhere on a CPU these are emulated, which is slower than float32.
    """
    if device.type != "cpu":
        return False
    # no public name in torch says it
    return any(
        getattr(torch.cpu, name, lambda: False)()
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
