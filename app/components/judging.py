"""What the person thought of an answer: a thumb, and a reason if they like."""

from __future__ import annotations

import streamlit as st

from app.components.notices import errors_shown
from assistant.memory.feedback import MAX_CHARACTERS, Feedback, Rating

_RATINGS: tuple[Rating, Rating] = ("down", "up")  # as `st.feedback` numbers them


def show_thumbs(turn_id: str, feedback: Feedback) -> None:
    """The thumbs, kept at once; then room for a reason."""
    kept = feedback.of(turn_id)
    chosen = st.feedback(
        "thumbs",
        key=f"thumbs-{turn_id}",
        default=_RATINGS.index(kept[0]) if kept is not None else None,
    )
    with errors_shown():
        if chosen is None:
            if kept is not None:
                feedback.take_back(turn_id)
            return
        rating = _RATINGS[chosen]
        if kept is None or kept[0] != rating:
            feedback.give(turn_id, rating)
            kept = (rating, "")
        _reason(turn_id, rating, kept[1], feedback)


def _reason(turn_id: str, rating: Rating, kept: str, feedback: Feedback) -> None:
    label = "Reason" if not kept else "Reason given"
    with (
        st.popover(
            label,
            icon=":material/rate_review:",
            type="tertiary",
            key=f"reason-open-{turn_id}-{rating}",
        ),
        st.form(f"reason-{turn_id}-{rating}", border=False),
    ):
        reason = st.text_area(
            "What was good about it?" if rating == "up" else "What was wrong with it?",
            kept,
            max_chars=MAX_CHARACTERS,
            key=f"reason-text-{turn_id}-{rating}",
        )
        st.caption("It stays on this computer: `assistant feedback list` shows all.")
        if st.form_submit_button("Keep"):
            with errors_shown():
                feedback.give(turn_id, rating, reason)
                st.toast("Kept.", icon=":material/check:")
