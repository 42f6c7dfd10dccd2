"""Following the folders of an index: a switch, and what the watch did last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from app.components.notices import errors_shown, sentence
from app.components.text import plain
from app.components.words import counted
from assistant.watches import Watch

_EVERY = 2.0  # seconds between two looks at what a watch did


def watch_words(diary: Mapping[str, Any] | None) -> str:
    """`Following 1 place. Last change taken over at 21:44: 1 new, 2 changed.`; not escaped."""
    if diary is None or "places" not in diary:
        return "The watch is starting."
    looks = ", looked at from time to time" if diary["polls"] else ""
    text = f"Following {counted(diary['places'], 'place')}{looks}."
    if last := diary["last"]:
        kinds = ("added", "new"), ("changed", "changed"), ("removed", "gone"), ("moved", "moved")
        what = ", ".join(f"{last[key]:,} {word}" for key, word in kinds if last[key])
        return f"{text} Last change taken over at {_clock(last['at'])}: {what}."
    return f"{text} Nothing has changed since {_clock(diary['began'])}."


def watch_switch(index: str, wanted: bool, switch: Callable[[bool], None]) -> None:
    """The switch. `switch` is called when it was moved."""
    key = f"watch-{index}"
    # It may have been switched elsewhere: another tab, the command line.
    st.session_state[key] = wanted

    def moved() -> None:
        with errors_shown():
            switch(bool(st.session_state[key]))

    st.toggle(
        "Watch its folders",
        key=key,
        on_change=moved,
        help="Changes of files are taken over by themselves. It goes on when you leave this page, "
        "and after the computer was switched off as soon as the page is started again.",
    )


def show_watch(look: Callable[[], Watch | None], again: Callable[[], None]) -> None:
    """What the watch did, looked at again while the page is open.

    When it took over something, the whole page runs again, so that its lists are right.
    """
    watch = look()
    if watch is not None:
        st.fragment(run_every=_EVERY, key="watch-diary")(_diary)(look, again, _stamp(watch))


def _diary(look: Callable[[], Watch | None], again: Callable[[], None], before: object) -> None:
    watch = look()
    if watch is None or _stamp(watch) != before:
        st.rerun()
        return
    if watch.job.state != "running":
        st.markdown(
            ":orange[:material/warning:] The watch has ended: "
            f"{plain(sentence(watch.job.message or 'it was stopped'))}"
        )
        st.button("Watch again", key="watch-again", on_click=again)
        return
    st.caption(plain(watch_words(watch.diary)))
    error = (watch.diary or {}).get("error")
    if error:
        remedy = f"  \nWhat to do: {plain(sentence(error['remedy']))}" if error["remedy"] else ""
        st.markdown(
            f":orange[:material/warning:] {plain(sentence(error['message']))} "
            f"It is tried again by itself.{remedy}"
        )


def _stamp(watch: Watch) -> object:
    """What changes when the watch took over something, began or ended."""
    diary = watch.diary or {}
    return watch.job.id, watch.job.state, diary.get("updates"), bool(diary.get("error"))


def _clock(moment: str) -> str:
    then = datetime.fromisoformat(moment).astimezone()
    day = "" if then.date() == datetime.now().astimezone().date() else then.strftime("%Y-%m-%d ")
    return f"{day}{then.strftime('%H:%M')}"
