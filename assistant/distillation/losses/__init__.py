"""The terms of an objective, each registered by the name that recipes use."""

from assistant.distillation.losses import (
    critic,
    difficulty,
    divergences,
    margins,
    policy_gradient,
    representations,
    supervised,
    transport,
)
from assistant.distillation.losses.base import LOSSES, LossPart

__all__ = [
    "LOSSES",
    "LossPart",
    "critic",
    "difficulty",
    "divergences",
    "margins",
    "policy_gradient",
    "representations",
    "supervised",
    "transport",
]
