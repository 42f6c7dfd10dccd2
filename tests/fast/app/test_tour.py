"""The first minutes: one screen that explains itself, a tour that goes when it is sent away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.components.tour import STEPS
from assistant.memory.people import People
from assistant.memory.preferences import Preferences
from assistant.workspace import Workspace
from tests.fast.app.pages import captions, click, labels, markdown, page


def test_the_tour_has_a_few_steps_and_names_pages_that_are_there() -> None:
    assert 3 <= len(STEPS) <= 5
    views = Path(__file__).parents[3] / "app"
    assert all((views / step.page).is_file() for step in STEPS if step.page)


def test_the_tour_is_walked_through_and_does_not_come_back(notes: Workspace) -> None:
    run = page("chat")
    for number, step in enumerate(STEPS, start=1):
        assert f"Tour, {number} of {len(STEPS)}" in captions(run)
        assert f"**{step.title}**" in markdown(run)
        if number < len(STEPS):
            click(run, "tour-next")
    click(run, "tour-back")
    assert f"**{STEPS[-2].title}**" in markdown(run)
    click(run, "tour-close")
    assert "Tour, " not in captions(run)
    run = page("chat")
    assert "Tour, " not in captions(run) and "Not in your documents" in markdown(run)
    click(run, "tour-again")
    assert f"**{STEPS[0].title}**" in markdown(run)
    click(run, "tour-close")
    assert "Tour, " not in captions(page("chat"))


def test_after_the_first_answer_it_goes_on_with_the_source(notes: Workspace) -> None:
    run = page("chat")
    run.chat_input[0].set_value("Where do sea otters sleep?").run()
    assert not run.exception
    assert f"**{STEPS[1].title}**" in markdown(run)
    assert "tour-back" not in [str(b.key) for b in run.button]
    click(run, "tour-close")
    assert "Tour, " not in captions(run)


def test_it_is_over_for_the_person_who_closed_it_only(notes: Workspace) -> None:
    click(page("chat"), "tour-close")
    people = People(notes.settings.home)
    anna = notes.for_person(people.folder(people.add("Anna")))
    assert notes.preferences.get("tour") and not anna.preferences.get("tour")


def test_closing_works_where_nothing_can_be_kept(
    notes: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Preferences, name: str, value: str) -> None:
        from assistant.errors import StorageError

        raise StorageError("the disk is full")

    monkeypatch.setattr(Preferences, "keep", full)
    run = page("chat")
    click(run, "tour-close")
    assert "Tour, " not in captions(run) and "Take the tour" in labels(run)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tour": 3}', '"x"'])
def test_damaged_preferences_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "preferences.json").write_text(text, encoding="utf-8")
    kept = Preferences(tmp_path)
    assert kept.get("tour") == ""
    kept.keep("tour", "over")
    kept.keep("other", "x")
    kept.keep("other", "")
    assert json.loads((tmp_path / "preferences.json").read_text()) == {"tour": "over"}
