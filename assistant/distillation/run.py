"""From a recipe to a finished run folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from assistant.distillation.batch_plan import plan_batches
from assistant.distillation.checkpoints import last_checkpoint
from assistant.distillation.disagreement import disagreed
from assistant.distillation.disjoint import require_disjoint
from assistant.distillation.domains import DomainBalance
from assistant.distillation.export import add_measures, export_model, write_card
from assistant.distillation.exported import load_exported
from assistant.distillation.foreign import ForeignModel
from assistant.distillation.loop import DistillTrainer, Step, pick_device
from assistant.distillation.objective import recipe_terms
from assistant.distillation.poison import Finding, check_poison
from assistant.distillation.recipe import Recipe
from assistant.distillation.run_folder import CurveWriter, RunFolder, environment, run_name
from assistant.distillation.sources import Collected, collect
from assistant.distillation.tasks import TASKS, Evaluation, Task
from assistant.distillation.teachers import ModelTeacher, load_teacher, teacher_of
from assistant.errors import TrainingError, UsageError

OnStep = Callable[[int, Step], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recipe with its data read and its task ready; nothing is trained yet."""

    recipe: Recipe
    task: Task
    data: Collected
    held_out: Collected

    @property
    def data_record(self) -> dict[str, Any]:
        return {
            "hash": self.data.hash,
            "counts": self.data.counts,
            "held_out_hash": self.held_out.hash,
            "held_out_counts": self.held_out.counts,
        }


def prepare(recipe: Recipe, cache: Path) -> Prepared:
    """Read and tokenise the data, and refuse what cannot be trained or reported on.

    Raises:
        ReadError, UsageError, ModelError: naming what does not fit.
    """
    data = collect(recipe, recipe.data)
    held_out = collect(recipe, recipe.held_out)
    require_disjoint(data.examples, [recipe.path(name) for name in recipe.reporting])
    task = TASKS.get(recipe.task.name)(recipe, cache)
    task.prepare(data.examples, held_out.examples)
    return Prepared(recipe, task, data, held_out)


def run_recipe(
    recipe: Recipe, root: Path, *, resume: bool = False, on_step: OnStep | None = None
) -> RunFolder:
    """Run a recipe, or go on with the run of it that was stopped.

    Args:
        root: where run folders are; converted weights are kept there too.
        on_step: told the generation and what each report says.

    Raises:
        TrainingError: the loss became NaN, or the data changed since the run was started.
        KnowledgeAssistantError: whatever else is wrong with recipe, data, weights or disk.
    """
    folder = RunFolder.resume(root, recipe) if resume else None
    prepared = prepare(recipe, root / "converted")
    if folder is None:
        folder = RunFolder.create(root, recipe)
        folder.write_json("data.json", prepared.data_record)
    elif folder.read_json("data.json")["hash"] != prepared.data.hash:
        raise TrainingError(
            "the data are not those that the run was started with",
            remedy="start it anew, without --resume",
        )
    device = pick_device()
    folder.write_json("environment.json", environment(device.type))
    model: Any = None
    first = int(folder.state["generation"])
    for generation in range(first, recipe.loop.generations + 1):
        model = _train(prepared, folder, generation, device, on_step)
        _export(prepared, folder, generation, model)
    _finish(prepared, folder, device)
    return folder


def finished_run(recipe: Recipe, root: Path, *, on_step: OnStep | None = None) -> RunFolder:
    """The run of a recipe: the finished one that is there, or what `run_recipe` makes of it.

    An unfinished one is gone on with; one that was killed before it had its data is removed.

    Raises:
        As `run_recipe`.
    """
    path = root / run_name(recipe)
    begun = all((path / name).is_file() for name in ("state.json", "data.json"))
    if path.is_dir() and not begun:
        shutil.rmtree(path)
    if begun and (known := RunFolder.open(path)).state["state"] == "finished":
        return known
    return run_recipe(recipe, root, resume=begun, on_step=on_step)


