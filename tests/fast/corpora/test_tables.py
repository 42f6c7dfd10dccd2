"""Tables and JSON: records that stand alone."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.chunking import Chunker
from indexes.corpora.blocks import one_line
from indexes.corpora.tables import read_csv, read_json, read_json_lines
from indexes.documents import Document
from indexes.errors import ReadError
from tests.fast.corpora.helpers import blocks_of


def rows(parsed) -> list[str]:
    found = blocks_of(parsed)
    assert all(kind == "row" for kind, _, _ in found)
    return [text for _, text, _ in found]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter):
    lines = [["name", "age", "town"], ["Bob", "3", "Ulm"], ["Al", "5", "Bern"]]
    data = "\r\n".join(delimiter.join(line) for line in lines).encode()
    assert rows(read_csv(data, "a.csv")) == [
        "name: Bob; age: 3; town: Ulm",
        "name: Al; age: 5; town: Bern",
    ]


def test_quotes_empty_cells_and_ragged_rows():
    data = b'name;note;\n"Smith; J.";"two\nlines";x\n;;\nAl;"say ""hi""";;more\n'
    assert rows(read_csv(data, "a.csv")) == [
        "name: Smith; J.; note: two lines; column 3: x",
        'name: Al; note: say "hi"; column 4: more',
    ]


def test_a_table_without_a_header_numbers_its_columns():
    assert rows(read_csv(b"1,2\n3,4\n", "a.csv")) == [
        "column 1: 1; column 2: 2",
        "column 1: 3; column 2: 4",
    ]


def test_a_header_alone_is_not_lost():
    assert rows(read_csv(b"name,age\n", "a.csv")) == ["name; age"]


def test_tabs_are_believed_in_a_tsv():
    assert rows(read_csv(b"a,b\tc\n1,5\t2\n", "a.tsv")) == ["a,b: 1,5; c: 2"]


def test_enormous_cells_are_read():
    text = "word " * 100_000
    assert rows(read_csv(f'name,text\nBob,"{text}"\n'.encode(), "a.csv")) == [
        f"name: Bob; text: {text.strip()}"
    ]


def test_a_row_is_a_passage():
    parsed = read_csv(b"name,age\nBob,3\nAl,5\n", "people.csv")
    document = Document("d", "/people.csv", parsed.title, parsed.text, parsed.blocks)
    assert [p.indexed_text for p in Chunker().split(document)] == [
        "people\nname: Bob; age: 3",
        "people\nname: Al; age: 5",
    ]


_CELL = st.text(
    st.one_of(st.characters(codec="utf-8", exclude_categories=["Cc"]), st.sampled_from('\n",;|')),
    max_size=12,
)


@given(st.lists(st.lists(_CELL, min_size=2, max_size=2), min_size=1, max_size=8))
def test_no_cell_is_lost(cells):
    data = io.StringIO()
    csv.writer(data).writerows([["first name", "second name"], *cells])
    text = read_csv(data.getvalue().encode(), "a.csv").text
    for cell in (cell for row in cells for cell in row):
        written = cell.replace("\r\n", "\n").replace("\r", "\n")
        assert one_line(written.lstrip(" ")) in text


def test_json_records():
    data = b"""{"version": 1, "people": [
        {"name": "Bob", "address": {"town": "Ulm", "zip": null}, "tags": ["a", "b"], "ok": true},
        {"name": "Al", "parts": [{"x": 1}, {"x": 2}]}]}"""
    assert blocks_of(read_json(data, "a.json")) == [
        ("row", "version: 1", ()),
        ("heading", "people", ()),
        ("row", "name: Bob; address.town: Ulm; tags: a, b; ok: yes", ("people",)),
        ("row", "name: Al; parts 1.x: 1; parts 2.x: 2", ("people",)),
    ]
    assert rows(read_json(b'[{"a": 1}, "text", 3]', "a.json")) == ["a: 1", "text", "3"]
    assert rows(read_json(b'"only text"', "a.json")) == ["only text"]


def test_json_lines_keep_a_damaged_line_as_its_text():
    parsed = read_json_lines(b'{"a": 1}\n\n{"a": 2\n{"a": 3}\n', "a.jsonl")
    assert rows(parsed) == ["a: 1", '{"a": 2', "a: 3"]


def test_json_lines_under_the_wrong_name():
    assert rows(read_json(b'{"a": 1}\n{"a": 3}\n', "a.json")) == ["a: 1", "a: 3"]


@pytest.mark.parametrize("data", [b"{not json", b"[1, 2", b"<html>", b"[" * 100_000])
def test_what_is_not_json_is_a_read_error(data):
    with pytest.raises(ReadError, match="is not JSON"):
        read_json(data, "a.json")
    with pytest.raises(ReadError, match="line 1 is damaged"):
        read_json_lines(data, "a.jsonl")
