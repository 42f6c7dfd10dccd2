"""Commands that were typed into the chat's field, carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.components.again import Question, can_be_asked_again, once_more
from app.components.context import Opened
from app.components.exports import open_export
from app.components.notices import errors_shown, say_next, show_warning
from app.components.options import set_later
from app.components.remember import remember
from app.components.sidebar import open_conversation
from app.components.text import one_line, plain
from app.components.turn import view_of
from app.components.typed import Typed
from assistant.commands import COMMANDS, Command
from assistant.errors import UnknownNameError
from assistant.memory.conversations import Turn

INDEX_LATER = "index-to-set"


def obey(
    typed: Typed,
    home: Opened,
    conversation: str | None,
    ask: Callable[[Question], None],
) -> None:
    """Carry out the command of a message, if it is one; what is wrong with it is said in words.

    Args:
        conversation: the open one.
    """
    with errors_shown():
        if typed.refused is not None:
            raise typed.refused
        if typed.command is not None:
            _carry_out(typed.command, home, conversation, ask)


def _carry_out(
    command: Command,
    home: Opened,
    conversation: str | None,
    ask: Callable[[Question], None],
) -> None:
    """Do what the command says. Most end with the page drawn anew.

    Args:
        conversation: the open one.
        ask: asks a question.

    Raises:
        UnknownNameError: there is no such index.
        UsageError: too much is remembered.
    """
    if command.options is not None:
        set_later(command.options)
        st.rerun()
    elif command.name == "help":
        st.dialog("Commands", on_dismiss="rerun")(_help)()
    elif command.name == "new":
        open_conversation(None)
        st.rerun()
    elif command.name == "index":
        names = [manifest.name for manifest in home.workspace.indexes()]
        if command.argument not in names:
            raise UnknownNameError("index", command.argument, names)
        st.session_state[INDEX_LATER] = command.argument
        st.rerun()
    elif command.name == "remember":
        remember(command.argument, home.workspace.person)
    elif command.name == "forget":
        _forget(command.argument, home)
    elif command.name == "export":
        kept = home.workspace.conversations
        title = kept.get(conversation).title if conversation else ""
        open_export(counting(home, conversation), title, command.argument)
    elif command.name == "retry":
        _retry(counting(home, conversation), ask)


def counting(home: Opened, conversation: str | None) -> Sequence[Turn]:
    """The turns of the conversation that count."""
    if conversation is None:
        return ()
    return home.workspace.versions.current(home.workspace.conversations.turns(conversation))


def set_index_now(names: Sequence[str]) -> None:
    """Choose the index that a command named; before its field is drawn."""
    wanted = st.session_state.pop(INDEX_LATER, None)
    if wanted in names:
        st.session_state["chosen-index"] = wanted


def _help() -> None:
    lines = []
    for name, (takes, does) in COMMANDS.items():
        after = f" {plain(takes)}" if takes else ""
        lines.append(f"- **/{name}**{after} – {plain(does)}")
    st.markdown("\n".join(lines))


def _forget(text: str, home: Opened) -> None:
    person = home.workspace.person
    found = person.find(text)
    if found is None:
        show_warning(f"nothing that is remembered says “{one_line(text)}”", "see “About you”")
        return
    person.forget(found.id)
    say_next(plain(f"Forgotten: “{one_line(found.text)}”"), ":material/check:")
    st.rerun()


def _retry(turns: Sequence[Turn], ask: Callable[[Question], None]) -> None:
    view = view_of(turns[-1].events) if turns else None
    if view is None or not can_be_asked_again(view):
        show_warning("there is no answer that could be made again", "ask a question first")
        return
    ask(once_more(view))
