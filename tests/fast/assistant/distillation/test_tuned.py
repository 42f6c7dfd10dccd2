"""A teacher of whom a part learns beside the student."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from assistant.distillation.packing import attention
from assistant.distillation.prompted import Prompted
from assistant.distillation.run import prepare, run_recipe, write_store
from assistant.distillation.tasks.base import weighted_mean
from assistant.distillation.teachers import load_teacher
from assistant.distillation.tuned import TunedTeacher
from assistant.errors import UsageError
from tests.fast.assistant.distillation import tiny

LOSSES = [{"name": "cross-entropy"}, {"name": "forward-kl", "weight": 0.5}]
ADAPTER = {"part": "adapter", "rank": 2, "targets": ["query", "value"], "learning_rate": 0.01}
PROMPT = {"part": "prompt", "length": 3, "learning_rate": 0.05}
CPU = torch.device("cpu")


def span(folder: Path, **changes: Any) -> dict[str, Any]:
    tiny.encoder(folder / "teacher", seed=7)
    teacher = {"kind": "model", "path": "./teacher", "tune": ADAPTER}
    return tiny.span_recipe(folder, **{"teacher": teacher, "losses": LOSSES, **changes})


def causal(folder: Path, **changes: Any) -> dict[str, Any]:
    tiny.decoder(folder / "teacher", seed=7)
    teacher = {"kind": "model", "path": "./teacher", "tune": PROMPT}
    return tiny.causal_recipe(folder, **{"teacher": teacher, "losses": LOSSES, **changes})


def opened(recipe: dict[str, Any], folder: Path) -> tuple[TunedTeacher, Any, Any]:
    """The teacher, a batch, and the student's rows of it."""
    prepared = prepare(tiny.read(recipe, folder), folder / "cache")
    task = prepared.task
    torch.manual_seed(0)
    student = task.new_student().eval()
    teacher = load_teacher(prepared.recipe, task, CPU, student)
    assert isinstance(teacher, TunedTeacher)
    batch = task.collate([0, 1, 2])
    return teacher, batch, task.rows(student, batch)


@pytest.mark.parametrize("made", [span, causal])
def test_only_the_part_is_trained_and_it_comes_nearer_to_the_student(
    tmp_path: Path, made: Any
) -> None:
    teacher, batch, rows = opened(made(tmp_path), tmp_path)
    [model] = teacher.models
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = []
    for step in range(30):
        taught = teacher.teach(batch, rows)
        assert taught.teacher is not None and not taught.teacher.logprobs.requires_grad
        losses.append(teacher.loss.item())
        teacher.beside.update(step, 0.0)
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert changed == set(teacher.beside.weights)
    assert all("lora_" in name or name == "prompt" for name in changed)
    assert losses[-1] < losses[0]


def test_loss_of_an_adapter_by_hand(tmp_path: Path) -> None:
    teacher, batch, rows = opened(span(tmp_path), tmp_path)
    taught = teacher.teach(batch, rows).teacher
    assert taught is not None
    p, q = taught.logprobs, torch.log_softmax(rows.logits.detach(), -1)
    right = -p.gather(-1, rows.targets[:, None])[:, 0]
    terms = torch.where(q > -torch.inf, p.exp() * (p - q), torch.zeros(()))
    expected = weighted_mean(right + terms.sum(-1), rows.weights)
    assert teacher.loss.item() == pytest.approx(expected.item(), rel=1e-4)


def test_an_adapter_begins_without_any_effect(tmp_path: Path) -> None:
    teacher, batch, rows = opened(span(tmp_path), tmp_path)
    plain = teacher._task.rows(teacher._plain, batch).logits
    with torch.no_grad():
        taught = teacher.teach(batch, rows).teacher
    assert taught is not None and teacher.loss == 0
    torch.testing.assert_close(taught.logprobs, torch.log_softmax(plain, -1))


