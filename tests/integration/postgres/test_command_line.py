"""`assistant index` over an index on a server, with the real small weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.cli.main import run
from indexes.postgres.address import Address
from tests.conftest import weights

pytestmark = pytest.mark.integration

SECRET = "correct-horse"


def test_from_build_to_delete(
    home: Path,
    tmp_path: Path,
    address: Address,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights("embedder")
    weights("sparse")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSWORD", "")  # so that what the command sets is taken back
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "lease.md").write_text(
        "# Flat\n\nThe lease of the flat in Lyon ends on 31 March 2027."
    )
    (notes / "sea.md").write_text("# Sea\n\nSea otters sleep on their backs, wrapped in kelp.")
    engine = address.text.replace("postgres@", f"postgres:{SECRET}@")

    def call(*arguments: str) -> tuple[int, dict[str, object], str]:
        status = run(["--home", str(home), "index", *arguments, "--json"])
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        return status, json.loads(out) if out else {}, err

    status, built, err = call("build", "mine", "--from", str(notes), "--engine", engine)
    assert (status, built.get("passages")) == (0, 2), err
    assert (home / "indexes" / "mine" / "engine.json").is_file()
    assert all(
        SECRET.encode() not in path.read_bytes()
        for path in (home / "indexes").rglob("*")
        if path.is_file()
    )
    status, found, _ = call("search", "mine", "when does the rental contract end")
    hits = found["hits"]
    assert isinstance(hits, list) and hits[0]["title"] == "Flat"
    assert set(hits[0]["stages"]) >= {"dense", "sparse"}
    (notes / "new.md").write_text("# New\n\nIron bridges rust.")
    _, changes, _ = call("update", "mine", "--dry-run")
    assert changes["added"] == [str(notes / "new.md")]
    status, updated, _ = call("update", "mine")
    assert (status, updated["added"], updated["encoded"]) == (0, 1, 2)
    assert call("verify", "mine")[1]["ok"] is True
    assert call("status")[1]["indexes"][0]["documents"] == 3  # type: ignore[index]
    assert call("work", engine)[1]["batches"] == 0
    status, deleted, _ = call("delete", "mine", "--document", str(notes / "lease.md"))
    assert (status, deleted["removed"]) == (0, 1)
    assert call("delete", "mine", "--yes")[0] == 0
    assert not (home / "indexes" / "mine").exists()
    assert call("search", "mine", "anything")[0] == 2


def test_errors_are_told_in_words(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.md").write_text("Text.")
    nowhere = f"postgresql://me:{SECRET}@/none?host={tmp_path}"
    for engine, told in ((nowhere, "cannot be reached"), (f"mysql://x:{SECRET}@h/d", "not the")):
        command = ["index", "build", "mine", "--from", str(tmp_path), "--engine", engine]
        assert run(["--home", str(home), *command]) in (1, 2)
        out, err = capsys.readouterr()
        assert told in err and SECRET not in out + err
        assert not (home / "indexes" / "mine").exists()
