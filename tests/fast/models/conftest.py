from __future__ import annotations

from pathlib import Path

import pytest

from assistant.models.store import ModelStore
from tests.fast.models.packages import Registry, make_registry


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """What pip finds, instead of the network."""
    made = make_registry(tmp_path / "registry")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return made


@pytest.fixture
def store(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    """An empty store whose catalogue is the registry's two entries."""
    entries = (registry.small, registry.big)
    for module in ("assistant.models.store", "assistant.models.catalogue"):
        monkeypatch.setattr(f"{module}.catalogue", lambda: entries)
    return ModelStore(tmp_path / "models")
