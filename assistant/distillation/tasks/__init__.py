"""What is learnt, each task registered by the name that recipes use."""

from assistant.distillation.tasks import causal, conversation, embed, pair, span, tag
from assistant.distillation.tasks.base import TASKS, Batch, Evaluation, Task, Units

__all__ = [
    "TASKS",
    "Batch",
    "Evaluation",
    "Task",
    "Units",
    "causal",
    "conversation",
    "embed",
    "pair",
    "span",
    "tag",
]
