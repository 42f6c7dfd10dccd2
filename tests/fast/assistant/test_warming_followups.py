"""What is loaded for a follow-up before it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assistant.settings import load_settings
from assistant.warming import warm_up
from assistant.workspace import Workspace

REMOTE = {"models.remote_url": "http://127.0.0.1:9/v1", "models.remote_model": "toy"}


class Loaded:
    """Notes what is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def get() -> Any:
            self.asked.append(name)
            return self

        return get

    def invoke(self, *_: Any, **__: Any) -> None:
        """Like a model."""


@pytest.mark.parametrize(
    ("given", "wanted", "unwanted"),
    [
        ({"understanding.way": "small"}, "rewriting_model", "tag_model"),
        ({"understanding.way": "small", **REMOTE}, "rewriting_model", "span_model"),
        ({"understanding.way": "rules"}, "message_encoder", "rewriting_model"),
        ({"understanding.way": "rules", **REMOTE}, "message_encoder", "span_model"),
        ({"answering.reader": "extractive"}, "message_encoder", "span_model"),
    ],
)
def test_what_a_follow_up_needs_is_loaded_whatever_reads(
    tmp_path: Path, given: dict[str, str], wanted: str, unwanted: str
) -> None:
    workspace = Workspace(load_settings(given, home=tmp_path, environ={}))
    loaded = Loaded()
    vars(workspace)["loaded"] = loaded
    warm_up(workspace, follow_up=False).join(30)
    assert wanted not in loaded.asked
    warm_up(workspace).join(30)
    assert wanted in loaded.asked and unwanted not in loaded.asked


def test_a_model_that_understands_needs_no_encoder_of_messages(tmp_path: Path) -> None:
    workspace = Workspace(load_settings(REMOTE, home=tmp_path, environ={}))
    loaded = Loaded()
    vars(workspace)["loaded"] = loaded
    warm_up(workspace).join(30)
    assert loaded.asked == []
