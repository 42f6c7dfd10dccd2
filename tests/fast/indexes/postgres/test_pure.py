"""What needs no server: addresses without secrets, names of schemas, queries as data."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import ModelRuntimeError, UsageError
from indexes.postgres.address import Address, is_address
from indexes.postgres.characters import cleaned, cleaned_json, storable
from indexes.postgres.schema import lock_key, schema_of
from indexes.postgres.session import Session
from indexes.postgres.stages import any_of

SECRET = "s3cr:t@/?"
QUOTED = "s3cr%3At%40%2F%3F"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"postgres://me:{QUOTED}@host:5433/db", "postgresql://me@host:5433/db"),
        (f"postgresql://me@host/db?password={QUOTED}", "postgresql://me@host/db"),
        (
            f"postgresql://host/db?sslmode=require&sslpassword={QUOTED}",
            "postgresql://host/db?sslmode=require",
        ),
        (f"postgresql://me:{QUOTED}@/db?host=/run/pg", "postgresql://me@/db?host=/run/pg"),
        ("postgresql://h1:1/db", "postgresql://h1:1/db"),
    ],
)
def test_a_password_is_kept_apart_from_the_address(text: str, shown: str) -> None:
    address = Address.parse(text)
    assert str(address) == address.text == shown
    if QUOTED in text:
        assert set(address.secrets.values()) == {SECRET}
        assert address.scrubbed(f"failed with {SECRET}") == "failed with ***"
    for told in (repr(address), str(address), f"{address!r:>5}"):
        assert SECRET not in told and QUOTED not in told
    assert Address.parse(address.text) == address


@pytest.mark.parametrize(
    "text", ["", "notes", "mysql://me:pw@host/db", "postgres://", "postgresql://h:port:pw@x:y/db"]
)
def test_other_texts_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse(text)
    assert "pw" not in str(caught.value)
    assert not is_address(text) or text.startswith("postgres")


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True))
def test_every_name_has_a_schema_of_its_own(name: str) -> None:
    if name.endswith((".partial", ".")):
        with pytest.raises(UsageError):
            schema_of(name)
        return
    schema = schema_of(name)
    assert len(schema) <= 63 and schema.startswith("ka_")
    assert -(2**31) <= lock_key(schema) < 2**31
    if len(name) > 60:
        last = "b" if name[-1] != "b" else "c"
        assert schema_of(f"{name[:-1]}{last}") != schema


@given(st.text())
def test_cleaning_keeps_every_offset(text: str) -> None:
    clean = cleaned(text + "\x00\ud800")
    assert len(clean) == len(text) + 2 and storable(clean)
    clean.encode()
    assert cleaned(clean) == clean
    assert cleaned_json({"k\x00": [text, 1, None, ("\ud800",)]})["k\ufffd"][3] == ["\ufffd"]


@given(st.lists(st.text(min_size=1), min_size=1))
def test_lexemes_are_quoted(lexemes: list[str]) -> None:
    query = any_of(lexemes)
    # Read back as PostgreSQL does: '' is a quote and \\ a backslash within quotes.
    read: list[str] = []
    position = 0
    while position < len(query):
        assert query[position] == "'"
        position += 1
        term = ""
        while True:
            two = query[position : position + 2]
            if two in ("''", "\\\\"):
                term += two[0]
                position += 2
            elif query[position] == "'":
                position += 1
                break
            else:
                term += query[position]
                position += 1
        read.append(term)
        if position < len(query):
            assert query[position : position + 3] == " | "
            position += 3
    assert read == lexemes


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] in ("psycopg", "pgvector"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModelRuntimeError, match="extra 'postgres'"):
        Session(Address.parse("postgresql://host/db"))


def test_the_libraries_are_imported_by_nobody_else() -> None:
    """Reading an index in files loads neither psycopg nor the modules for it."""
    import subprocess

    code = "import sys, indexes.index, indexes.build; print('psycopg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
