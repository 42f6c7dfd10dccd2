"""`python -m assistant.distillation RECIPE.yaml`: a run on a machine that has no more than torch.

The same as `assistant distill`, without the assistant: it needs torch, transformers, peft,
accelerate, safetensors, pydantic, PyYAML and numpy.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from assistant.errors import KnowledgeAssistantError, UsageError


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m assistant.distillation", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--resume", action="store_true", help="go on with a run that was stopped")
    parser.add_argument("--dry-run", action="store_true", help="say memory, steps and time")
    parser.add_argument(
        "--store", type=Path, metavar="FOLDER", help="write the teacher's log-probabilities there"
    )
    parser.add_argument("--top-k", type=int, default=32, help="choices of a row that --store keeps")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args(arguments)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    try:
        return _run(options)
    except KnowledgeAssistantError as error:
        sys.stderr.write(f"error: {error.message}\nwhat to do: {error.remedy}\n")
        return error.exit_status


def _run(options: argparse.Namespace) -> int:
    import warnings

    from transformers.utils import logging

    from assistant.distillation.recipe_file import load_recipe
    from assistant.distillation.reports import estimate_text, run_summary, step_line, summary_text

    logging.disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)
    changes = {}
    for assignment in options.changes:
        key, separator, value = assignment.partition("=")
        if not separator:
            raise UsageError(f"'{assignment}' is not KEY=VALUE", remedy="e.g. loop.epochs=2")
        changes[key.strip()] = value.strip()
    recipe = load_recipe(options.recipe, changes)
    if options.dry_run:
        from assistant.distillation.estimate import estimate

        found = estimate(recipe, options.out)
        sys.stdout.write((json.dumps(found) if options.as_json else estimate_text(found)) + "\n")
        return 0
    from assistant.distillation.run import run_recipe, write_store

    if options.store is not None:
        stored = write_store(
            recipe,
            options.out,
            options.store,
            k=options.top_k,
            on_progress=lambda done: _say(f"{done} examples stored"),
        )
        sys.stdout.write(json.dumps(stored) + "\n")
        return 0
    folder = run_recipe(
        recipe,
        options.out,
        resume=options.resume,
        on_step=lambda generation, step: _say(step_line(generation, step)),
    )
    summary = run_summary(folder)
    sys.stdout.write((json.dumps(summary) if options.as_json else summary_text(summary)) + "\n")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