def write_store(
    recipe: Recipe,
    root: Path,
    folder: Path,
    *,
    k: int,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write the log-probabilities of a recipe's teacher for its training data, or go on with it.

    Args:
        k: choices of a row that are kept.
        on_progress: told how many examples are stored.

    Returns:
        The store's folder, examples, teacher and bytes.

    Raises:
        UsageError: the recipe has no teacher that is a model; the folder holds another store.
        StorageError: the disk is full; what is stored stays readable.
    """
    from assistant.distillation.logit_store import LogitStore, StoreIdentity, store_logits

    prepared = prepare(recipe, root / "converted")
    teacher = load_teacher(recipe, prepared.task, pick_device())
    if not isinstance(teacher, ModelTeacher) or teacher.beside is not None:
        raise UsageError(
            "only the log-probabilities of a model that stays as it is can be stored",
            remedy="give the recipe a teacher of kind model, checkpoint or ensemble without 'tune'",
        )
    if any(isinstance(model, ForeignModel) for model in teacher.models):
        raise UsageError(
            "log-probabilities of another tokenizer cannot be stored",
            remedy="learn from that teacher while it runs",
        )
    store = LogitStore.create(folder, StoreIdentity.of(prepared.task, teacher.id), k)
    for done in store_logits(prepared.task, teacher, store):
        if on_progress is not None:
            on_progress(done)
    return {
        "store": str(folder),
        "examples": len(store),
        "teacher": teacher.id,
        "bytes": sum(file.stat().st_size for file in folder.iterdir()),
    }


def poison_of(folder: RunFolder, *, phrases: int = 20, inputs: int = 60) -> list[Finding]:
    """Check a finished run for trigger phrases in its training data.

    Raises:
        UsageError: the run is not finished, or has no held-out data.
    """
    if folder.state["state"] != "finished":
        raise UsageError(f"{folder.path.name} is not finished", remedy="go on with it by --resume")
    recipe = folder.recipe
    if not recipe.held_out:
        raise UsageError(
            "the run has no held-out data, into which phrases could be put",
            remedy="give its recipe 'held_out'",
        )
    prepared = prepare(recipe, folder.path.parent / "converted")
    model, _, _ = load_exported(folder.path / "export")
    model.to(pick_device())
    return check_poison(
        prepared.task,
        model,
        prepared.data.examples,
        prepared.held_out.examples,
        most=phrases,
        inputs=inputs,
    )


def _train(
    prepared: Prepared,
    folder: RunFolder,
    generation: int,
    device: torch.device,
    on_step: OnStep | None,
) -> Any:
    recipe, task = prepared.recipe, prepared.task
    checkpoint = last_checkpoint(folder.checkpoints(generation))
    torch.manual_seed(recipe.loop.seed + 1000 * generation)
    model = task.new_student().to(device)
    if generation == 1 and not (folder.path / "samples-before.jsonl").is_file():
        folder.write_lines("samples-before.jsonl", task.samples(model))
    # Born-again networks (Furlanello et al., 2018, arXiv 1805.04770): each generation learns from
    # the one before.
    teacher = (
        load_teacher(recipe, task, device, model)
        if generation == 1 or recipe.teacher.kind == "momentum"
        else teacher_of(task, [_exported(folder, generation - 1)], device, recipe.teacher.top_k)
    )
    units = task.units
    plan = plan_batches(
        units.lengths,
        units.difficulty,
        recipe.loop,
        recipe.curriculum,
        generation=generation,
        among=disagreed(task, folder, generation, model, teacher),
    )
    done = int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
    curves = CurveWriter(folder, "curves.csv", (generation, done))
    evaluations = CurveWriter(folder, "evaluations.csv", (generation, done))
    measured = CurveWriter(folder, "domains.csv", (generation, done if checkpoint else -1))

    def report(step: Step) -> None:
        curves.add(_row(generation, step))
        if on_step is not None:
            on_step(generation, step)

    def tell(domains: list[dict[str, Any]]) -> None:
        for domain in domains:
            measured.add({"generation": generation, **domain})

    def evaluate(step: int, evaluated: Any) -> None:
        measures = task.evaluate(evaluated).measures
        if measures:
            evaluations.add({"generation": generation, "step": step, **measures})

    trainer = DistillTrainer(
        task,
        model,
        plan,
        recipe_terms(recipe, teacher),
        teacher,
        folder.checkpoints(generation),
        on_step=report,
        on_evaluate=evaluate,
        domains=(
            DomainBalance(task, model, teacher, plan, tell) if recipe.curriculum.domains else None
        ),
    )
    trainer.run(checkpoint)
    return trainer.model


def _row(generation: int, step: Step) -> dict[str, Any]:
    return {
        "generation": generation,
        "step": step.step,
        "loss": step.loss,
        **step.terms,
        "learning_rate": step.learning_rate,
        "gradient_norm": step.gradient_norm,
        "tokens": step.tokens,
        "seconds": step.seconds,
    }


def _exported(folder: RunFolder, generation: int) -> Path:
    last = generation == folder.recipe.loop.generations
    return folder.path / ("export" if last else f"export-{generation}")


def _export(prepared: Prepared, folder: RunFolder, generation: int, model: Any) -> None:
    task = prepared.task
    export_model(
        model.to("cpu"),
        task.tokenizer,
        prepared.recipe,
        task.base,
        _exported(folder, generation),
        data_hash=prepared.data.hash,
    )
    folder.set_state(generation=generation + 1)


def _finish(prepared: Prepared, folder: RunFolder, device: torch.device) -> None:
    """Evaluate what was exported, as it was exported, and write what a reader looks at first."""
    from assistant.distillation.plotting import plot_curves

    task = prepared.task
    export = folder.path / "export"
    model, _, _ = load_exported(export)
    model.to(device)
    # in float32, as it runs on an ordinary computer
    result: Evaluation = task.evaluate(model, precision="fp32")
    folder.write_json("evaluation.json", result.measures)
    folder.write_lines("evaluation-examples.jsonl", result.examples)
    folder.write_lines("samples-after.jsonl", task.samples(model))
    add_measures(export, result.measures)
    write_card(export, prepared.recipe, data=prepared.data_record, measures=result.measures)
    plot_curves(folder)
    folder.set_state(state="finished")
