"""Sources of examples, and what is done to the examples of every source."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from assistant.distillation.examples import AnyExample
from assistant.distillation.recipe import DataSpec, Recipe
from assistant.distillation.registry import Registry
from assistant.errors import ReadError, UsageError


def _as_list(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class DataSource(BaseModel):
    """A source and its parameters. `path`: one file or several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[tuple[str, ...], BeforeValidator(_as_list)]

    def examples(self, file: Path) -> Iterator[AnyExample]:
        """The examples of one file, in its order.

        Raises:
            ReadError: a line is not what it should be; its number is named.
        """
        raise NotImplementedError


SOURCES: Registry[type[DataSource]] = Registry("data source")


@dataclasses.dataclass(frozen=True, slots=True)
class Collected:
    """The examples of a recipe's section.

    Attributes:
        hash: SHA-256 over all of them, in order, weights included.
        counts: how many by source file, origin and kind, and how many were left out as repeated.
    """

    examples: list[AnyExample]
    hash: str
    counts: dict[str, int]


def collect(recipe: Recipe, specs: tuple[DataSpec, ...]) -> Collected:
    """Read sources one after the other; a text that came before is left out.

    Raises:
        ReadError: a file cannot be read.
        UsageError: there is no example at all, or they are of two kinds.
    """
    kept: list[AnyExample] = []
    seen: set[str] = set()
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    for spec in specs:
        source = SOURCES.get(spec.source)(**spec.parameters)
        found: list[AnyExample] = []
        for name in source.path:
            file = recipe.path(name)
            found += source.examples(file)
        if spec.limit is not None and len(found) > spec.limit:
            chosen = random.Random(spec.seed).sample(range(len(found)), spec.limit)
            found = [found[place] for place in sorted(chosen)]
        for example in found:
            if (key := example.text_hash) in seen:
                counts["repeated, left out"] += 1
                continue
            seen.add(key)
            if spec.weight != 1.0:
                example = dataclasses.replace(example, weight=example.weight * spec.weight)
            kept.append(example)
            counts[f"origin {example.origin}"] += 1
            digest.update(f"{example.id}\0{key}\0{example.weight}\n".encode())
        counts[f"{spec.source} {', '.join(Path(name).name for name in source.path)}"] += len(found)
    if specs and not kept:
        raise UsageError("the data of the recipe hold no example", remedy="check its files")
    if len({type(example) for example in kept}) > 1:
        raise UsageError(
            "the data of the recipe are of two kinds", remedy="use sources of one kind together"
        )
    counts["examples"] = len(kept)
    return Collected(kept, digest.hexdigest(), dict(counts))


def json_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON lines file with their line numbers, from 1.

    Raises:
        ReadError: not there, or a line is no JSON object.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ReadError(f"{file}, line {number}: not a JSON object")
                yield number, row
    except FileNotFoundError as error:
        raise ReadError(
            f"{file} does not exist", remedy="paths of a recipe begin at the recipe's folder"
        ) from error
    except (OSError, ValueError) as error:
        raise ReadError(
            f"{file} cannot be read: {error}", remedy="it has one JSON a line"
        ) from error
