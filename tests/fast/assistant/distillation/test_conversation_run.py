"""Runs of an encoder of messages in their conversations, from recipe to export, all tiny."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assistant.distillation.encoding import encode
from assistant.distillation.exported import load_exported
from assistant.distillation.message_encoder import MessageEncoder
from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.run import prepare, run_recipe
from assistant.distillation.students import load_model, load_tokenizer
from assistant.distillation.teachers import load_teacher, taught
from assistant.errors import ModelCorruptError
from assistant.understanding.types import Message
from indexes.encoders.dense import embedder_fingerprint
from tests.fast.assistant.distillation import tiny


def recipe_of(folder: Path, **changes: Any) -> dict[str, Any]:
    recipe = tiny.tag_recipe(
        folder,
        name="tiny-conversation",
        task={"name": "conversation", "max_length": 120},
        teacher={"kind": "model", "path": "./encoder"},
        losses=[{"name": "cosine"}, {"name": "forward-kl"}],
    )
    recipe["task"].pop("positive_weight")
    return tiny.merged(recipe, changes)


def test_a_run_learns_which_question_a_message_stands_for(tmp_path: Path) -> None:
    loop = {"steps": 300, "learning_rate": 0.003, "log_every": 100, "checkpoint_every": 100}
    recipe = recipe_of(tmp_path, loop=loop, losses=[{"name": "cosine"}])
    recipe["student"] = {"model": "./encoder"}  # two random layers need more than an adapter
    tiny.conversations(tmp_path / "said.jsonl", 200)
    folder = run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
    measures = folder.read_json("evaluation.json")
    assert measures["mrr"] > 0.9 > 0.5 > measures["raw_mrr"]
    assert measures["cosine"] > 0.99
    sample = folder.read_lines("samples-after.jsonl")[0]
    assert sample["nearest"] == sample["resolved"]

    base = tmp_path / "encoder"
    loaded = MessageEncoder.load(folder.path / "export", base=base)
    assert loaded.space == embedder_fingerprint(base)
    line = json.loads((tmp_path / "held-v.jsonl").read_text().splitlines()[0])
    history = [Message(**one) for one in line["history"]]
    vector = loaded.encode(line["text"], history)
    table = TokenTable(load_tokenizer(base), 120)
    plain = load_model(base, "embed").eval()
    meant = encode(plain, table, [line["resolved"]], 120)[0].numpy()
    assert vector.shape == (32,) and float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)
    assert float(vector @ meant) > 0.99
    model, words, _ = load_exported(folder.path / "export", base=base)
    slow = MessageEncoder(model, words, space=loaded.space)
    assert vector == pytest.approx(slow.encode(line["text"], history), abs=1e-5)
    with pytest.raises(ModelCorruptError):
        MessageEncoder.load(folder.path / "export", base=tiny.encoder(tmp_path / "other", seed=3))


def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(tmp_path: Path) -> None:
    recipe = tiny.read(recipe_of(tmp_path), tmp_path)
    runs = tiny.cut_and_gone_on_with(recipe, tmp_path, at=5)
    curves = [[row["loss"] for row in run.table("curves.csv")] for run in runs]
    assert curves[0] == curves[1] and len(curves[0]) == 6


def test_the_vector_is_the_mean_over_the_message_which_sees_what_was_said(tmp_path: Path) -> None:
    task = prepare(tiny.read(recipe_of(tmp_path), tmp_path), tmp_path / "cache").task
    student = task.new_student().eval()
    batch = task.collate([0, 1])
    with torch.no_grad():
        rows = task.rows(student, batch)
        assert rows.representations is not None
        for place in range(2):
            ids = batch["said_input_ids"][place]
            own = int((ids == task.tokenizer.sep_token_id).nonzero()[0]) + 1
            whole = int(batch["said_attention_mask"][place].sum())
            states = student(
                input_ids=ids[None, :whole],
                token_type_ids=batch["said_token_type_ids"][place][None, :whole],
            ).last_hidden_state[0]
            by_hand = torch.nn.functional.normalize(states[:own].mean(0), dim=-1)
            assert torch.allclose(rows.representations[place], by_hand, atol=1e-5)
            alone = student(input_ids=ids[None, :own]).last_hidden_state[0].mean(0)
            assert not torch.allclose(by_hand, alone / alone.norm(), atol=1e-3)


def test_a_teacher_reads_the_question_in_place_of_the_message(tmp_path: Path) -> None:
    recipe = tiny.read(recipe_of(tmp_path), tmp_path)
    task = prepare(recipe, tmp_path / "cache").task
    student = task.new_student().eval()
    teacher = load_teacher(recipe, task, torch.device("cpu"))
    assert teacher is not None
    batch = task.collate([0, 1, 2])
    with torch.no_grad():
        rows = taught(teacher, batch, task.rows(student, batch))
    theirs, ours = rows.teacher_representations, rows.representations
    assert theirs is not None and ours is not None
    assert torch.allclose(theirs[:3], theirs[3:])
    # an adapter changes nothing before the first step: both read questions alike, messages not
    assert torch.allclose(ours[3:], theirs[3:], atol=1e-5)
    assert not torch.allclose(ours[:3], theirs[:3], atol=1e-2)
    # a row's own question is its target, other messages that stand for the same are no choices
    assert rows.targets.tolist() == [3, 4, 5, 0, 1, 2]


def test_messages_that_stand_for_one_question_are_no_wrong_choices(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path)
    said = [{"role": "user", "content": "mara lives at the mill ."}]
    lines = [
        {"history": said, "text": "who lives there ?", "resolved": "who lives at the mill ?"},
        {"history": said, "text": "who ?", "resolved": "who lives at the mill ?"},
        {"history": said, "text": "where ?", "resolved": "where does mara live ?"},
    ]
    (tmp_path / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    task = prepare(tiny.read(recipe, tmp_path), tmp_path / "cache").task
    with torch.no_grad():
        logits = task.rows(task.new_student().eval(), task.collate([0, 1, 2])).logits
    hidden = torch.isinf(logits[0]).tolist()
    assert hidden == [True, True, False, False, True, False]
