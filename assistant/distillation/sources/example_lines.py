"""Prompts with completions, one `Example` a line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from assistant.distillation.examples import AnyExample, Example, hash_texts
from assistant.distillation.sources.base import SOURCES, DataSource, json_lines
from assistant.errors import ReadError

_LISTS = {"asks", "reads"}
_FIELDS = {field.name for field in dataclasses.fields(Example)}


@SOURCES.register("examples")
class ExampleLines(DataSource):
    """Lines `{prefix?, prompt, completion, id?, domain?, weight?, origin?, difficulty?, asks?,
    reads?}`; the last two are lists of texts."""

    def examples(self, file: Path) -> Iterator[AnyExample]:
        for number, row in json_lines(file):
            if not isinstance(row.get("prompt"), str) or not isinstance(row.get("completion"), str):
                raise ReadError(
                    f"{file}, line {number}: no 'prompt' or no 'completion'",
                    remedy="a line has prompt and completion",
                )
            if not row["completion"]:
                raise ReadError(f"{file}, line {number}: the completion is empty")
            values = {key: value for key, value in row.items() if key in _FIELDS}
            for key in _LISTS & values.keys():
                values[key] = _texts(values[key], f"{file}, line {number}: '{key}'")
            values.setdefault("prefix", "")
            values.setdefault(
                "id", hash_texts(values["prefix"], row["prompt"], row["completion"])[:24]
            )
            yield Example(**values)


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ReadError(f"{where} is no list of texts", remedy="write a list of strings")
    return tuple(value)
