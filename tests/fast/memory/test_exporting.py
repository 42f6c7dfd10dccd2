"""Turns as text, Markdown, JSON and PDF."""

from __future__ import annotations

import dataclasses
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pypdf import PdfReader

from assistant.errors import UsageError
from assistant.events import PassagesFound, TurnFailed, TurnStarted, TurnStopped
from assistant.memory.conversations import Turn
from assistant.memory.exporting import (
    escaped,
    export,
    file_name,
    read_json,
    to_json,
    to_markdown,
    to_text,
)
from assistant.memory.pdf import to_pdf
from tests.fast.app.test_turn import DROPPED, SUPPORTED, UNSUPPORTED, answer, events
from tests.fast.assistant.helpers import passages


def turn(*sentences, question: str = "How do otters sleep?", **changes) -> Turn:
    told = events(answer(*sentences, text="They sleep on their backs. [1]", **changes))
    return Turn("t", question, "They sleep on their backs. [1]", "done", tuple(told))


def test_text_has_the_answer_with_its_marks_and_the_sources() -> None:
    text = to_text(turn(SUPPORTED, DROPPED))
    assert text.startswith("They sleep on their backs. [1]\n\nSources:\n[1] Otters – /notes/1.md")


def test_markdown_names_what_was_cited() -> None:
    text = to_markdown([turn(SUPPORTED, UNSUPPORTED)], "Otters & others")
    assert text.startswith("# Otters \\& others\n\n## How do otters sleep?")
    assert "`/notes/1.md`" in text
    assert "“Sea otters sleep on their backs.”" in text
    assert "Kelp" not in text  # found, and not cited


def test_abstention_stop_and_failure_say_what_they_are() -> None:
    gone = turn(UNSUPPORTED, abstained=True, closest=(2,))
    assert "Closest passages:\n[2] Kelp" in to_text(gone)
    started = TurnStarted("t", "c", "Q?", "notes", "2026-01-01T00:00:00")
    stopped = Turn("t", "Q?", "Half", "stopped", (started, TurnStopped("Half")))
    assert to_text(stopped).startswith("Half\n\nStopped")
    failed = Turn("t", "Q?", "", "failed", (started, TurnFailed("the disk is full", "")))
    assert "the disk is full" in to_markdown([failed])
    assert "interrupted" in to_text(Turn("t", "Q?", "", "unfinished", ()))


@given(st.text())
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    line = " ".join(text.replace("\x00", "").split())
    html = MarkdownIt("commonmark").render(escaped(line))
    tokens = MarkdownIt("commonmark").parse(escaped(line))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    shown = "".join(child.content for token in tokens for child in token.children or [])
    assert shown.replace("\u2060", "") == line.replace("\u2060", ""), html


@given(st.text(), st.text(), st.sampled_from(["done", "stopped", "failed", "unfinished"]))
def test_json_is_read_back_as_it_was(title: str, question: str, state: str) -> None:
    given = dataclasses.replace(turn(SUPPORTED), question=question, state=state)
    exported = read_json(to_json([given, turn(UNSUPPORTED)], title))
    assert exported.title == title
    # A token is not stored; everything else comes back.
    assert exported.turns == (given, turn(UNSUPPORTED))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": 3}', "\x00", to_json([])[:-20]])
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_json(text)


def words(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_pdf_holds_greek_cyrillic_and_markup() -> None:
    asked = "Что значит <b>λόγος</b> & $x$?"
    made = to_pdf([turn(SUPPORTED, question=asked)], "Zażółć gęślą jaźń")
    assert made == to_pdf([turn(SUPPORTED, question=asked)], "Zażółć gęślą jaźń")
    text = words(made)
    assert "Что значит <b>λόγος</b> & $x$?" in text
    assert "Zażółć gęślą jaźń" in text
    assert "Sea otters sleep on their backs." in text


def test_pdf_shows_other_signs_as_codes_and_refuses_letters_it_has_not() -> None:
    assert "[U+1F9A6]" in words(to_pdf([turn(SUPPORTED, question="\U0001f9a6?")]))
    for letters in ("שלום", "水獭", "سلام"):
        with pytest.raises(UsageError, match="cannot show") as refused:
            to_pdf([turn(SUPPORTED, question=letters)])
        assert "Markdown" in refused.value.remedy


def test_long_answers_take_several_pages() -> None:
    first, second = passages()
    long = dataclasses.replace(first, text="Otters sleep. " * 400)
    told = [*events(answer(SUPPORTED, text="They sleep. " * 900))]
    told[2] = PassagesFound((long, second), ("lexical",), (), 0.1)
    made = export([Turn("t", "Q?", "", "done", tuple(told))], "", "pdf")
    assert len(PdfReader(io.BytesIO(made)).pages) > 1


def test_file_names_are_tame() -> None:
    assert file_name("What's <new> in ../etc?", "md") == "what-s-new-in-etc.md"
    assert file_name("…", "pdf") == "conversation.pdf"
