"""An export as changes of another base than it was trained from.

`python -m assistant.distillation.rebasing EXPORT --base MINILM --name minilm --to FOLDER` writes
what a student that began with other trained weights differs by from a model that everybody can
fetch.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import torch

from assistant.distillation.export import changed_weights, in_type
from assistant.distillation.exported import (
    DESCRIPTION,
    LOCAL,
    WEIGHTS,
    base_sha256,
    load_exported,
)
from assistant.errors import KnowledgeAssistantError, UsageError
from indexes.files import storage_errors, write_atomically


def rebase(export: Path, base: Path, name: str, to: Path) -> list[str]:
    """Write an export anew, in half precision, and say which of its weights differ from `base`.

    Args:
        base: the folder of the other model, with the same tokenizer.
        name: what that model is called in the catalogue.

    Raises:
        ModelMissingError, ModelCorruptError: export or base are not whole.
        UsageError: it is an adapter, or nothing is left of the base.
        StorageError: it cannot be written.
    """
    from safetensors.torch import save_file

    model, _, description = load_exported(export)
    if description["kind"] == "adapter":
        raise UsageError(
            f"{export} is an adapter, which belongs to its base", remedy="export changed weights"
        )
    changed = changed_weights(model, base)
    if len(changed) == len(model.state_dict()):
        raise UsageError(
            f"no weight of {export} is one of {base}", remedy="name the model it goes back to"
        )
    made = {
        **description,
        "kind": "changed",
        "base": {"name": name, "sha256": base_sha256(base)},
        "tensors": sorted(changed),
        "dtype": "float16",
    }
    with storage_errors(to):
        to.mkdir(parents=True, exist_ok=True)
        halves = {name: in_type(value, torch.float16) for name, value in changed.items()}
        save_file(halves, to / WEIGHTS)
        shutil.copy(export / "config.json", to / "config.json")  # its card is of the other base
        local = json.dumps({"base": str(base.absolute())}, ensure_ascii=False)
        write_atomically(to / LOCAL, local.encode())
        write_atomically(to / DESCRIPTION, json.dumps(made, ensure_ascii=False, indent=1).encode())
    return sorted(changed)


def main(arguments: list[str] | None = None) -> int:
    """Rebase as the command line says and return an exit status."""
    parser = argparse.ArgumentParser(prog="python -m assistant.distillation.rebasing")
    parser.add_argument("export", type=Path)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args(arguments)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        changed = rebase(options.export, options.base, options.name, options.to)
    except KnowledgeAssistantError as error:
        sys.stderr.write(f"error: {error.message}\nwhat to do: {error.remedy}\n")
        return error.exit_status
    sys.stderr.write(f"{len(changed)} weights differ: {options.to}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
