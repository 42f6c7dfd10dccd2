"""Which weights do what: chosen and kept; indexes that have to be encoded again then."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.notices import errors_shown, say_next, show_warning
from app.components.text import plain
from app.components.words import STAGES, counted
from assistant.jobs import Jobs
from assistant.models.roles import Role, StaleIndex
from assistant.settings import Settings, save_settings

_WORDS = {
    "auto": "the best that is installed",
    "answerer": "the language model",
    "small": "the small reader",
    "remote": "the endpoint",
    "extractive": "nobody: quotations",
    "off": "none",
    "distilled": "the distilled one (MiniLM)",
    "late-interaction": "late interaction (with the embedder)",
}
_JOBS = "index "  # as the library calls this work


def show_roles(settings: Settings, roles: Sequence[Role]) -> None:
    """A form with a choice for each role."""
    with st.form("roles"):
        chosen = {
            role.setting: st.selectbox(
                role.title,
                role.choices,
                index=role.choices.index(role.now),
                format_func=lambda name: _WORDS.get(name, name),
                key=f"role-{role.setting}-{role.now}",
                help="Indexes have to be encoded again after a change." if role.encodes else None,
            )
            for role in roles
        }
        saved = st.form_submit_button("Save", type="primary")
    if saved:
        changes = {role.setting: chosen[role.setting] for role in roles}
        changes = {key: value for key, value in changes.items() if value != _now(roles, key)}
        with errors_shown():
            _save(settings, changes)


def _save(settings: Settings, changes: dict[str, str]) -> None:
    if not changes:
        st.toast("Nothing was changed.")
        return
    kept = save_settings(settings.home, changes)
    for key, value in changes.items():
        section, _, name = key.partition(".")
        if getattr(getattr(kept, section), name) != value:
            show_warning(
                f"{key} was kept, but the environment sets another value",
                f"unset ASSISTANT_{section.upper()}__{name.upper()}",
            )
            return
    say_next("Saved.", ":material/check:")
    st.rerun()


def _now(roles: Sequence[Role], setting: str) -> str:
    return next(role.now for role in roles if role.setting == setting)


def show_stale(jobs: Jobs, stale: Sequence[StaleIndex]) -> None:
    """Indexes that were encoded by other weights, each with a button that encodes it again."""
    running = {job.title for job in jobs.list() if job.state == "running"}
    waiting = [index for index in stale if f"{_JOBS}{index.name}" not in running]
    if not waiting:
        return
    with st.container(border=True):
        st.markdown(
            "**:material/sync: Encoded by other weights.** Until they are encoded again, these "
            "indexes are searched without the part that does not fit."
        )
        for index in waiting:
            with st.container(
                horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
            ):
                without = " and ".join(STAGES.get(stage, stage) for stage in index.stages)
                passages = counted(index.passages, "passage")
                st.markdown(plain(f"{index.name}: {passages}, now without {without}"))
                if st.button("Encode again", key=f"encode-{index.name}", icon=":material/refresh:"):
                    with errors_shown():
                        jobs.start(f"{_JOBS}{index.name}", ["index", "update", index.name])
                        st.rerun()
