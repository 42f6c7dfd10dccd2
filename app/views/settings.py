"""The settings by section."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.components.context import Opened, opened
from app.components.fields import changed, show_field
from app.components.notices import errors_shown, say_next
from app.components.text import plain
from assistant.settings import Settings, known_keys, save_settings


def _sections() -> dict[str, list[str]]:
    """Dotted names by section; the home folder is where the settings are, so it is not one."""
    found: dict[str, list[str]] = {}
    for key in known_keys():
        if "." in key:
            found.setdefault(key.partition(".")[0], []).append(key)
    return found


def _value(settings: Settings, key: str) -> Any:
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)


def _section(home: Opened, section: str, keys: list[str]) -> None:
    settings = home.workspace.settings
    about = (type(getattr(settings, section)).__doc__ or "").strip()
    st.caption(plain(about))
    fields = type(getattr(settings, section)).model_fields
    before = {key: _value(settings, key) for key in keys}
    with st.form(f"settings-{section}", border=False):
        after = {key: show_field(key, fields[key.partition(".")[2]], before[key]) for key in keys}
        saved = st.form_submit_button("Save", type="primary")
    if saved:
        _save(home, changed(before, after))
    if st.button("Back to the defaults", key=f"defaults-{section}", type="tertiary"):
        _save(home, dict.fromkeys(keys), forget=keys)


def _save(home: Opened, changes: dict[str, Any], forget: list[str] | None = None) -> None:
    with errors_shown():
        if not changes:
            st.toast("Nothing was changed.")
            return
        save_settings(home.workspace.settings.home, changes)
        for key in forget or ():
            st.session_state.pop(key, None)
        say_next("Saved.", ":material/check:")
        st.rerun()


def main() -> None:
    home = opened()
    st.header("Settings", anchor=False)
    sections = _sections()
    for section, tab in zip(sections, st.tabs([s.capitalize() for s in sections]), strict=True):
        with tab:
            _section(home, section, sections[section])
    st.caption("Port and address take effect at the next start.")
    st.caption("Kept in")
    st.code(str(home.workspace.settings.config_file), language=None, wrap_lines=True)
    if st.button("Is all well here?", icon=":material/health_and_safety:", type="tertiary"):
        st.switch_page("views/health.py")


with errors_shown():
    main()
