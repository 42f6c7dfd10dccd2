"""Recipes: what is refused and how it is said, two ways, overrides, schedules."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from assistant.distillation.recipe_file import (
    RecipeError,
    dump_recipe,
    load_recipe,
    read_recipe,
)
from assistant.distillation.schedules import Schedule
from tests.fast.assistant.distillation import tiny

TEXT = """\
name: reader
task: {name: span, max_length: 384}
student:
  model: minilm
  frozen: ["*word_embeddings*"]
data:
  - source: squad
    path: train.jsonl
losses:
  - name: cross-entropy
  - name: forward-kl
    temperature: 2
    weight: {schedule: linear, from: 0, to: 1}
loop:
  epochs: 2
  batch_size: 16
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "remedy"),
    [
        ("  epochs: 2", "  epocs: 2", "line 15 (loop.epocs): unknown key 'epocs'", "epochs"),
        ("  model: minilm", "  modell: minilm", "line 4 (student.modell)", "model"),
        (
            "forward-kl",
            "foward-kl",
            "line 11 (losses.1.name): unknown loss 'foward-kl'",
            "forward-kl",
        ),
        ("    temperature: 2", "    temprature: 2", "no parameter 'temprature'", "temperature"),
        ("source: squad", "source: sqad", "line 7 (data.0.source): unknown data source", "squad"),
        ("name: span", "name: spam", "unknown task 'spam'", "span"),
        ("max_length: 384", "max_lenght: 384", "no parameter 'max_lenght'", "max_length"),
        ("    path: train.jsonl", "    pth: train.jsonl", "(data.0.pth", "path"),
        ("  epochs: 2", "  epochs: 0", "line 15 (loop.epochs)", "loop.epochs"),
        ("  epochs: 2", "  epochs: 2\n  steps: 3", "one of 'epochs' and 'steps'", "loop"),
        ("schedule: linear", "schedule: liner", "losses.1.weight.schedule", "losses.1.weight"),
        (
            "name: reader",
            "name: reader\nlosss: []",
            "line 2 (losss): unknown key 'losss'",
            "losses",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_the_nearest_word(
    old: str, new: str, place: str, remedy: str, tmp_path: Path
) -> None:
    assert old in TEXT
    with pytest.raises(RecipeError) as caught:
        read_recipe(TEXT.replace(old, new), tmp_path)
    assert place in caught.value.message
    assert remedy in caught.value.remedy


def test_missing_sections_and_broken_yaml(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="'loop' is missing"):
        read_recipe(TEXT[: TEXT.index("loop:")], tmp_path)
    with pytest.raises(RecipeError, match="line 2: not YAML"):
        read_recipe("name: [a\nb: }", tmp_path)
    with pytest.raises(RecipeError, match="holds no recipe"):
        read_recipe("- a", tmp_path)
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path / "none.yaml")


def test_gguf_needs_an_adapter(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="adapter"):
        read_recipe(TEXT + "export: {gguf: true}\n", tmp_path)


def test_two_ways(tmp_path: Path) -> None:
    recipe = read_recipe(TEXT, tmp_path)
    again = read_recipe(yaml.safe_dump(recipe.dump()), tmp_path)
    assert again == recipe
    assert again.hash == recipe.hash
    assert read_recipe(dump_recipe(recipe), tmp_path / "elsewhere").hash == recipe.hash


def test_the_hash_depends_on_content_and_not_on_the_folder(tmp_path: Path) -> None:
    recipe = read_recipe(TEXT, tmp_path)
    assert read_recipe(TEXT, Path("/somewhere/else")).hash == recipe.hash
    moved = TEXT.replace("path: train.jsonl", "path: /data/train.jsonl")
    assert read_recipe(moved, tmp_path).hash == recipe.hash
    assert read_recipe(TEXT.replace("epochs: 2", "epochs: 3"), tmp_path).hash != recipe.hash


def test_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").write_text("")
    recipe = read_recipe(
        TEXT,
        tmp_path / "recipes",
        {
            "data.0.path": "mine.jsonl",
            "loop.seed": "7",
            "teacher.kind": "none",
            "task.stride": "64",
        },
    )
    assert recipe.data[0].parameters["path"] == str(tmp_path / "mine.jsonl")
    assert recipe.loop.seed == 7
    assert recipe.task.parameters["stride"] == 64
    with pytest.raises(RecipeError, match="no item '4'"):
        read_recipe(TEXT, tmp_path, {"data.4.path": "x"})
    with pytest.raises(RecipeError, match="unknown key 'sed'"):
        read_recipe(TEXT, tmp_path, {"loop.sed": "7"})


def test_recipes_of_the_package_are_valid() -> None:
    names = []
    for file in files("assistant.distillation").joinpath("recipes").iterdir():
        if file.name.endswith(".yaml"):
            names.append(load_recipe(Path(str(file))).name)
    assert "span-smoke" in names and "causal-smoke" in names


def test_schedules() -> None:
    linear = Schedule.model_validate({"schedule": "linear", "from": 2, "to": 4, "begin": 0.5})
    assert [linear.at(p) for p in (0, 0.5, 0.75, 1)] == [2, 2, 3, 4]
    step = Schedule.model_validate({"schedule": "step", "from": 1, "to": 0, "finish": 0.3})
    assert [step.at(p) for p in (0.29, 0.3, 1)] == [1, 0, 0]
    cosine = Schedule.model_validate({"schedule": "cosine", "from": 0, "to": 1})
    assert cosine.at(0.25) == pytest.approx(0.146447, abs=1e-6)
    assert Schedule.model_validate(0.3).at(0.9) == 0.3


@given(
    kind=st.sampled_from(["constant", "linear", "cosine", "step"]),
    start=st.floats(-5, 5),
    stop=st.floats(-5, 5),
    progress=st.floats(0, 1),
    edges=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_schedule_stays_between_its_ends(kind, start, stop, progress, edges) -> None:
    begin, finish = sorted(edges)
    made = Schedule.model_validate(
        {"schedule": kind, "from": start, "to": stop, "begin": begin, "finish": finish}
    )
    assert min(start, stop) - 1e-9 <= made.at(progress) <= max(start, stop) + 1e-9


def test_a_bare_training_machine_is_enough() -> None:
    """`python -m assistant.distillation` and a whole run import nothing of the assistant's rest."""
    code = (
        "import sys; import assistant.distillation.__main__, assistant.distillation.run, "
        "assistant.distillation.reports, assistant.distillation.estimate, "
        "assistant.distillation.logit_store, assistant.distillation.spans.model; "
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    missing_there = {
        "spacy",
        "faiss",
        "langchain_core",
        "typer",
        "streamlit",
        "bm25s",
        "networkx",
        "sqlalchemy",
        "sentence_transformers",
        "numba",
        "matplotlib",
        "gguf",
        "xllamacpp",
        "platformdirs",
    }
    assert missing_there & set(found) <= _that_torch_needs()
    assert "torch" in found and "transformers" in found


def _that_torch_needs() -> set[str]:
    """What torch and transformers import by themselves, here (networkx is torch's own need)."""
    code = (
        "import sys, torch, transformers; from transformers import Trainer; "
        "print(' '.join({name.split('.')[0] for name in sys.modules}))"
    )
    return set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()
    )


def test_tiny_recipes_are_read(tmp_path: Path) -> None:
    assert tiny.read(tiny.span_recipe(tmp_path), tmp_path).task.name == "span"
