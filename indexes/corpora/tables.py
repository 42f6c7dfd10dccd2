"""CSV, TSV, JSON and JSON lines: one block a record, worded so that it stands alone.

A record becomes `column: value; column: value`. A search engine and a language model both need
the column's name beside the value; the header is a thousand rows away.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from indexes.corpora.blocks import DocumentBuilder, Parsed, one_line
from indexes.corpora.text import decode
from indexes.errors import ReadError

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 50
_LARGEST_FIELD = min(sys.maxsize, 2**31 - 1)
_TOO_DAMAGED = 0.5  # share of lines that are no JSON, above which a file is something else


def read_csv(data: bytes, name: str) -> Parsed:
    """A table with a header line; the delimiter is found out.

    Raises:
        ReadError: it cannot be taken apart into rows.
    """
    text = decode(data, name).replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    builder = DocumentBuilder(PurePath(name).stem)
    delimiter = "\t" if name.lower().endswith((".tsv", ".tab")) else _delimiter(text)
    previous = csv.field_size_limit(_LARGEST_FIELD)
    try:
        rows = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
        columns: list[str] | None = None
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if columns is None:
                columns = _header(row)
                if columns:
                    continue
                columns = []
            builder.add(_record(_pairs(columns, row)), "row")
        if builder.is_empty and columns:  # a header and nothing below it
            builder.add("; ".join(columns), "row")
    except csv.Error as error:
        raise ReadError(
            f"{name} is not a table: {error}", remedy="save it again as CSV, or rename it to .txt"
        ) from error
    finally:
        csv.field_size_limit(previous)
    return builder.parsed()


def read_json_lines(data: bytes, name: str) -> Parsed:
    """One record a line. A damaged line is kept as the text that it is.

    Raises:
        ReadError: most of its lines are not JSON.
    """
    builder = DocumentBuilder(PurePath(name).stem)
    damaged: list[int] = []
    lines = 0
    for number, line in enumerate(decode(data, name).split("\n"), start=1):
        if not line.strip():
            continue
        lines += 1
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            damaged.append(number)
            builder.add(one_line(line), "row")
        else:
            builder.add(_record(_flat(value)), "row")
    if damaged and len(damaged) > _TOO_DAMAGED * lines:
        raise ReadError(
            f"{name} is not JSON lines: line {damaged[0]} is damaged",
            remedy="mend it, or rename it to .txt to read it as plain text",
        )
    return builder.parsed()


def read_json(data: bytes, name: str) -> Parsed:
    """A list of records, an object that holds one, or anything else as one record.

    Raises:
        ReadError: it is not JSON.
    """
    text = decode(data, name)
    builder = DocumentBuilder(PurePath(name).stem)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if "\n{" in text.strip():  # JSON lines under the wrong name
            return read_json_lines(data, name)
        raise ReadError(
            f"{name} is not JSON: {error}", remedy="mend it, or rename it to .txt"
        ) from error
    for heading, records in _record_lists(value):
        if heading:
            builder.heading(1, heading)
        for record in records:
            builder.add(_record(_flat(record)), "row")
    return builder.parsed()


def _delimiter(text: str) -> str:
    """The delimiter that cuts the first lines into equally many fields."""
    sample = "\n".join(text.split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES])
    best, most = ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter)]
        except csv.Error:
            continue
        widths = [width for width in widths if width]
        if not widths or max(widths) < 2:
            continue
        usual = max(set(widths), key=widths.count)
        score = widths.count(usual) / len(widths) if usual > 1 else 0.0
        if score > most + 0.01:
            best, most = delimiter, score
    return best


def _header(row: list[str]) -> list[str] | None:
    """The column names, or None where the first row looks like data."""
    cells = [one_line(cell) for cell in row]
    named = [cell for cell in cells if cell]
    if len(set(named)) < len(named) or any(_is_number(cell) for cell in named):
        return None
    return cells


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _pairs(columns: list[str], row: list[str]) -> Iterator[tuple[str, str]]:
    for position, cell in enumerate(row):
        name = columns[position] if position < len(columns) else ""
        yield name or f"column {position + 1}", cell


def _record(pairs: Iterator[tuple[str, str]]) -> str:
    """`column: value; …`, empty values left out."""
    worded = ((name, one_line(value)) for name, value in pairs)
    return "; ".join(f"{name}: {value}" if name else value for name, value in worded if value)


def _record_lists(value: Any) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, list):
        yield "", value
        return
    rest: dict[str, Any] = {}
    lists: list[tuple[str, list[Any]]] = []
    for key, member in value.items() if isinstance(value, dict) else ():
        if isinstance(member, list) and member and all(isinstance(m, dict) for m in member):
            lists.append((key, member))
        else:
            rest[key] = member
    if not isinstance(value, dict):
        yield "", [value]
    elif rest:
        yield "", [rest]
    yield from lists


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(`outer.inner`, value) of everything in a JSON value that is not empty."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _flat(member, f"{path}.{key}" if path else one_line(str(key)))
    elif isinstance(value, list):
        if any(isinstance(member, dict | list) for member in value):
            for position, member in enumerate(value, start=1):
                yield from _flat(member, f"{path} {position}".strip())
        else:
            yield path, ", ".join(_scalar(member) for member in value if member is not None)
    elif value is not None:
        yield path, _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
