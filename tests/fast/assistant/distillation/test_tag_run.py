"""Runs of a tagger from recipe to export, with a tiny encoder and an adapter."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from assistant.distillation.exported import load_exported
from assistant.distillation.losses.supervised import CrossEntropy
from assistant.distillation.run import prepare, run_recipe
from assistant.distillation.tags.model import TagModel
from assistant.distillation.tasks.base import weighted_mean
from assistant.errors import ModelCorruptError, ReadError, UsageError
from assistant.understanding.types import Message
from tests.fast.assistant.distillation import tiny

HISTORY = [
    Message("user", "rosa lives at the mill ."),
    Message("assistant", "karl lives at the bakery ."),
]


def test_a_run_learns_which_words_are_meant(tmp_path: Path) -> None:
    loop = {"steps": 120, "log_every": 40, "evaluate_every": 60}
    folder = run_recipe(tiny.read(tiny.tag_recipe(tmp_path, loop=loop), tmp_path), tmp_path / "r")
    measures = folder.read_json("evaluation.json")
    assert measures["f1"] > 0.9 and measures["average_precision"] > 0.9
    records = folder.read_lines("evaluation-examples.jsonl")
    assert len(records) == 10 and {record["wanted"] for record in records} == {1}
    assert folder.read_lines("samples-after.jsonl")[0]["found"]
    export = folder.path / "export"
    assert json.loads((export / "export.json").read_text())["kind"] == "adapter"
    assert not (export / "model.safetensors").exists()

    tagger = TagModel.load(export, base=tmp_path / "encoder")
    assert tagger.threshold == measures["threshold"]
    tagged = tagger.tag("who lives there ?", HISTORY)
    assert [HISTORY[t.word.message].content[t.word.start : t.word.end] for t in tagged] == [
        "karl",
        "bakery",
        "rosa",
        "mill",
    ]
    assert max(tagged, key=lambda one: one.probability).word.stem == "bakery"
    plain, words, _ = load_exported(export, base=tmp_path / "encoder")
    expected = TagModel(plain, words).tag("who lives there ?", HISTORY)
    chances = [one.probability for one in tagged]
    assert chances == pytest.approx([one.probability for one in expected], abs=1e-4)


def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(tmp_path: Path) -> None:
    recipe = tiny.read(tiny.tag_recipe(tmp_path), tmp_path)
    runs = tiny.cut_and_gone_on_with(recipe, tmp_path, at=5)
    curves = [[row["loss"] for row in run.table("curves.csv")] for run in runs]
    assert curves[0] == curves[1] and len(curves[0]) == 6


def test_the_loss_is_weighted_binary_cross_entropy_over_first_tokens(tmp_path: Path) -> None:
    """Logits (0, x): a needed word costs log(1 + e^−x), another one log(1 + e^x)."""
    recipe = tiny.tag_recipe(
        tmp_path, task={"name": "tag", "max_length": 120, "positive_weight": 3}
    )
    line = {
        "history": [{"role": "user", "content": "mara lives at the mill"}],
        "text": "who lives there ?",
        "resolved": "who lives at the mill ?",
        "weight": 0.5,
    }
    (tmp_path / "said.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    task = prepare(tiny.read(recipe, tmp_path), tmp_path / "cache").task
    batch = task.collate([0])
    # [CLS] who lives [UNK] ? [SEP] [UNK] [UNK] mara lives at the mill [SEP]
    assert batch["words"].tolist() == [8, 12]
    assert batch["targets"].tolist() == [0, 1]
    assert batch["weights"].tolist() == [0.5, 1.5]
    logits = torch.zeros(1, batch["input_ids"].shape[1], 2)
    logits[0, 8, 1], logits[0, 12, 1] = 0.7, -0.3
    rows = task.rows(lambda **_: SimpleNamespace(logits=logits), batch)
    mara, mill = math.log1p(math.exp(0.7)), math.log1p(math.exp(0.3))
    loss = weighted_mean(CrossEntropy()(rows), rows.weights)
    assert loss.item() == pytest.approx((0.5 * mara + 1.5 * mill) / 2.0, rel=1e-6)


def test_a_batch_in_which_nothing_can_be_needed_costs_nothing(tmp_path: Path) -> None:
    recipe = tiny.tag_recipe(tmp_path)
    line = {
        "history": [{"role": "user", "content": "who ?"}],
        "text": "mill ?",
        "resolved": "mill ?",
    }
    (tmp_path / "said.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    task = prepare(tiny.read(recipe, tmp_path), tmp_path / "cache").task
    rows = task.rows(task.new_student(), task.collate([0]))
    assert rows.logits.shape == (0, 2)
    assert weighted_mean(CrossEntropy()(rows), rows.weights).item() == 0.0


def test_another_base_is_refused(tmp_path: Path) -> None:
    folder = run_recipe(tiny.read(tiny.tag_recipe(tmp_path), tmp_path), tmp_path / "runs")
    other = tiny.encoder(tmp_path / "other", seed=7)
    with pytest.raises(ModelCorruptError, match="is not the model that the export builds on"):
        TagModel.load(folder.path / "export", base=other)


def test_a_merged_adapter_says_what_the_trained_model_said(tmp_path: Path) -> None:
    recipe = tiny.read(tiny.tag_recipe(tmp_path, export={"dtype": "float32"}), tmp_path)
    task = prepare(recipe, tmp_path / "cache").task
    student = task.new_student()
    for name, parameter in student.named_parameters():
        if "lora_B" in name:  # zero at first: an adapter that changes nothing would prove nothing
            torch.nn.init.normal_(parameter, std=0.3)
    from assistant.distillation.export import export_model

    export = export_model(
        student, task.tokenizer, recipe, task.base, tmp_path / "export", data_hash=""
    )
    loaded, tokenizer, _ = load_exported(export, base=tmp_path / "encoder")
    assert "peft" not in type(loaded).__module__
    inputs = tokenizer("mara lives at the mill", return_tensors="pt")
    with torch.no_grad():
        ours, theirs = loaded(**inputs).logits, student.eval()(**inputs).logits
    assert np.allclose(ours, theirs, atol=1e-5)
    (export / "tokenizer.json").unlink()  # its base's then
    assert load_exported(export, base=tmp_path / "encoder")[1].get_vocab() == tokenizer.get_vocab()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("lora_B", "half of .* is missing"),
        ("classifier", "does not fit the model"),
        ("settings", "cannot be read"),
    ],
)
def test_a_damaged_adapter_is_refused(tmp_path: Path, damage: str, says: str) -> None:
    from safetensors.torch import load_file, save_file

    folder = run_recipe(tiny.read(tiny.tag_recipe(tmp_path), tmp_path), tmp_path / "runs")
    export = folder.path / "export"
    file = export / "adapter_model.safetensors"
    tensors = load_file(file)
    if damage == "settings":
        (export / "adapter_config.json").write_text("{}", encoding="utf-8")
    for name in [name for name in tensors if damage in name][:1]:
        tensor = tensors.pop(name)
        if damage == "classifier":
            tensors[name] = tensor[:1].clone()
    save_file(tensors, file)
    with pytest.raises(ModelCorruptError, match=says):
        load_exported(export, base=tmp_path / "encoder")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"history": "text"}, "line 2: TypeError"),
        ({"history": [{"role": "system", "content": "x"}]}, "line 2: ValueError: no such role"),
        ({"text": None, "history": [{"role": "user"}]}, "line 2: KeyError"),
    ],
)
def test_lines_that_are_no_conversation_are_named(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    recipe = tiny.tag_recipe(tmp_path)
    file = tmp_path / "said.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[1].update(change)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ReadError, match=says):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")


def test_conversations_that_are_reported_on_are_refused(tmp_path: Path) -> None:
    recipe = tiny.tag_recipe(tmp_path, reporting=["report.jsonl"])
    answer = "the ferry to the island leaves at noon from pier four"
    said = [{"role": "user", "content": "when ?"}, {"role": "assistant", "content": answer}]
    row = {"history": said, "text": "who ?", "resolved": "who leaves at noon then ?"}
    lines = [json.dumps(row), (tmp_path / "said.jsonl").read_text()]
    (tmp_path / "said.jsonl").write_text("\n".join(lines), encoding="utf-8")
    report = tmp_path / "report.jsonl"
    report.write_text(json.dumps({**row, "text": "why ?", "resolved": ""}) + "\n")
    with pytest.raises(UsageError, match="share 1 passages and 0 questions with report"):
        prepare(tiny.read(recipe, tmp_path), tmp_path / "cache")
    other = {"history": [], "text": "Who leaves, at noon, then?"}
    report.write_text(json.dumps(other) + "\n")
    with pytest.raises(UsageError, match="share 0 passages and 1 questions"):
        prepare(tiny.read(recipe, tmp_path), tmp_path / "cache")
