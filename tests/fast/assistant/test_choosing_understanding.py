"""Which way a message is understood, by settings and what is installed; and loading beforehand."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from assistant.errors import ModelMissingError
from assistant.settings import load_settings
from assistant.understanding.choose import choose_understander
from assistant.understanding.words import content_words
from assistant.warming import is_warming_up, warm_up
from assistant.workspace import Workspace

REMOTE = {"models.remote_url": "http://127.0.0.1:9/v1", "models.remote_model": "toy"}


@pytest.mark.parametrize(
    ("reader", "way", "chosen"),
    [
        ("auto", "auto", "model"),
        ("remote", "auto", "model"),
        ("small", "auto", "rules"),  # whoever wants it quick does not wait for a large model
        ("extractive", "auto", "rules"),
        ("small", "model", "model"),
        ("auto", "rules", "rules"),
    ],
)
def test_the_reader_decides_where_nothing_was_chosen(
    tmp_path: Path, reader: str, way: str, chosen: str
) -> None:
    given = {**REMOTE, "answering.reader": reader, "understanding.way": way}
    workspace = Workspace(load_settings(given, home=tmp_path, environ={}))
    assert choose_understander(workspace, content_words).way == chosen


def test_without_a_model_rules_stand_in_unless_it_was_named(tmp_path: Path) -> None:
    workspace = Workspace(load_settings(home=tmp_path, environ={}))
    assert choose_understander(workspace, content_words).way == "rules"
    named = load_settings({"understanding.way": "model"}, home=tmp_path, environ={})
    with pytest.raises(ModelMissingError):
        choose_understander(Workspace(named), content_words)


def test_loading_waits_for_what_is_being_drawn(tmp_path: Path) -> None:
    drawn, loaded = threading.Event(), threading.Event()

    class Noting(Workspace):
        @property
        def models(self):  # asked for by everything that is loaded
            loaded.set()
            return super().models

    drawing = threading.Thread(target=drawn.wait)
    drawing.start()
    thread = warm_up(Noting(load_settings(home=tmp_path, environ={})), after=drawing)
    assert is_warming_up() and not loaded.wait(0.2)
    drawn.set()
    thread.join(30)
    assert loaded.is_set() and not thread.is_alive()
