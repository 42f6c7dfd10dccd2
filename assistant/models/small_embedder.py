"""The shipped embedder, put together as a folder of sentence-transformers.

What is shipped are the layers that were trained; words, tokenizer and pooling are MiniLM's own. The
whole is written once into the folder of weights, and again where either part has changed.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from filelock import FileLock

from indexes.files import sha256_of, storage_errors, write_atomically

_MADE_FROM = "made-from.json"
_COPIED = (
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)


def assembled(export: Path, base: Path, target: Path) -> Path:
    """Write an exported encoder with its base as a folder of sentence-transformers.

    Args:
        base: a sentence-transformers folder, whose tokenizer and pooling it has.
        target: where it is put; left alone where it was made from the same parts.

    Raises:
        ModelMissingError, ModelCorruptError: a part is not there, or they do not belong together.
        StorageError: it cannot be written.
    """
    parts = {
        "export": sha256_of(export / "model.safetensors"),
        "description": sha256_of(export / "export.json"),
        "base": _stamp(base / "model.safetensors"),
    }
    if _made_from(target) == parts:
        return target
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if _made_from(target) != parts:
                _assemble(export, base, target)
                write_atomically(target / _MADE_FROM, json.dumps(parts).encode())
    return target


def _assemble(export: Path, base: Path, target: Path) -> None:
    from assistant.distillation.exported import load_exported

    model, _, _ = load_exported(export, base=base)
    new = target.with_name(f".{target.name}-{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    model.save_pretrained(new)
    for name in _COPIED:
        if (base / name).is_file():
            shutil.copy(base / name, new / name)
    for folder in sorted(base.glob("[0-9]_*")):
        shutil.copytree(folder, new / folder.name)
    shutil.rmtree(target, ignore_errors=True)
    new.rename(target)


def _made_from(target: Path) -> object:
    try:
        return json.loads((target / _MADE_FROM).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _stamp(file: Path) -> str:
    stat = file.stat()
    return f"{stat.st_size}-{stat.st_mtime_ns}"
