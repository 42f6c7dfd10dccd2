"""Commands that are typed in place of a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.commands import COMMANDS, Command, parse_command
from assistant.errors import KnowledgeAssistantError, UnknownNameError, UsageError
from assistant.options import TurnOptions


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/help", Command("help")),
        ("/NEW ", Command("new")),
        ("/effort deep", Command("effort", "deep", TurnOptions(effort="deep"))),
        ("/reader  small", Command("reader", "small", TurnOptions(reader="small"))),
        ("/reliance .70", Command("reliance", ".70", TurnOptions(reliance="0.7"))),
        ("/language Deutsch", Command("language", "Deutsch", TurnOptions(language="de"))),
        ("/remember I like\n tea", Command("remember", "I like tea")),
        ("/export", Command("export", "md")),
        ("/export PDF", Command("export", "pdf")),
        ("/index my.notes", Command("index", "my.notes")),
    ],
)
def test_commands_are_read(text: str, command: Command) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    "text", ["", "What is /help?", " /help", "/etc/hosts has what?", "1/2", "/", "/2 cups"]
)
def test_questions_are_none(text: str) -> None:
    assert parse_command(text) is None


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("/hlep", "/help"),
        ("/exprot md", "/export"),
        ("/effort deeep", "deep"),
        ("/reader smal", "small"),
        ("/export pfd", "pdf"),
    ],
)
def test_what_is_unknown_is_named_with_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError) as refused:
        parse_command(text)
    assert nearest in f"{refused.value.message} {refused.value.remedy}"


@pytest.mark.parametrize("text", ["/remember", "/effort", "/new now", "/reliance 7"])
def test_wrong_use_is_said(text: str) -> None:
    with pytest.raises(UsageError):
        parse_command(text)


@given(st.text())
def test_any_text_is_a_command_a_question_or_refused_in_words(text: str) -> None:
    try:
        found = parse_command(text)
    except KnowledgeAssistantError as error:
        assert error.message and text.startswith("/")
    else:
        assert found is None or found.name in COMMANDS
