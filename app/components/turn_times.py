"""How long recent turns took, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from app.components.text import one_line
from app.components.words import counted
from assistant.turn_times import TurnTimes


def show_turn_times(turns: Sequence[TurnTimes]) -> None:
    """A bar for each turn, cut by steps, and the same as numbers."""
    if not turns:
        st.caption("No question has been asked yet.")
        return
    done = [turn for turn in turns if turn.seconds]
    if done:
        st.bar_chart(
            bars(done),
            x="turn",
            y="seconds",
            color="step",
            horizontal=True,
            sort=False,
            x_label="",
            y_label="seconds",
            height=150 + 32 * len(done),  # the legend, and a line for each bar
            alt="Seconds of each turn by step; the table below has the numbers",
        )
    words = any(turn.first_word is not None for turn in turns)
    steps = list(dict.fromkeys(step for turn in done for step in turn.seconds))
    st.dataframe(
        [
            {
                "turn": number,
                "asked": _when(turn.at),
                "question": one_line(turn.question),
                "state": turn.state,
                "answered by": turn.reader,
                "seconds": round(turn.total, 2) if turn.seconds else None,
                **({"first word": turn.first_word} if words else {}),
                **{step: turn.seconds.get(step) for step in steps},
            }
            for number, turn in enumerate(turns, 1)
        ],
        hide_index=True,
        width="stretch",
    )
    st.caption(f"The last {counted(len(turns), 'turn')}, the latest first; seconds by step.")


def bars(turns: Sequence[TurnTimes]) -> list[dict[str, object]]:
    """One row for each step of each turn."""
    return [
        {"turn": f"{number}. {one_line(turn.question, 28)}", "step": step, "seconds": spent}
        for number, turn in enumerate(turns, 1)
        for step, spent in turn.seconds.items()
    ]


def _when(at: str) -> str:
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else ""
