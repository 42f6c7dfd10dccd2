"""The models page without weights."""

from __future__ import annotations

from pathlib import Path

from app.components.models import speed_text
from assistant.models.speed import Speed, keep_speed
from assistant.settings import load_settings
from tests.fast.app.pages import captions, click, labels, page


def test_nothing_is_offered_that_cannot_be_done(empty_home: Path) -> None:
    run = page("models")
    assert not run.error
    assert any(label.startswith("Fetch") for label in labels(run))
    assert not any("Measure" in label or "Remove" in label for label in labels(run))


def test_a_role_is_chosen(empty_home: Path) -> None:
    run = page("models")
    reader = run.selectbox(key="role-answering.reader-auto")
    assert reader.options == ["the best that is installed", "nobody: quotations"]
    reader.set_value("extractive")
    click(run, "Save")
    assert load_settings(home=empty_home).answering.reader == "extractive"


def test_speeds_are_shown_and_a_partial_fetch_is_removed(empty_home: Path) -> None:
    partial = empty_home / "models" / ".partial" / "splade-tiny"
    partial.mkdir(parents=True)
    speed = Speed("minilm", "embedder", "2026-11-27T20:00:00+00:00", 2, 1.5, 1_234.0)
    keep_speed(empty_home, speed)
    run = page("models")
    assert r"1\,234 passages a second" in captions(run)
    click(run, "remove-splade-tiny")
    assert not partial.exists()


def test_speed_in_words() -> None:
    speed = Speed("qwen", "answerer", "x", 2, 9.0, None, 2.04, 400, 7.52)
    assert speed_text(speed) == (
        "7.5 tokens a second · first token in 2.0 s after a prompt of 400 · measured x, 2 threads"
    )
