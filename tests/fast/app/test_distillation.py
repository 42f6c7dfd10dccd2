"""The distillation page on run folders made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.components.distillation_comparison import tables
from app.components.distillation_runs import flat, run_rows
from app.components.distillation_start import changes_of, estimate_rows, recipe_arguments
from assistant.distillation.compare import Comparison, Interval
from assistant.distillation.looking import find_runs
from assistant.distillation.run import run_recipe
from assistant.errors import UsageError
from tests.fast.app.pages import labels, markdown, page
from tests.fast.assistant.distillation import tiny
from tests.fast.assistant.distillation.test_looking import HEAD, made


def test_without_runs_it_says_so(empty_home: Path) -> None:
    run = page("distillation")
    assert not run.error
    assert "There is no run in this folder yet" in markdown(run)
    assert labels(run) == ["Look what it costs"]


def test_runs_are_listed(empty_home: Path) -> None:
    runs = empty_home / "distillation"
    made(runs, "reader-1", "finished", f"{HEAD}1,4,0.5,0.5,1,10,90.0\n")
    run = page("distillation")
    assert not run.exception
    assert run.dataframe[0].value["run"].tolist() == ["reader-1"]
    (row,) = run_rows(find_runs(runs))
    assert (row["state"], row["step"], row["trained"]) == ("finished", 4, "2 min")
    run.text_input(key="runs-folder").set_value("/no/such/folder").run()
    assert "/no/such/folder" in run.error[0].value.replace("\\", "")


def test_what_a_recipe_is_started_with() -> None:
    changes = changes_of(" loop.epochs=1 \n\n data.0.path=/a=b ")
    assert changes == ["loop.epochs=1", "data.0.path=/a=b"]
    with pytest.raises(UsageError):
        changes_of("epochs")
    command = recipe_arguments(Path("r.yaml"), changes[:1], Path("runs"))
    assert command == ["distill", "run", "r.yaml", "--set", "loop.epochs=1", "--out", "runs"]
    rows = {row[""]: row["it takes"] for row in estimate_rows({"seconds": 120, "steps": 1_000})}
    assert (rows["time"], rows["steps"]) == ("about 2 min", "1,000, 0 tokens")
    assert flat({"a": {"b": 0.5}, "c": [1]}) == [
        {"": "a.b", "value": "0.5000"},
        {"": "c", "value": "[1]"},
    ]


def test_runs_are_compared_and_chance_is_told_apart(tmp_path: Path) -> None:
    steps = {"steps": 40, "learning_rate": 0.01}
    recipes = (tiny.span_recipe(tmp_path), tiny.span_recipe(tmp_path, loop=steps))
    runs = [run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs") for recipe in recipes]

    def compared(*folders: str) -> None:
        from pathlib import Path

        from app.components.distillation_comparison import show_comparison

        show_comparison([Path(folder) for folder in folders])

    folders = tuple(str(run.path) for run in runs)
    shown = AppTest.from_function(compared, args=folders, default_timeout=60).run()
    assert not shown.exception
    settings = shown.dataframe[0].value
    assert settings[""].tolist() == ["loop.steps", "loop.learning_rate"]
    assert settings[runs[1].path.name].tolist() == ["40", "0.01"]
    titles = [caption.value for caption in shown.caption]
    assert titles[:2] == ["Settings that differ", "What came out"] and len(titles) == 4

    sure, unsure = Interval(0.5, 0.25, 0.75), Interval(-0.1, -0.5, 0.3)
    found = Comparison(["a", "a"], {}, {}, {}, {"f1": [None, sure], "em": [None, unsure]})
    (rows,) = [rows for title, rows in tables(found).items() if title.startswith("Difference")]
    assert [row["a (2)"] for row in rows] == [
        "+0.5000 [+0.2500, +0.7500] ●",
        "-0.1000 [-0.5000, +0.3000]",
    ]
