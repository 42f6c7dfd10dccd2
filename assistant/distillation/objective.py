"""What is minimised: the losses of a recipe with their weights."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.distillation.losses import LOSSES, LossPart
from assistant.distillation.recipe import LossSpec, Recipe
from assistant.distillation.schedules import Schedule
from assistant.distillation.teachers import Teacher
from assistant.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Term:
    """A loss of the recipe, ready to be computed."""

    name: str
    weight: Schedule
    loss: LossPart


def terms(specs: tuple[LossSpec, ...], *, with_teacher: bool) -> list[Term]:
    """The losses of a recipe; those that need a teacher only where there is one."""
    made: list[Term] = []
    for spec in specs:
        loss = LOSSES.get(spec.name)(**spec.parameters)
        if with_teacher or not loss.needs_teacher:
            name = spec.name
            while name in {term.name for term in made}:
                name += "'"
            made.append(Term(name, spec.weight, loss))
    return made


def recipe_terms(recipe: Recipe, teacher: Teacher | None) -> list[Term]:
    """The objective of a recipe.

    Raises:
        TrainingError: every loss needs a teacher, and there is none.
    """
    objective = terms(recipe.losses, with_teacher=teacher is not None)
    if not objective:
        raise TrainingError(
            "every loss of the recipe needs a teacher, and it has none",
            remedy="give it a teacher, or add cross-entropy",
        )
    return objective
