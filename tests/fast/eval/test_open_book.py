"""Finding passages for questions: the index of the rows' own, and neighbours by BM25."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.open_book import (
    found_in,
    given,
    index_passages,
    is_right,
    knowledge_workspace,
    neighbours,
)
from eval.questions import Question, given_passage
from tests.fast.assistant.helpers import KELP, OTTERS, passage
from tests.fast.indexes.sources import HashedEncoders

BOILER = "The boiler was serviced in October by Thermeo."
ROWS = [
    Question("k1", KELP, "Kelp", "How much does kelp grow a day?", ("half a metre",), True),
    Question("k2", KELP, "Kelp", "How deep does kelp grow?", (), False),
    Question("o", OTTERS, "Otters", "Where do sea otters sleep?", ("their backs",), True),
    Question("b", BOILER, "Boiler", "Who serviced the boiler?", ("Thermeo",), True),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    opened = Workspace(load_settings({"thoughts.graph": "off"}, home=tmp_path, environ={}))
    vars(opened)["encoders"] = HashedEncoders()
    return opened


def test_an_index_of_the_rows_own_passages(workspace: Workspace) -> None:
    name = index_passages(workspace, ROWS, lambda progress: None)
    assert workspace.index(name).manifest.passages == 3  # each once
    found = found_in(workspace, name)(ROWS[3])
    assert found[0].text == BOILER and found[0].title == "Boiler"
    assert is_right(ROWS[3], found[0]) and not is_right(ROWS[3], found[1])
    # the same passages in another order are the same index, found again
    assert index_passages(workspace, ROWS[::-1], lambda progress: None) == name
    assert index_passages(workspace, ROWS[:2], lambda progress: None) != name


def test_a_name_in_quotation_marks_is_not_insisted_on(workspace: Workspace) -> None:
    name = index_passages(workspace, ROWS, lambda progress: None)
    asked = Question("x", BOILER, "", 'Who serviced the "old boiler"?', ("Thermeo",), True)
    assert found_in(workspace, name)(asked)[0].text == BOILER


def test_right_passages() -> None:
    assert is_right(ROWS[0], passage(1, "Kelp grows half a metre a day."))  # a part that answers
    assert not is_right(
        ROWS[0], passage(1, "It was first farmed in 1952 in Japan.")
    )  # that doesn't
    assert is_right(ROWS[1], passage(1, "It was first farmed in 1952 in Japan."))
    assert is_right(ROWS[0], passage(1, f"Heading. {KELP} More of it."))
    assert not is_right(ROWS[0], passage(1, "Half a metre of snow fell."))
    assert not is_right(ROWS[0], passage(1, "…"))


def test_neighbours_hold_the_own_passage_once() -> None:
    find = neighbours(ROWS, ROWS, 2)
    for question in ROWS:
        found = find(question)
        assert [p.number for p in found] == list(range(1, len(found) + 1))
        assert [p.text for p in found].count(question.passage) == 1
        assert len(found) <= 2
    lost = Question("x", BOILER, "Boiler", "kelp otters", ("Thermeo",), True)
    assert [p.text for p in neighbours([lost], ROWS, 2)(lost)][-1] == BOILER  # in the last place
    assert find(ROWS[0]) == neighbours(ROWS, ROWS, 2)(ROWS[0])


def test_with_and_without_the_knowledge_store(workspace: Workspace) -> None:
    with_it = knowledge_workspace(workspace, used=True)
    without = knowledge_workspace(workspace, used=False)
    assert (with_it.settings.knowledge.use, without.settings.knowledge.use) == ("auto", "off")
    assert with_it.encoders is without.encoders is workspace.encoders
    assert with_it.settings.home == workspace.settings.home


def test_given_is_the_rows_own() -> None:
    assert given(ROWS[0]) == (given_passage(ROWS[0]),)
