"""Causal runs from recipe to export, with a tiny decoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from assistant.distillation.exported import load_exported
from assistant.distillation.packing import TokenSequence, collate_packs, make_pack, pack
from assistant.distillation.run import prepare, run_recipe
from assistant.errors import UsageError
from tests.fast.assistant.distillation import tiny

LORA = {"rank": 4, "alpha": 8, "targets": ["q_proj", "k_proj", "v_proj", "up_proj"]}


def losses(folder) -> list[str]:
    return [row["loss"] for row in folder.table("curves.csv")]


def test_packed_rows_are_those_of_each_text_alone(tmp_path: Path) -> None:
    task = prepare(tiny.read(tiny.causal_recipe(tmp_path), tmp_path), tmp_path / "cache").task
    model = task.new_student().eval()
    batch = task.collate([0, 1, 2])
    assert len(batch["keys"]) == 6  # two questions of each passage
    packed = task.rows(model, batch)
    at = 0
    for one in batch["packs"]:
        assert one.shared > 5
        for sequence in one.sequences:
            ids = torch.tensor([[*sequence.prompt, *sequence.completion]])
            alone = model(input_ids=ids).logits[0, len(sequence.prompt) - 1 : -1]
            count = len(sequence.completion)
            torch.testing.assert_close(packed.logits[at : at + count], alone, atol=1e-5, rtol=1e-4)
            assert packed.targets[at : at + count].tolist() == list(sequence.completion)
            at += count
    assert at == len(packed.targets)


def test_packs_keep_to_the_limit_and_a_token_of_their_own() -> None:
    same = [("p", TokenSequence(str(n), (1, 2, 3), (4, 5))) for n in range(4)]
    long = ("q", TokenSequence("long", tuple(range(30)), (1,)))
    packs, left_out = pack([*same, long], 8)
    assert left_out == 1
    assert [len(p.sequences) for p in packs] == [2, 2]
    assert all(p.length <= 8 and p.shared == 2 for p in packs)
    batch = collate_packs(packs, pad=0)
    assert batch["input_ids"].shape == (2, 8)
    assert batch["position_ids"][0].tolist() == [0, 1, 2, 3, 4, 2, 3, 4]
    assert make_pack([same[0][1]]).shared == 0


@pytest.mark.parametrize("adapter", ["full", LORA])
def test_a_run_learns_and_resumed_equals_uninterrupted(tmp_path: Path, adapter) -> None:
    recipe = tiny.read(
        tiny.causal_recipe(
            tmp_path,
            student={"adapter": adapter},
            loop={"steps": 8, "learning_rate": 0.02, "evaluate_every": 4},
        ),
        tmp_path,
    )
    whole = run_recipe(recipe, tmp_path / "whole")
    gain = 0.5 if adapter == "full" else 0.1  # of a random model, an adapter can mend little
    assert float(losses(whole)[-1]) < float(losses(whole)[0]) - gain

    class Killed(BaseException):
        pass

    def kill(generation: int, step) -> None:
        if step.step == 5:
            raise Killed

    with pytest.raises(Killed):
        run_recipe(recipe, tmp_path / "cut", on_step=kill)
    cut = run_recipe(recipe, tmp_path / "cut", resume=True)
    assert losses(cut) == losses(whole)
    assert cut.read_json("evaluation.json") == whole.read_json("evaluation.json")
    assert {"loss", "accuracy", "exact"} <= set(cut.read_json("evaluation.json"))
    assert len(cut.read_lines("samples-after.jsonl")) == 8
    description = json.loads((cut.path / "export/export.json").read_text())
    assert description["kind"] == ("changed" if adapter == "full" else "adapter")
    assert str(tmp_path) not in (cut.path / "export/export.json").read_text()


@pytest.mark.parametrize("mix", [0.0, 0.3])
def test_on_policy_learns_from_its_own_completions_and_resumes(tmp_path: Path, mix: float) -> None:
    tiny.causal_recipe(tmp_path)
    tiny.decoder(tmp_path / "teacher", seed=3)
    recipe = tiny.read(
        tiny.causal_recipe(
            tmp_path,
            teacher={"kind": "model", "path": "./teacher"},
            losses=[
                {"name": "policy-gradient", "teacher_mix": mix},
                {"name": "jsd", "beta": 0.9},
                {"name": "cross-entropy", "weight": 0.1},
            ],
            sampling={"kind": "mixed", "fraction": 0.6, "max_tokens": 5, "teacher_mix": mix},
        ),
        tmp_path,
    )
    whole = run_recipe(recipe, tmp_path / "whole")
    rows = whole.table("curves.csv")
    on_policy = [float(row["cross-entropy"]) == 0 for row in rows]
    assert any(on_policy) and not all(on_policy)

    def kill(generation: int, step) -> None:
        if step.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_recipe(recipe, tmp_path / "cut", on_step=kill)
    cut = run_recipe(recipe, tmp_path / "cut", resume=True)
    assert losses(cut) == losses(whole)


def test_a_teacher_of_another_family_is_refused_with_the_reason(tmp_path: Path) -> None:
    tiny.encoder(tmp_path / "encoder")
    recipe = tiny.causal_recipe(
        tmp_path,
        teacher={"kind": "model", "path": "./encoder"},
        losses=[{"name": "reverse-kl"}],
    )
    with pytest.raises(UsageError, match="another tokenizer"):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")


def test_fewer_layers_are_exported_and_loaded(tmp_path: Path) -> None:
    recipe = tiny.causal_recipe(tmp_path, student={"layers": [1]})
    folder = run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
    model, _, description = load_exported(folder.path / "export")
    assert description["kind"] == "changed"
    assert model.config.num_hidden_layers == 1
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight


def test_a_layer_that_does_not_exist_is_named(tmp_path: Path) -> None:
    recipe = tiny.causal_recipe(tmp_path, student={"layers": [0, 7]})
    with pytest.raises(UsageError, match="layers 0 to 1"):
        run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
