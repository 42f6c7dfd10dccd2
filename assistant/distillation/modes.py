"""A model asked outside the loop: in its evaluation mode, and as precisely as the loop does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """The model does not drop anything out within; afterwards it is in the mode it was in."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def autocast(model: Any, precision: str) -> Any:
    """bfloat16 for a forward pass outside the loop, where the loop has it too."""
    device = next(model.parameters()).device
    wanted = precision == "bf16" or (precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted)


def forward_tokens(device: torch.device) -> int:
    """Tokens, padding included, of a forward pass without gradients of a small encoder.

    On a CPU as many as keep the states in its cache: with eight times as many MiniLM takes twice
    the time. A GPU wants many at once.
    """
    return 4096 if device.type == "cpu" else 32_768
