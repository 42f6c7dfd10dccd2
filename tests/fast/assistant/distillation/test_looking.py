"""Run folders looked at while they are written and afterwards, and runs as jobs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from assistant.cli.main import run as assistant
from assistant.distillation.looking import (
    curve,
    find_runs,
    recipe_text,
    record,
    samples,
    shipped_recipes,
)
from assistant.errors import StorageError, UsageError
from assistant.jobs import read_progress
from tests.fast.assistant.distillation import tiny


def made(folder: Path, name: str, state: str = "started", rows: str = "") -> Path:
    run = folder / name
    run.mkdir(parents=True)
    (run / "recipe.yaml").write_text("name: toy\n", encoding="utf-8")
    (run / "state.json").write_text(json.dumps({"state": state, "generation": 1}), encoding="utf-8")
    if rows:
        (run / "curves.csv").write_text(rows, encoding="utf-8")
    return run


HEAD = "generation,step,loss,cross-entropy,learning_rate,tokens,seconds\n"


def test_runs_are_found_last_written_first(tmp_path: Path) -> None:
    first = made(tmp_path / "deep" / "er", "one-1", "finished", f"{HEAD}1,4,0.5,0.5,1,10,2.0\n")
    second = made(tmp_path, "two-2")
    os.utime(first / "state.json", (1, 1))
    os.utime(first / "curves.csv", (1, 1))
    made(tmp_path / "a" / "b" / "c" / "d", "too-deep")
    broken = made(tmp_path, "broken")
    (broken / "state.json").write_text("{", encoding="utf-8")
    found = find_runs(tmp_path)
    assert [(run.name, run.state, run.step, run.loss) for run in found] == [
        ("two-2", "started", 0, None),
        ("one-1", "finished", 4, 0.5),
    ]
    assert found[0].folder == second
    with pytest.raises(UsageError):
        find_runs(tmp_path / "nowhere")


def test_a_curve_is_read_while_it_is_written(tmp_path: Path) -> None:
    rows = f"{HEAD}1,1,3,3,1,9,1\n1,2,2,2,1,9,1\n2,1,1,1,1,9,1\n2,2,0.5"
    points, names = curve(made(tmp_path, "run", rows=rows))
    assert names == ["loss", "cross-entropy"]
    assert [(point["step"], point["loss"]) for point in points] == [
        (1, 3),
        (2, 2),
        (3, 1),
        (4, 0.5),
    ]
    assert curve(made(tmp_path, "new")) == ([], [])


def test_a_long_curve_is_thinned_and_keeps_its_end(tmp_path: Path) -> None:
    rows = HEAD + "".join(f"1,{step},1,1,1,1,1\n" for step in range(1, 2_502))
    points, _ = curve(made(tmp_path, "run", rows=rows))
    assert len(points) <= 1_001
    assert (points[0]["step"], points[-1]["step"]) == (1, 2_501)


def test_samples_stand_side_by_side(tmp_path: Path) -> None:
    run = made(tmp_path, "run")
    assert samples(run) == []
    rows = [{"question": "Who?", "found": [{"text": "a", "score": 1}, {"text": "b"}]}]
    (run / "samples-before.jsonl").write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    assert samples(run) == [{"question": "Who?", "found": "a; b"}]
    later = {"question": "Who?", "found": [{"text": "c"}]}
    (run / "samples-after.jsonl").write_text(json.dumps(later) + "\n", encoding="utf-8")
    assert samples(run) == [{"question": "Who?", "found, before": "a; b", "found, after": "c"}]
    (run / "samples-after.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(StorageError):
        samples(run)


def test_records_are_read_and_damage_is_said(tmp_path: Path) -> None:
    run = made(tmp_path, "run")
    assert record(run, "evaluation.json") == {}
    assert recipe_text(run) == "name: toy\n"
    (run / "evaluation.json").write_text("{", encoding="utf-8")
    with pytest.raises(StorageError, match="damaged"):
        record(run, "evaluation.json")
    assert {path.stem for path in shipped_recipes()} >= {"span-smoke", "reader-span"}


def test_a_recipe_runs_as_a_job_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(tiny.span_recipe(tmp_path)), encoding="utf-8")
    runs, job, report = tmp_path / "runs", tmp_path / "job", tmp_path / "estimate.json"
    job.mkdir()
    command = ["distill", "run", str(recipe), "--out", str(runs), "--job", str(job)]
    assert assistant([*command, "--dry-run", "--report", str(report)]) == 0
    assert json.loads(report.read_text(encoding="utf-8"))["steps"] > 0
    assert not runs.exists()
    assert assistant([*command, "--go-on"]) == 0  # there is none to go on with
    progress, ended = read_progress(job)
    assert ended is True
    assert progress[0].done == progress[0].total
    (found,) = find_runs(runs)
    assert found.state == "finished"
    state = json.loads((found.folder / "state.json").read_text(encoding="utf-8"))
    (found.folder / "state.json").write_text(
        json.dumps({**state, "state": "started"}), encoding="utf-8"
    )
    assert assistant([*command, "--go-on"]) == 0
    assert len(find_runs(runs)) == 1
