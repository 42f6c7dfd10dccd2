"""What a recipe's loop means to the Trainer of transformers."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from transformers import TrainingArguments

from assistant.distillation.recipe import Loop


def uses_bf16(loop: Loop) -> bool:
    """Whether the forward pass is in bfloat16; `auto` means on a GPU that has it."""
    if loop.precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return loop.precision == "bf16"


def rate_at(progress: float, schedule: str, warmup: float) -> float:
    """Share of the learning rate at a progress in [0, 1]: rising until `warmup`, then falling."""
    if progress < warmup:
        return progress / warmup
    left = 1 - (progress - warmup) / max(1e-9, 1 - warmup)
    if schedule == "cosine":
        return 0.5 * (1 - math.cos(math.pi * left))
    return left if schedule == "linear" else 1.0


def training_arguments(loop: Loop, folder: Path, steps: int) -> TrainingArguments:
    """The Trainer's own arguments; checkpoints go into `folder`."""
    cuda = torch.cuda.is_available()
    # A checkpoint falls on a report, so that the reports of a resumed run are the same.
    log = min(loop.log_every, steps)
    save = math.ceil(loop.checkpoint_every / log) * log
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=loop.accumulate,
        learning_rate=loop.learning_rate,
        lr_scheduler_type=loop.schedule if loop.schedule != "constant" else "constant_with_warmup",
        warmup_steps=round(loop.warmup * steps),
        weight_decay=loop.weight_decay,
        max_grad_norm=loop.clip,
        bf16=uses_bf16(loop),
        tf32=True if cuda else None,
        use_cpu=not cuda,
        seed=loop.seed,
        logging_steps=log,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=save,
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
    )
