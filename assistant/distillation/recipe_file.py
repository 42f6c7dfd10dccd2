"""Reading recipes: what is wrong is said with its place, its line and the nearest known word."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from assistant.distillation.recipe import Recipe, map_paths
from assistant.errors import UnknownNameError, UsageError

Place = tuple[str | int, ...]


class RecipeError(UsageError):
    """A recipe that cannot be run as it is written."""


def load_recipe(path: Path, overrides: Mapping[str, str] | None = None) -> Recipe:
    """Read, change and check a recipe.

    Args:
        path: the YAML file; its folder is where relative paths begin.
        overrides: new values by place, such as {"loop.epochs": "2", "data.0.path": "a.jsonl"}.

    Raises:
        RecipeError: not readable, no YAML, an unknown key or part, a wrong value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(
            f"the recipe {path} cannot be read: {error}", remedy="give the path of a YAML file"
        ) from error
    return read_recipe(text, path.absolute().parent, overrides, name=path.name)


def read_recipe(
    text: str,
    folder: Path,
    overrides: Mapping[str, str] | None = None,
    *,
    name: str = "recipe",
) -> Recipe:
    """As `load_recipe`, from text."""
    try:
        data = yaml.safe_load(text)
        lines = dict(_lines(yaml.compose(text, Loader=yaml.SafeLoader)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise RecipeError(
            f"{name}{where}: not YAML: {problem}", remedy="mind indentation and quotes"
        ) from error
    if not isinstance(data, dict):
        raise RecipeError(f"{name} holds no recipe", remedy="it begins with 'name:'")
    for key, value in (overrides or {}).items():
        _override(data, key, value)
    try:
        recipe = Recipe.model_validate({**data, "folder": folder})
        _check_parts(recipe)
    except ValidationError as error:
        raise _explained(error, data, lines, name) from error
    except _PartError as error:
        raise RecipeError(
            f"{name}, {_spot(error.place, lines)}: {error.message}", remedy=error.remedy
        ) from error
    return recipe


def dump_recipe(recipe: Recipe) -> str:
    """As YAML, with absolute paths: it can be run again from anywhere."""

    def absolute(text: str) -> str:
        found = recipe.path(text)
        return str(found) if found.exists() else text

    return yaml.safe_dump(
        map_paths(recipe.dump(), absolute), sort_keys=False, allow_unicode=True, width=100
    )


class _PartError(Exception):
    def __init__(self, place: Place, message: str, remedy: str) -> None:
        super().__init__(message)
        self.place, self.message, self.remedy = place, message, remedy


def _check_parts(recipe: Recipe) -> None:
    from assistant.distillation.losses import LOSSES
    from assistant.distillation.sources import SOURCES
    from assistant.distillation.tasks import TASKS

    _check(("task",), "name", recipe.task.name, recipe.task.parameters, TASKS)
    for number, loss in enumerate(recipe.losses):
        _check(("losses", number), "name", loss.name, loss.parameters, LOSSES)
    for section in ("data", "held_out"):
        for number, spec in enumerate(getattr(recipe, section)):
            _check((section, number), "source", spec.source, spec.parameters, SOURCES)


def _check(place: Place, key: str, name: str, parameters: dict[str, Any], registry: Any) -> None:
    try:
        part: type[BaseModel] = registry.get(name)
        options = getattr(part, "Options", part)
        options(**parameters)
    except UnknownNameError as error:
        raise _PartError((*place, key), error.message, error.remedy) from error
    except ValidationError as error:
        first = _worst(error)
        where = (*place, *first["loc"])
        if first["type"] == "extra_forbidden":
            known = [*options.model_fields, key, "weight", "limit", "seed"]
            message = f"'{name}' has no parameter '{first['loc'][-1]}'"
            raise _PartError(where, message, _nearest(str(first["loc"][-1]), known)) from error
        raise _PartError(where, str(first["msg"]), f"see the parameters of '{name}'") from error


def _worst(error: ValidationError) -> Any:
    """The error that is told: a key that is misspelt is also why another one is missing."""
    found = error.errors()
    return next((one for one in found if one["type"] == "extra_forbidden"), found[0])


def _explained(
    error: ValidationError, data: Any, lines: dict[Place, int], name: str
) -> RecipeError:
    first = _worst(error)
    place = tuple(first["loc"])
    spot = _spot(place, lines)
    if first["type"] == "extra_forbidden":
        known = _fields_at(Recipe, place[:-1])
        return RecipeError(
            f"{name}, {spot}: unknown key '{place[-1]}'", remedy=_nearest(str(place[-1]), known)
        )
    if first["type"] == "missing":
        return RecipeError(f"{name}: '{_dotted(place)}' is missing", remedy="add it")
    message = str(first["msg"]).removeprefix("Value error, ")
    return RecipeError(f"{name}, {spot}: {message}", remedy=f"change '{_dotted(place)}'")


def _nearest(word: str, known: Iterable[str]) -> str:
    names = sorted(set(known) - {"folder"})
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"


def _fields_at(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The keys that the mapping at that place may have."""
    for part in place:
        if isinstance(part, str):
            field = model.model_fields.get(part)
            inner = _model_in(field.annotation) if field else None
            if inner is None:
                return []
            model = inner
    return [field.alias or key for key, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    return next(filter(None, map(_model_in, typing.get_args(annotation))), None)


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def _spot(place: Place, lines: dict[Place, int]) -> str:
    """ "line 7 (loop.epochs)": the deepest part of the place that stands in the file."""
    for length in range(len(place), 0, -1):
        if place[:length] in lines:
            return f"line {lines[place[:length]]} ({_dotted(place)})"
    return _dotted(place) or "the whole"


def _lines(node: yaml.Node | None, place: Place = ()) -> Iterable[tuple[Place, int]]:
    """The line, counted from 1, of every key and item."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*place, key.value)
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            here = (*place, number)
            yield here, value.start_mark.line + 1
            yield from _lines(value, here)


def _override(data: Any, key: str, text: str) -> None:
    """Set one value by its dotted place; a path is taken from the folder the person stands in."""
    *parents, last = key.split(".")
    at = data
    for part in parents:
        if isinstance(at, list):
            at = at[_index(at, part, key)]
        else:
            if not isinstance(at.get(part), dict | list):
                at[part] = {"name": at[part]} if isinstance(at.get(part), str) else {}
            at = at[part]
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"--set {key}: '{text}' is no value") from error
    value = map_paths({last: value}, _from_here)[last]
    if isinstance(at, list):
        at[_index(at, last, key)] = value
    else:
        at[last] = value


def _from_here(text: str) -> str:
    path = Path(text).expanduser()
    return str(path.absolute()) if path.exists() else text


def _index(items: list[Any], part: str, key: str) -> int:
    if not part.isdigit() or int(part) >= len(items):
        raise RecipeError(
            f"--set {key}: there is no item '{part}'",
            remedy=f"items are numbered 0 to {len(items) - 1}" if items else "the list is empty",
        )
    return int(part)
