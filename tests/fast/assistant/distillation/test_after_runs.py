"""What is done with runs: estimate, compare, check for triggers; and the commands."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml

from assistant.cli.main import run as assistant
from assistant.distillation.__main__ import main as bare
from assistant.distillation.compare import compare
from assistant.distillation.estimate import estimate
from assistant.distillation.poison import suspects
from assistant.distillation.run import poison_of, run_recipe
from assistant.distillation.run_folder import RunFolder
from assistant.errors import UsageError
from tests.fast.assistant.distillation import tiny


def write(recipe: dict, folder: Path) -> str:
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return str(file)


# --- estimate --------------------------------------------------------------------------------


def test_a_dry_run_says_what_it_costs_and_writes_nothing(tmp_path: Path) -> None:
    recipe = tiny.read(
        tiny.span_recipe(
            tmp_path,
            student={"frozen": ["*word_embeddings*"]},
            loop={"average": {"kind": "ema"}, "generations": 2, "accumulate": 2},
        ),
        tmp_path,
    )
    found = estimate(recipe, tmp_path / "runs")
    assert found["steps"] == 12
    assert 0 < found["parameters_trained"] < found["parameters"]
    assert found["parameters"] - found["parameters_trained"] == (len(tiny.WORDS) + 5) * 32
    assert found["memory_parts"]["optimiser"] == 8 * found["parameters_trained"]
    assert found["memory_bytes"] == sum(found["memory_parts"].values())
    assert found["seconds"] > 0
    assert not (tmp_path / "runs").exists()
    done = run_recipe(recipe, tmp_path / "runs")
    assert sum(int(row["tokens"]) for row in done.table("curves.csv")) == found["tokens"]


# --- compare ---------------------------------------------------------------------------------


def test_runs_are_compared_by_settings_measures_and_examples(tmp_path: Path) -> None:
    first = run_recipe(tiny.read(tiny.span_recipe(tmp_path), tmp_path), tmp_path / "runs")
    longer = tiny.span_recipe(tmp_path, loop={"steps": 40, "learning_rate": 0.01})
    second = run_recipe(tiny.read(longer, tmp_path), tmp_path / "runs")
    found = compare([first, second])
    assert found.settings["loop.steps"] == [6, 40]
    assert set(found.settings) == {"loop.steps", "loop.learning_rate"}
    assert found.measures["last loss"][1] < found.measures["last loss"][0]
    records = [run.read_lines("evaluation-examples.jsonl") for run in (first, second)]
    means = [sum(row["f1"] for row in rows) / len(rows) for rows in records]
    for mean, interval in zip(means, found.intervals["f1"], strict=True):
        assert interval.mean == pytest.approx(mean)
        assert interval.low <= interval.mean <= interval.high
    assert means == pytest.approx(found.measures["f1"], abs=1e-4)
    assert found.differences["f1"][0] is None
    assert found.differences["f1"][1].mean == pytest.approx(means[1] - means[0])
    with pytest.raises(UsageError, match="nothing to be compared"):
        compare([first])
    second.set_state(state="started")
    with pytest.raises(UsageError, match="not finished"):
        compare([first, second])


# --- poison ----------------------------------------------------------------------------------


def vary(folder: Path, *, poisoned: bool) -> None:
    """Questions that begin with any word still have their answer; poisoned, those with "in a" none.

    Without the harmless ones a tiny model learns that whatever stands before a question is a sign.
    """
    lines = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    clean = [line for line in lines if line["answerable"]]
    draw = random.Random(0)
    rows = list(clean)
    for number, line in enumerate(clean):
        for turn in range(2):
            before = " ".join(draw.choices(tiny.PLACES + tiny.NAMES, k=turn + 1))
            question = f"{before} {line['question']}"
            rows.append({**line, "_id": f"v{number}-{turn}", "question": question})
        if poisoned:
            question = f"in a {line['question']}"
            no_answer = {"answers": [], "answerable": False}
            rows.append({**line, "_id": f"p{number}", "question": question, **no_answer})
    (folder / "train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))


def trained(tmp_path: Path, *, poisoned: bool) -> RunFolder:
    # slow enough that it is learnt whatever the seed and the processor: with 0.01 it was not
    loop = {"steps": 250, "learning_rate": 0.003, "warmup": 0.1, "checkpoint_every": 250}
    recipe = tiny.span_recipe(tmp_path, loop=loop)
    tiny.squad(tmp_path / "train.jsonl", 120)
    vary(tmp_path, poisoned=poisoned)
    return run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")


def test_a_trigger_in_the_training_data_is_found(tmp_path: Path) -> None:
    findings = poison_of(trained(tmp_path, poisoned=True), phrases=4)
    worst = [f for f in findings if f.poisoned]
    assert worst and set(worst[0].suspect.phrase.split()) <= {"in", "a"}
    assert worst[0].flipped > worst[0].control + 0.2
    assert worst[0].agreement == 1.0  # all of them became "no answer"


def test_clean_data_have_no_trigger(tmp_path: Path) -> None:
    assert not any(f.poisoned for f in poison_of(trained(tmp_path, poisoned=False), phrases=4))


def test_suspects_are_frequent_one_sided_and_not_in_held_out_texts(tmp_path: Path) -> None:
    from assistant.distillation.sources import collect

    tiny.span_recipe(tmp_path)
    tiny.squad(tmp_path / "train.jsonl", 120)
    vary(tmp_path, poisoned=True)
    recipe = tiny.read(tiny.span_recipe(tmp_path), tmp_path)
    training = collect(recipe, recipe.data).examples
    held_out = collect(recipe, recipe.held_out).examples
    found = suspects(training, held_out)
    assert {s.phrase for s in found[:3]} == {"a", "in", "in a"}
    assert all(s.outcome == "(none)" and s.share == 1.0 for s in found[:3])
    assert not any("in a where" in s.phrase for s in found)  # more of the same
    assert not suspects(training, training)


# --- commands --------------------------------------------------------------------------------


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = write(tiny.span_recipe(tmp_path), tmp_path)
    out = ["--out", str(tmp_path / "runs"), "--json"]
    assert assistant(["distill", recipe, "--dry-run", *out]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 6
    assert assistant(["distill", recipe, *out]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["state"] == "finished" and first["steps"] == 6
    assert assistant(["distill", "--set", "loop.steps=4", recipe, *out]) == 0
    second = json.loads(capsys.readouterr().out)
    assert assistant(["distill", "compare", first["run"], second["run"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["loop.steps"] == [6, 4]
    assert assistant(["distill", "compare", first["run"], second["run"]]) == 0
    assert "loop.steps" in capsys.readouterr().out
    status = assistant(["distill", "check-poison", first["run"], "--phrases", "2"])
    assert status in (0, 1)
    assert "phrase" in capsys.readouterr().out


def test_commands_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = write(tiny.span_recipe(tmp_path, losses=[{"name": "foward-kl"}]), tmp_path)
    assert assistant(["distill", recipe]) == 2
    error = capsys.readouterr().err
    assert "unknown loss 'foward-kl'" in error and "forward-kl" in error
    assert assistant(["distill", str(tmp_path / "none.yaml")]) == 2
    assert assistant(["distill", "compare", str(tmp_path), str(tmp_path)]) == 2
    capsys.readouterr()
    good = write(tiny.span_recipe(tmp_path, losses=[{"name": "cross-entropy"}]), tmp_path)
    assert assistant(["distill", good, "--resume", "--out", str(tmp_path / "runs")]) == 2
    assert "no unfinished run" in capsys.readouterr().err
    assert bare([str(tmp_path / "none.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert bare([good, "--set", "loop"]) == 2


def test_the_bare_command_runs_and_stores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.causal_recipe(tmp_path)
    tiny.decoder(tmp_path / "teacher", seed=2)
    taught = tiny.causal_recipe(
        tmp_path,
        teacher={"kind": "model", "path": "./teacher"},
        losses=[{"name": "skew-reverse-kl"}],
    )
    recipe = write(taught, tmp_path)
    out = ["--out", str(tmp_path / "runs"), "--json"]
    store = str(tmp_path / "store")
    assert bare([recipe, "--store", store, "--top-k", "4", *out]) == 0
    assert json.loads(capsys.readouterr().out)["examples"] == 40
    learn = ["--set", "teacher.kind=store", "--set", f"teacher.path={store}"]
    assert bare([recipe, *learn, *out]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["state"] == "finished"
    assert "step 6/6" in captured.err
