"""A question asked again: as it was meant, by another reader, without a statement.

Each answer is a version of the turn; the others are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from app.components.effort import efforts
from app.components.notices import show_warning
from app.components.reader_choice import LABELS
from app.components.text import one_line, plain
from app.components.turn import TurnView
from assistant.options import TurnOptions
from assistant.pipeline import MAX_QUESTION_CHARACTERS
from assistant.understanding.statements import Statement
from assistant.understanding.types import REPLIED

_LABEL = "I understood your question as"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; `without` are ids of statements that are not to be used, `without_facts` of
    facts that do not count.

    Attributes:
        version_of: the turn that this is asked in place of; empty: a new one.
        options: of this question alone, over those of the conversation.
    """

    text: str
    understood_as: str = ""
    without: tuple[str, ...] = ()
    version_of: str = ""
    options: TurnOptions | None = None
    without_facts: tuple[str, ...] = ()


def can_be_asked_again(view: TurnView) -> bool:
    """Whether there is an answer, and to a question."""
    return view.done is not None and view.queries is not None and view.queries.act not in REPLIED


def choices(view: TurnView, remembered: Sequence[Statement]) -> list[tuple[Statement, bool]]:
    """The statements that were used, and those that were switched off and are still remembered."""
    used = [(Statement(told.statement_id, told.text), True) for told in view.statements]
    left_out = view.told.left_out if view.told is not None else ()
    return used + [(known, False) for known in remembered if known.id in left_out]


def asked_again(view: TurnView, meant: str, without: Sequence[str], before: set[str]) -> Question:
    """The turn's question as it is to be asked now.

    Where only statements were switched, it is understood anew from the conversation; a text that
    the person wrote stays.

    Args:
        meant: what stands in the field.
        before: the statements that were switched off in the turn.
    """
    written = view.queries
    standalone = one_line(written.standalone, MAX_QUESTION_CHARACTERS) if written else ""
    only_statements = set(without) != before and one_line(meant, len(meant)) == standalone
    anew = only_statements and written is not None and written.way != "person"
    return Question(
        view.question,
        "" if anew else meant,
        tuple(without),
        view.turn_id,
        view.options,
        view.without_facts,
    )


def once_more(view: TurnView, options: TurnOptions | None = None) -> Question:
    """The turn's question just as it was asked, as another version of the turn.

    Args:
        options: None takes those that it was asked with.
    """
    written = view.queries
    own = written is not None and written.way == "person"
    return Question(
        view.question,
        written.standalone if own and written is not None else "",
        view.told.left_out if view.told is not None else (),
        view.turn_id,
        view.options if options is None else options,
        view.without_facts,
    )


def show_told(view: TurnView) -> None:
    """What the person told that was used for the answer."""
    if view.statements:
        told = " ".join(f"“{one_line(statement.text, 200)}”" for statement in view.statements)
        st.caption(f":material/person: {plain(f'What you told me: {told}')}")


def show_once_more(
    view: TurnView, readers: Sequence[str], *, model: bool, ask: Callable[[Question], None]
) -> None:
    """A popover that answers the question again, with another reader or effort.

    Args:
        readers: that are there.
        model: whether a language model can be asked while thinking.
    """
    with (
        # A key of its own: else the popover of the next answer would be open in its place.
        st.popover(
            "Answer again",
            icon=":material/refresh:",
            type="tertiary",
            key=f"once-more-open-{view.turn_id}",
        ),
        st.form(f"once-more-{view.turn_id}", border=False),
    ):
        own, offered_readers = view.options, [str(name) for name in readers]
        asked_by = str(own.reader or "")
        reader = st.selectbox(
            "Reader",
            offered_readers,
            index=offered_readers.index(asked_by) if asked_by in offered_readers else 0,
            key=f"once-more-reader-{view.turn_id}",
            format_func=lambda name: LABELS.get(name, name),
        )
        offered = efforts(model=model)
        effort = st.selectbox(
            "Thinking",
            offered,
            index=offered.index(own.effort) if own.effort in offered else 0,
            key=f"once-more-effort-{view.turn_id}",
            format_func=lambda name: LABELS[name] if name == "auto" else name.capitalize(),
        )
        st.caption("This answer is kept; you can look at both.")
        if st.form_submit_button("Answer again"):
            chosen = {"reader": reader, "effort": effort}
            named = {name: None if value == "auto" else value for name, value in chosen.items()}
            ask(once_more(view, replace(own, **named)))


def show_again(
    view: TurnView, remembered: Sequence[Statement], ask: Callable[[Question], None]
) -> None:
    """A field with the question as it was understood, the statements used, and a button."""
    if view.queries is None or not can_be_asked_again(view):
        return
    standalone = one_line(view.queries.standalone, MAX_QUESTION_CHARACTERS)
    label = plain(f"{_LABEL} “{one_line(standalone, 60)}”")
    with st.expander(label, icon=":material/edit:"):
        with st.form(f"again-{view.turn_id}", border=False):
            meant = st.text_area(
                _LABEL,
                standalone,
                key=f"meant-{view.turn_id}",
                max_chars=MAX_QUESTION_CHARACTERS,
                label_visibility="collapsed",
            ).strip()
            offered = choices(view, remembered)
            if offered:
                st.caption("What you told me, to be used for this question")
            switched = [
                (
                    statement.id,
                    st.checkbox(
                        plain(one_line(statement.text, 200)),
                        value=on,
                        key=f"told-{view.turn_id}-{statement.id}",
                    ),
                )
                for statement, on in offered
            ]
            sent = st.form_submit_button("Ask again so", icon=":material/refresh:")
        if sent and not meant:
            show_warning("the field is empty", "write the question as it is meant")
        elif sent:
            without = [identity for identity, on in switched if not on]
            before = {statement.id for statement, on in offered if not on}
            ask(asked_again(view, meant, without, before))
