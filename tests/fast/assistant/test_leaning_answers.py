"""What becomes of an answer that no document supports, by the place of the reliance dial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.answering.readers import Piece
from assistant.events import AnswerDone
from assistant.pipeline import Assistant
from tests.fast.assistant.helpers import KELP, OTTERS, hashed_workspace
from tests.fast.cli.conftest import Call, call

__all__ = ["call"]

OWN = "Mount Everest stands on the border of Nepal."


class Knowing:
    """Writes what it knows, whatever it is given."""

    kind = "answerer"
    reads_everything = False

    def write(self, *_: Any, **__: Any) -> Iterator[Piece]:
        yield OWN


@pytest.mark.parametrize(
    ("reliance", "abstained"),
    [("off", True), ("0", True), ("0.5", True), ("0.75", False), ("1", False), ("auto", False)],
)
def test_only_a_dial_that_leans_on_the_model_shows_what_is_not_in_the_documents(
    reliance: str, abstained: bool, tmp_path: Path
) -> None:
    texts = {"o": OTTERS, "k": KELP}
    workspace = hashed_workspace(tmp_path, texts, answering__reliance=reliance)
    assistant = Assistant(workspace, make_reader=lambda opened: Knowing())  # type: ignore[arg-type]
    (*_, done) = assistant.ask("Where does Mount Everest stand?")
    assert isinstance(done, AnswerDone)
    assert done.abstained == abstained
    assert (OWN[:-1] in done.text) != abstained
    assert [sentence.status for sentence in done.sentences] == ["unsupported"]  # always marked


def test_dropping_what_is_unsupported_wins_over_the_dial(tmp_path: Path) -> None:
    given = {"answering__reliance": "1", "answering__unsupported": "drop"}
    workspace = hashed_workspace(tmp_path, {"o": OTTERS}, **given)
    assistant = Assistant(workspace, make_reader=lambda opened: Knowing())  # type: ignore[arg-type]
    (*_, done) = assistant.ask("Where does Mount Everest stand?")
    assert isinstance(done, AnswerDone)
    assert done.abstained


def test_the_flag_is_checked_like_the_setting(call: Call) -> None:
    done = call("ask", "Where?", "--reliance", "2")
    assert done.status == 2
    assert "neither off, auto nor a number from 0 to 1" in done.err
    assert "--reliance" in call("chat", "--help").out
