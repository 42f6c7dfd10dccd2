"""What one section of a recipe forbids in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.distillation.recipe import Recipe

# Teachers whose distributions are the same whenever they are asked, of any input.
_MODELS = ("model", "checkpoint", "ensemble")


def contradiction(recipe: Recipe) -> str | None:
    """What does not fit together, in a sentence with its remedy; None where all does."""
    kind = recipe.teacher.kind
    if recipe.export.gguf and recipe.student.adapter is None:
        return "'export.gguf' writes an adapter, and 'student.adapter' is full"
    if kind == "classroom" and recipe.sampling.kind != "teacher-forced":
        return (
            "a classroom asks who knows the right choice, and what the student writes itself has "
            "none: set 'sampling.kind' to teacher-forced"
        )
    if (tune := recipe.teacher.tune) is not None:
        if tune.part == "prompt" and recipe.task.name != "causal":
            return (
                "a prompt goes before what a causal model reads, and the task is "
                f"{recipe.task.name}: tune an adapter"
            )
        if tune.part == "prompt" and recipe.sampling.teacher_mix:
            return (
                "a teacher with a prompt cannot write beside the student: set "
                "'sampling.teacher_mix' to 0"
            )
        if recipe.loop.generations > 1:
            return (
                "'teacher.tune' has no meaning for later generations, whose teacher is the one "
                "before: set 'loop.generations' to 1"
            )
        if recipe.curriculum.domains is not None:
            return (
                "'curriculum.domains' measures the teacher, and 'teacher.tune' changes it: "
                "leave one of them out"
            )
    if kind in _MODELS:
        return None
    one_of = f"give 'teacher.kind' one of {', '.join(_MODELS)}"
    if recipe.curriculum.order == "disagreement":
        return (
            "'curriculum.order' disagreement compares the student with a teacher that is a model: "
            + one_of
        )
    if recipe.curriculum.domains is not None:
        return "'curriculum.domains' compares the student with a teacher that is a model: " + one_of
    return None
