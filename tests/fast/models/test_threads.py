"""How many threads a model computes with."""

from __future__ import annotations

import os

import pytest

from assistant.models.threads import threads_for


@pytest.mark.parametrize(("said", "expected"), [("3", 3), ("0", None), ("", None), ("4,2", None)])
def test_all_cores_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, said: str, expected: int | None
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads_for(0) == (expected or os.cpu_count())
    assert threads_for(7) == 7
