"""What the assistant says itself, where no document is to be asked."""

from __future__ import annotations

from assistant.memory.person import PersonMemory
from assistant.understanding.acts import told_what_to_keep
from assistant.understanding.types import Understanding


def reply_to(
    message: str, understanding: Understanding, person: PersonMemory, *, clarify: bool
) -> str:
    """The reply to small talk, to a command about the memory, or to what cannot be understood.

    Empty where the documents are to be asked. A command is carried out here: what the person says
    is to be remembered is remembered.

    Raises:
        UsageError: what is to be remembered is too long, or too much is remembered already.
    """
    kept = told_what_to_keep(message)
    if understanding.act == "command" and kept is not None:
        verb, what = kept
        return _remember(what, person) if verb == "remember" else _forget(what, person)
    if understanding.act == "small talk":
        return "Ask me anything about your documents."
    if clarify and understanding.clarify:
        return understanding.clarify
    return ""


def _remember(what: str, person: PersonMemory) -> str:
    statement = person.add(what[:1].upper() + what[1:])
    return f"I will remember: “{statement.text}”"


def _forget(what: str, person: PersonMemory) -> str:
    statement = person.find(what)
    if statement is None:
        return f"I do not remember anything like “{what}”."
    person.forget(statement.id)
    return f"Forgotten: “{statement.text}”"
