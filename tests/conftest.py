"""Shared fixtures. Weights come from the person's own home folder, everything else is temporary."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from assistant.errors import KnowledgeAssistantError
from assistant.models.store import ModelStore
from assistant.settings import Settings, default_home, load_settings

MODELS = default_home() / "models"


def weights(name: str) -> Path:
    """The path of installed weights; skips the test, saying what to fetch, if they are absent."""
    try:
        return ModelStore(MODELS).path(name)
    except KnowledgeAssistantError as error:
        pytest.skip(str(error))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder that uses the installed weights."""
    folder = tmp_path / "home"
    folder.mkdir()
    if MODELS.is_dir():
        (folder / "models").symlink_to(MODELS, target_is_directory=True)
    return folder


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings({"answering.reader": "extractive"}, home=home, environ={})
