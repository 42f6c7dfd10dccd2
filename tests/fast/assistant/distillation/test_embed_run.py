"""Runs of a smaller embedder from recipe to export, with a tiny encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from assistant.distillation.exported import load_exported
from assistant.distillation.rebasing import main
from assistant.distillation.run import run_recipe
from assistant.errors import UsageError
from tests.fast.assistant.distillation import tiny


def test_a_smaller_student_comes_near_its_teacher(tmp_path: Path) -> None:
    loop = {"steps": 120, "learning_rate": 0.01, "log_every": 30}
    recipe = tiny.read(tiny.embed_recipe(tmp_path, loop=loop), tmp_path)
    folder = run_recipe(recipe, tmp_path / "runs")
    rows = folder.table("curves.csv")
    for name in ("cosine", "rkd-distance", "forward-kl"):
        assert float(rows[-1][name]) < float(rows[0][name]), name
    measures = folder.read_json("evaluation.json")
    assert measures["cosine"] > 0.9
    assert measures["mrr"] > 0.8 * measures["teacher_mrr"]
    assert folder.read_lines("samples-after.jsonl")[0]["nearest"]

    model, _, description = load_exported(folder.path / "export")
    assert model.config.num_hidden_layers == 1
    assert not [name for name in description["tensors"] if "word_embeddings" in name]


def test_without_a_teacher_pairs_are_contrasted(tmp_path: Path) -> None:
    recipe = tiny.embed_recipe(
        tmp_path, teacher={"kind": "none"}, losses=[{"name": "cross-entropy"}], loop={"steps": 20}
    )
    folder = run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
    rows = folder.table("curves.csv")
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert set(folder.read_json("evaluation.json")) == {"mrr"}


def test_a_loss_of_vectors_is_refused_in_another_task(tmp_path: Path) -> None:
    recipe = tiny.pair_recipe(tmp_path, losses=[{"name": "cosine"}])
    with pytest.raises(UsageError, match="compares vectors"):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")


def test_vectors_are_carried_over(tmp_path: Path) -> None:
    losses = [{"name": "cosine", "weight": 0.1}, {"name": "wasserstein", "epsilon": 0.1}]
    recipe = tiny.embed_recipe(tmp_path, losses=losses, loop={"steps": 30, "learning_rate": 0.01})
    rows = run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs").table("curves.csv")
    assert float(rows[-1]["wasserstein"]) < float(rows[0]["wasserstein"])


def test_plain_lines_are_texts_too(tmp_path: Path) -> None:
    lines = [
        f"{n} lives at the mill in a garden . Who lives at the tower in a school ?"
        for n in tiny.NAMES
    ]
    (tmp_path / "texts.txt").write_text("\n".join(lines), encoding="utf-8")
    recipe = tiny.embed_recipe(tmp_path, data=[{"source": "texts", "path": "texts.txt", "kept": 0}])
    folder = run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
    assert folder.read_json("data.json")["counts"]["examples"] == 8


def test_tokens_and_first_numbers_are_learnt(tmp_path: Path) -> None:
    tiny.encoder(tmp_path / "teacher", seed=5)
    made = tiny.embed_recipe(
        tmp_path,
        task={"prefixes": [4, 8]},
        student={"dropout": 0.0},
        teacher={"path": "./teacher"},
        losses=[{"name": "token-gram", "weight": 9}, {"name": "matryoshka", "sizes": [4, 8]}],
        loop={"steps": 20},
    )
    folder = run_recipe(tiny.read(made, tmp_path), tmp_path / "runs")
    rows = folder.table("curves.csv")
    for name in ("token-gram", "matryoshka"):
        assert float(rows[-1][name]) < float(rows[0][name]), name
    measures = folder.read_json("evaluation.json")
    assert 0 < measures["mrr_4"] <= 1 and 0 < measures["mrr_8"] <= 1


def test_what_went_on_from_a_student_goes_back_to_its_first_base(tmp_path: Path) -> None:
    first = run_recipe(tiny.read(tiny.embed_recipe(tmp_path), tmp_path), tmp_path / "runs")
    model, words, _ = load_exported(first.path / "export")
    for part in (model, words):
        part.save_pretrained(tmp_path / "between")
    made = tiny.embed_recipe(
        tmp_path,
        name="second",
        student={"model": str(tmp_path / "between"), "layers": None},
        loop={"steps": 3, "learning_rate": 0.01},
    )
    second = run_recipe(tiny.read(made, tmp_path), tmp_path / "runs").path / "export"

    base, to = tmp_path / "encoder", tmp_path / "shipped"
    command = [str(second), "--base", str(base), "--name", "minilm", "--to", str(to)]
    assert main(command) == 0
    (to / "local.json").unlink()  # as it is passed on
    expected, _, _ = load_exported(second)
    found, _, description = load_exported(to, base=base)
    assert description["base"]["name"] == "minilm" and description["kind"] == "changed"
    assert not [name for name in description["tensors"] if "word_embeddings" in name]
    assert len(description["tensors"]) < len(expected.state_dict())
    for name, value in expected.state_dict().items():
        assert torch.allclose(found.state_dict()[name], value, atol=1e-3), name
    tiny.encoder(tmp_path / "stranger", seed=9)
    assert main([str(second), "--base", str(tmp_path / "stranger"), *command[3:]]) == 2
