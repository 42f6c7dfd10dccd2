"""Commands of the assistant on a small folder: as processes, and in the process of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.cli.main import run as run_here
from tests.conftest import MODELS, weights


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents, a home that uses the installed weights, and an index of them."""
    weights("embedder"), weights("sparse")
    base = tmp_path_factory.mktemp("cli")
    (base / "docs").mkdir()
    (base / "docs" / "lease.md").write_text(
        "# Flat\n\nThe lease of the flat in Lyon ends on 31 March 2027. The rent is 870 euros.\n"
    )
    (base / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 this is not really a PDF")
    (base / "home").mkdir()
    (base / "home" / "models").symlink_to(MODELS, target_is_directory=True)
    built = run(base, "index", "build", "notes", "--from", str(base / "docs"), "--json")
    assert built.returncode == 0, built.stderr
    result = json.loads(built.stdout)
    assert result["documents"] == 1
    assert [Path(f["uri"]).name for f in result["failures"]] == ["broken.pdf"]
    assert result["failures"][0]["reason"]
    return base


def run(base: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ASSISTANT_")},
        "ASSISTANT_HOME": str(base / "home"),
        **environ,
    }
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command on the home of `place`, in this process."""
    # they stay as quiet as they are
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)
    for name in [name for name in os.environ if name.startswith("ASSISTANT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ASSISTANT_HOME", str(place / "home"))

    def of(*arguments: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        status = run_here(list(arguments))
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, out, err)

    return of