def test_a_prompt_stands_before_every_branch_of_a_pack(tmp_path: Path) -> None:
    """What a packed text gives is what the text alone gives, both with the prompt in front."""
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(tiny.decoder(tmp_path / "m"))
    prompted = Prompted(model.eval(), 3)
    shared, one, two = [5, 6], [7, 8], [9, 10, 11]

    def states(ids: list[int], branch: list[int], positions: list[int]) -> torch.Tensor:
        with torch.no_grad():
            return prompted.get_decoder()(
                input_ids=torch.tensor([ids]),
                attention_mask=attention(torch.tensor([branch])),
                position_ids=torch.tensor([positions]),
                use_cache=False,
            ).last_hidden_state[0]

    packed = states(shared + one + two, [0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 3, 2, 3, 4])
    alone = states(shared + two, [0, 0, 1, 1, 1], [0, 1, 2, 3, 4])
    torch.testing.assert_close(packed[4:], alone[2:])
    embedded = torch.cat(
        [
            prompted.prompt.detach(),
            model.get_input_embeddings()(torch.tensor(shared + two)).detach(),
        ]
    )
    with torch.no_grad():  # and what the model gives for these vectors one after the other
        plain = model.get_decoder()(inputs_embeds=embedded[None]).last_hidden_state[0]
    torch.testing.assert_close(alone, plain[3:])
    assert len(packed) == 7


@pytest.mark.parametrize(
    ("made", "changes"),
    [(span, {}), (causal, {}), (causal, {"sampling": {"kind": "mixed"}})],
)
def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(
    tmp_path: Path, made: Any, changes: dict[str, Any]
) -> None:
    recipe = tiny.read(made(tmp_path, student={"dropout": 0.0}, **changes), tmp_path)
    runs = tiny.cut_and_gone_on_with(recipe, tmp_path, at=5)
    curves = [[(row["loss"], row["teacher"]) for row in run.table("curves.csv")] for run in runs]
    assert curves[0] == curves[1] and len(curves[0]) == 6
    kept = list((runs[0].path / "checkpoints").rglob("tuned-teacher.pt"))
    assert kept and not list((runs[0].path / "export").rglob("*tuned*"))


def test_gradient_of_accumulated_batches_is_their_mean(tmp_path: Path) -> None:
    made = span(tmp_path, loop={"accumulate": 2})
    teacher, batch, rows = opened(made, tmp_path)
    teacher.teach(batch, rows)
    teacher.teach(batch, rows)
    twice = {n: w.grad.clone() for n, w in teacher.beside.weights.items() if w.grad is not None}
    single, batch, rows = opened({**made, "loop": {**made["loop"], "accumulate": 1}}, tmp_path)
    single.teach(batch, rows)
    assert twice
    for name, gradient in twice.items():
        torch.testing.assert_close(gradient, single.beside.weights[name].grad)


def test_a_pair_teacher_can_be_tuned(tmp_path: Path) -> None:
    first = run_recipe(tiny.read(tiny.pair_recipe(tmp_path), tmp_path), tmp_path / "runs")
    export = str(first.path / "export")
    teacher = {"kind": "checkpoint", "path": export, "tune": ADAPTER}
    made = tiny.pair_recipe(tmp_path, name="second", teacher=teacher)
    run = run_recipe(tiny.read(made, tmp_path), tmp_path / "runs")
    assert all(float(row["teacher"]) > 0 for row in run.table("curves.csv"))
    made["task"]["exits"] = [2]
    with pytest.raises(UsageError, match="other rows"):
        run_recipe(tiny.read(made, tmp_path), tmp_path / "runs")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tune": {"part": "prompt"}}, "prompt goes before what a causal model reads"),
        ({"tune": {**ADAPTER, "targets": ["nowhere"]}}, r"teacher\.tune"),
        ({"tune": {"part": "adapter"}}, "targets"),
        ({"kind": "momentum", "tune": ADAPTER}, "one model"),
    ],
)
def test_what_cannot_be_tuned_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    made = span(tmp_path)
    made["teacher"] = {**made["teacher"], **change}
    with pytest.raises(UsageError, match=message):
        run_recipe(tiny.read(made, tmp_path), tmp_path / "runs")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loop": {"generations": 2}}, "generations"),
        ({"curriculum": {"domains": {"every": 2}}}, "measures the teacher"),
    ],
)
def test_what_does_not_go_with_a_teacher_that_changes(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    made = span(tmp_path, **change)
    with pytest.raises(UsageError, match=message):
        run_recipe(tiny.read(made, tmp_path), tmp_path / "runs")


def test_a_teacher_with_a_prompt_does_not_write(tmp_path: Path) -> None:
    sampling = {"kind": "on-policy", "teacher_mix": 0.2}
    with pytest.raises(UsageError, match="teacher_mix"):
        run_recipe(tiny.read(causal(tmp_path, sampling=sampling), tmp_path), tmp_path / "runs")


def test_there_is_nothing_of_it_to_store(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stays as it is"):
        write_store(tiny.read(span(tmp_path), tmp_path), tmp_path, tmp_path / "store", k=2)
