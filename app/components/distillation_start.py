"""Starting a recipe: what it would cost is looked at first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.notices import errors_shown
from app.components.progress import duration, size_text
from app.components.text import plain
from assistant.errors import UsageError
from assistant.jobs import Jobs
from indexes.files import storage_errors

DISTILLING = "distill "
ESTIMATING = "look what a recipe costs"
_OTHER = "a file of your own"


def recipe_arguments(recipe: Path, changes: Sequence[str], runs: Path) -> list[str]:
    """The command for a recipe; how it is to be run comes after."""
    options = [part for change in changes for part in ("--set", change)]
    return ["distill", "run", str(recipe), *options, "--out", str(runs)]


def changes_of(typed: str) -> list[str]:
    """The lines KEY=VALUE.

    Raises:
        UsageError: a line is not so.
    """
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    for line in lines:
        if not line.partition("=")[1]:
            raise UsageError(f"'{line}' is not KEY=VALUE", remedy="e.g. loop.epochs=1")
    return lines


def estimate_rows(found: Mapping[str, Any]) -> list[dict[str, str]]:
    """What a dry run said."""
    values = {
        "device": f"{found.get('device')}, {found.get('precision')}",
        "examples": f"{found.get('examples', 0):,}, held out {found.get('held_out', 0):,}",
        "parameters": f"{found.get('parameters_trained', 0):,} trained of "
        f"{found.get('parameters', 0):,}",
        "steps": f"{found.get('steps', 0):,}, {found.get('tokens', 0):,} tokens",
        "memory": f"about {size_text(float(found.get('memory_bytes', 0)))}",
        "time": f"about {duration(float(found.get('seconds', 0)))}",
        "writes": f"about {size_text(float(found.get('writes_bytes', 0)))}",
    }
    return [{"": name, "it takes": value} for name, value in values.items()]


def show_start(jobs: Jobs, recipes: Sequence[Path], runs: Path) -> None:
    """Choose a recipe, look what it costs, start it."""
    names = {path.stem: path for path in recipes}
    name = st.selectbox("Recipe", [*names, _OTHER], key="recipe-name")
    typed = ""
    if name == _OTHER:
        typed = st.text_input("Recipe file", placeholder="/home/me/reader.yaml", key="recipe-file")
    recipe = Path(typed.strip()).expanduser() if name == _OTHER else names[name]
    changed = st.text_area(
        "Changes, one KEY=VALUE a line",
        placeholder="data.0.path=/home/me/train.jsonl\nheld_out.0.path=/home/me/held-out.jsonl",
        key="recipe-changes",
        height=90,
        help="The recipes to start from name files that you have to give.",
    )
    if name != _OTHER:
        with st.expander("Read the recipe"):
            st.code(recipe.read_text(encoding="utf-8"), language="yaml")
    elif not typed.strip():
        return
    if _busy(jobs):  # the fields above are drawn all the same, so that they keep what is in them
        st.caption("Another recipe can be looked at when this work has ended.")
        return
    with errors_shown():
        arguments = recipe_arguments(recipe, changes_of(changed), runs)
        estimate = runs / "estimate.json"
        asked = runs / "estimate-of.json"
        if st.button("Look what it costs", icon=":material/calculate:"):
            with storage_errors(runs):
                runs.mkdir(parents=True, exist_ok=True)
                estimate.unlink(missing_ok=True)
                asked.write_text(json.dumps(arguments), encoding="utf-8")
            jobs.start(ESTIMATING, [*arguments, "--dry-run", "--report", str(estimate)])
            st.rerun()
        found = _estimate(estimate, asked, arguments)
        if found is not None:
            st.dataframe(estimate_rows(found), hide_index=True, width="stretch")
            _start_button(jobs, arguments, str(found.get("recipe", recipe.stem)))


def _busy(jobs: Jobs) -> bool:
    return any(
        job.state == "running" and job.title.startswith((DISTILLING, ESTIMATING))
        for job in jobs.list()
    )


def _start_button(jobs: Jobs, arguments: Sequence[str], name: str) -> None:
    if st.button("Start it", type="primary", icon=":material/play_arrow:"):
        jobs.start(f"{DISTILLING}{name}", [*arguments, "--go-on"])
        st.rerun()
    st.caption(plain("A run of this very recipe that was stopped is gone on with."))


def _estimate(file: Path, asked: Path, arguments: Sequence[str]) -> Mapping[str, Any] | None:
    """What the last dry run said, if it was of these arguments."""
    try:
        if json.loads(asked.read_text(encoding="utf-8")) != list(arguments):
            return None
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
