"""`assistant ask` with a home that has no weights: search by words, quotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelMissingError
from assistant.models.encoders import LoadedEncoders
from assistant.pipeline import MAX_QUESTION_CHARACTERS
from assistant.settings import load_settings
from assistant.workspace import Workspace
from indexes.corpora import open_source
from indexes.encoders import FloatArray
from tests.browser.documents import write_documents
from tests.fast.cli.conftest import Call

KEEPER = "Who was the last keeper of the Kerring lighthouse?"


@pytest.fixture
def notes(call: Call, tmp_path: Path) -> Workspace:
    """An index of the small folder in the home that `call` uses."""
    write_documents(tmp_path / "documents")
    opened = Workspace(load_settings({"retrieval.index": "notes"}, home=tmp_path / "home"))
    with pytest.raises(ModelMissingError):  # words are searchable before encoding begins
        opened.writer("notes").build([open_source(str(tmp_path / "documents"))])
    return opened


class Counts:
    """Encodes a text as how often each of its letters occurs."""

    fingerprint, dimension = "letters", 26

    def encode(self, texts: Sequence[str]) -> FloatArray:
        rows = [[text.lower().count(chr(97 + k)) + 0.01 for k in range(26)] for text in texts]
        vectors = np.asarray(rows, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def near(notes: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Statements can be compared with the question: by their letters."""
    monkeypatch.setattr(LoadedEncoders, "dense", lambda self: Counts())
    yield


def test_the_question_as_it_is_meant_is_searched_for(notes: Workspace, call: Call) -> None:
    vague = ("ask", "And him?", "-i", "notes")
    assert "Agnes Thorvald" not in call(*vague).out
    done = call(*vague, "--understood-as", KEEPER)
    assert (done.status, "Agnes Thorvald" in done.out) == (0, True)
    assert f"understood as: {KEEPER}" in done.err
    events = call(*vague, "--understood-as", KEEPER, "--json").json["events"]
    assert (events[0]["question"], events[1]["way"]) == ("And him?", "person")


def test_what_was_understood_as_asked_is_not_repeated(notes: Workspace, call: Call) -> None:
    assert "understood as" not in call("ask", KEEPER, "-i", "notes").err


def test_the_trace_shows_queries_and_what_found_each_passage(notes: Workspace, call: Call) -> None:
    two = "Who kept the Kerring lighthouse? How do sea otters sleep in kelp?"
    done = call("ask", two, "-i", "notes", "--trace")
    lines = [line.strip() for line in done.err.splitlines()]
    assert f"understood as: {two}" in lines
    assert "way: rules (question; the first question stands alone)" in lines
    assert f"query 1.00 question: {two}" in lines
    assert "query 0.30 part: How do sea otters sleep in kelp?" in lines
    (first,) = [line for line in lines if line.startswith("[1] ")]
    assert first.endswith("; found by: question)")


def test_statements_are_traced_and_left_out(near: None, notes: Workspace, call: Call) -> None:
    kept = call("memory", "add", "I keep the [last] lighthouse.", "--json").json["remembered"]
    asked = ("ask", KEEPER, "-i", "notes", "--trace")
    shown = call(*asked).err
    assert "statements: 1 of 1 matter, used in: answer" in shown
    assert f"  {kept['id']} 0." in shown and "I keep the [last] lighthouse. (it is near" in shown
    without = call(*asked, "--without-statement", kept["id"]).err
    assert "statements: 0 of 0 matter" in without
    assert "[last]" not in without


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--understood-as", " "], "--understood-as is empty"),
        (["--understood-as", "x" * (MAX_QUESTION_CHARACTERS + 1)], "8,001 characters"),
        (["--without-statement", "nothing"], "unknown statement 'nothing'"),
    ],
)
def test_bad_options_are_refused_and_store_nothing(
    notes: Workspace, call: Call, arguments: list[str], words: str
) -> None:
    done = call("ask", KEEPER, "-i", "notes", *arguments)
    assert done.status == 2
    assert words in done.err and "what to do:" in done.err
    assert notes.conversations.list() == []


def test_a_command_is_carried_out_without_the_documents(notes: Workspace, call: Call) -> None:
    done = call("ask", "Remember that I am allergic to peanuts.", "-i", "notes")
    assert (done.status, done.err) == (0, "")
    assert done.out.strip() == "I will remember: “I am allergic to peanuts”"
    (kept,) = call("memory", "list", "--json").json["statements"]
    assert kept["text"] == "I am allergic to peanuts"
    answer = call("ask", "Thanks!", "-i", "notes", "--json").json
    assert (answer["reader"], answer["sources"], answer["abstained"]) == ("assistant", [], False)


def test_a_question_asked_again_is_not_a_follow_up_of_itself(notes: Workspace, call: Call) -> None:
    asked = ("ask", KEEPER, "-i", "notes", "--json")
    first = call(*asked).json
    again = call(*asked, "--conversation", first["conversation"], "--understood-as", KEEPER).json
    assert again["answer"] == first["answer"]


def test_what_is_set_before_the_command_holds_for_flags_that_were_not_given(
    call: Call, notes: Workspace
) -> None:
    set_small = ("--set", "answering.reader=small", "--set", "retrieval.index=notes")
    refused = call(*set_small, "ask", KEEPER)
    assert refused.status == 1 and "minilm" in refused.err  # its weights are not here
    assert call(*set_small, "ask", KEEPER, "--reader", "extractive", "--index", "notes").status == 0
    unset = call("--set", "retrieval.index=nots", "ask", KEEPER)
    assert unset.status == 2 and "nots" in unset.err
