"""Weights that an adaptation begins with, and whole weights of what came out of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from assistant.adapting.installed import WEIGHTS
from assistant.adapting.serving import embedder_fingerprint, reranker_fingerprint
from assistant.errors import UsageError
from assistant.models.small_embedder import assembled
from indexes.encoders import DenseEncoder
from indexes.files import storage_errors, write_atomically

_PROBE = (
    "When does the lease of the flat end?",
    "The lease of the flat ends on 31 March 2027. It renews by itself unless it is given notice "
    "of three months before that date, in writing.",
)
# Mean pooling of another implementation: the same up to rounding, or another model altogether.
_SAME = 0.999


def whole_reranker(export: Path, base: Path, target: Path) -> Path:
    """An exported cross-encoder as a whole folder of transformers, which training can begin from.

    Raises:
        ModelMissingError, ModelCorruptError: a part is not there, or they do not belong together.
    """
    from assistant.distillation.exported import load_exported

    if (target / WEIGHTS).is_file():
        return target
    model, tokenizer, _ = load_exported(export, base=base)
    new = _beside(target)
    with storage_errors(target):
        model.save_pretrained(new)
        tokenizer.save_pretrained(new)
        new.rename(target)
    return target


def finished_reranker(export: Path, folder: Path) -> Path:
    """What a run exported, with all its weights in half precision: it needs no base any more.

    Returns:
        `folder/reranker-DIGITS`, the digits being those of the weights' SHA-256.

    Raises:
        ModelMissingError, ModelCorruptError: the export is not whole.
    """
    from safetensors.torch import save_file

    from assistant.distillation.exported import DESCRIPTION, load_exported

    model, tokenizer, description = load_exported(export)
    state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    description |= {"kind": "whole", "tensors": sorted(state), "dtype": "float16"}
    new = _beside(folder / "reranker")
    with storage_errors(folder):
        model.config.save_pretrained(new)
        tokenizer.save_pretrained(new)
        save_file(state, new / WEIGHTS)
        write_atomically(new / DESCRIPTION, json.dumps(description, indent=1).encode())
    return _named(new, folder / f"reranker-{reranker_fingerprint(new)[:16]}")


def finished_embedder(export: Path, base: Path, folder: Path) -> Path:
    """What a run exported, put together with its base as a folder of sentence-transformers.

    Returns:
        `folder/embedder-FINGERPRINT`.

    Raises:
        ModelMissingError, ModelCorruptError: a part is not there, or they do not belong together.
    """
    new = _beside(folder / "embedder")
    assembled(export, base, new)
    new.with_name(f".{new.name}.lock").unlink(missing_ok=True)
    return _named(new, folder / f"embedder-{embedder_fingerprint(new)}")


def require_adaptable(folder: Path, encoder: DenseEncoder) -> int:
    """Refuse an embedder that the core would train as another model than it is.

    Returns:
        how many tokens of a text it reads, at most 512.

    Raises:
        UsageError: it is no BERT whose vector is the mean over its tokens.
    """
    from assistant.distillation.encoding import encode
    from assistant.distillation.ranking.layout import TokenTable
    from assistant.distillation.students import load_model, load_tokenizer
    from assistant.errors import KnowledgeAssistantError

    longest = _longest(folder)
    try:
        table = TokenTable(load_tokenizer(folder), longest)
        model: Any = load_model(folder, "embed").eval()
        ours = encode(model, table, _PROBE, longest, precision="fp32").numpy()
        theirs = encoder.encode(_PROBE)
        same = ours.shape == theirs.shape and float((ours * theirs).sum(1).min()) >= _SAME
        kind = str(model.config.model_type)
    except (KnowledgeAssistantError, ValueError, KeyError, OSError, AttributeError) as error:
        raise _not_adaptable(folder) from error
    if not same or kind != "bert" or not np.isfinite(theirs).all():
        raise _not_adaptable(folder)
    return longest


def _longest(folder: Path) -> int:
    try:
        told = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
        return max(8, min(512, int(told["max_seq_length"])))
    except (OSError, ValueError, KeyError, TypeError):
        return 256


def _not_adaptable(folder: Path) -> UsageError:
    return UsageError(
        f"the embedder {folder.name} cannot be adapted: only a BERT whose vector is the mean over "
        "its tokens can",
        remedy="adapt the reranker alone: --only reranker",
    )


def _beside(target: Path) -> Path:
    new = target.with_name(f"{target.name}-{os.getpid()}.partial")
    shutil.rmtree(new, ignore_errors=True)
    new.parent.mkdir(parents=True, exist_ok=True)
    return new


def _named(new: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)
    return target
