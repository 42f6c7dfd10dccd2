"""Commands run in this process, on an empty home without weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assistant.cli.main import run


@dataclass
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value of standard output."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


Call = Callable[..., Done]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs one command line."""
    # A command silences logging for its process, which here is that of all tests.
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)
    monkeypatch.setenv("ASSISTANT_HOME", str(tmp_path / "home"))

    def call(*arguments: object) -> Done:
        status = run([str(argument) for argument in arguments])
        streams = capsys.readouterr()
        return Done(status, streams.out, streams.err)

    return call
