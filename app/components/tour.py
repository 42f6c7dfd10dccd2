"""A short tour: four steps, put away for good when the person says so, called up again on demand.

It stands in the page where it is, below what is read, and waits.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from assistant.errors import KnowledgeAssistantError
from assistant.memory.preferences import Preferences

_OVER, _STEP, _CLOSED = "tour", "tour-step", "tour-closed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `page` is opened by a button with the words `opens`, where there is one."""

    title: str
    text: str
    page: str = ""
    opens: str = ""


STEPS = (
    Step(
        "Ask",
        "Type a question into the field at the bottom, in a sentence of your own. It is looked "
        "for in the documents of the index chosen under “Ask about”.",
    ),
    Step(
        "Look at the source",
        "Each sentence of an answer carries a mark such as [1]. The button with the same number, "
        "below the answer, opens the passage in its document.",
    ),
    Step(
        "Add your documents",
        "In the library you make an index of your own: from a folder, from single files, or from "
        "a web address. Nothing of it leaves this computer.",
        "views/library.py",
        "Open the library",
    ),
    Step(
        "About you",
        "“Remember that I am allergic to peanuts.” What you tell this way helps with later "
        "questions. You can read all of it under “About you”, and have it forgotten.",
        "views/person.py",
        "Open “About you”",
    ),
)


def tour_is_on(preferences: Preferences) -> bool:
    """Whether it is shown: until it was put away, and when it was called up again."""
    if _STEP in st.session_state:
        return True
    return not (st.session_state.get(_CLOSED) or preferences.get(_OVER))


def show_tour(preferences: Preferences, *, asked: bool) -> None:
    """The step where the person is.

    Args:
        asked: they have asked something, so that the first step is done.
    """
    number = min(int(st.session_state.get(_STEP, 0)), len(STEPS) - 1)
    number = max(number, 1) if asked else number
    step = STEPS[number]
    with st.container(border=True, key="tour"):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.markdown(f"**{step.title}**", width="content")
            st.caption(f"Tour, {number + 1} of {len(STEPS)}", width="content")
        st.markdown(step.text)
        with st.container(horizontal=True, gap="small"):
            if number + 1 < len(STEPS):
                st.button("Next", key="tour-next", on_click=_go, args=(number + 1,))
            if number > int(asked):
                st.button(
                    "Back", key="tour-back", type="tertiary", on_click=_go, args=(number - 1,)
                )
            if step.page and st.button(
                step.opens, key="tour-open", icon=":material/arrow_forward:", type="tertiary"
            ):
                st.switch_page(step.page)
            last = number + 1 == len(STEPS)
            st.button(
                "Done" if last else "Close the tour",
                key="tour-close",
                type="secondary" if last else "tertiary",
                on_click=_close,
                args=(preferences,),
            )


def show_tour_again() -> None:
    """The way back to the tour."""
    st.button(
        "Take the tour",
        key="tour-again",
        icon=":material/explore:",
        type="tertiary",
        on_click=_go,
        args=(0,),
    )


def _go(number: int) -> None:
    st.session_state[_STEP] = number


def _close(preferences: Preferences) -> None:
    st.session_state.pop(_STEP, None)
    st.session_state[_CLOSED] = True
    with suppress(KnowledgeAssistantError):  # the next session has it again; that stops nobody
        preferences.keep(_OVER, "over")
