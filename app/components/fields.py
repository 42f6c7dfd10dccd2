"""A setting as a field of a form, by the type that the settings declare for it."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from app.components.text import plain

_SECRET = {"remote_key"}


def show_field(key: str, info: FieldInfo, value: Any) -> Any:
    """Draw the field; returns what stands in it.

    Limits are not enforced here: the settings refuse a value with a message in words.
    """
    name = key.rpartition(".")[2]
    label, about = plain(name.replace("_", " ").capitalize()), plain(help_text(info))
    if get_origin(info.annotation) is Literal:
        options = list(get_args(info.annotation))
        return st.selectbox(label, options, options.index(value), key=key, help=about)
    if info.annotation is bool:
        return st.checkbox(label, value=bool(value), key=key, help=about)
    if info.annotation is int:
        return st.number_input(label, value=int(value), step=1, key=key, help=about)
    if info.annotation is float:
        return st.number_input(label, value=float(value), step=0.05, key=key, help=about)
    kind: Literal["password", "default"] = "password" if name in _SECRET else "default"
    return st.text_input(label, str(value), key=key, help=about, type=kind)


def help_text(info: FieldInfo) -> str:
    """The description with limits and the default."""
    limits = [
        f"{word} {getattr(limit, name)}"
        for limit in info.metadata
        for name, word in (("ge", "at least"), ("le", "at most"))
        if hasattr(limit, name)
    ]
    description = info.description or ""
    text = description[:1].upper() + description[1:]
    default = f"default {info.default}" if info.default not in ("", None) else ""
    extra = ", ".join(filter(None, [*limits, default]))
    return f"{text} ({extra})" if extra else text


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The values that differ, by dotted name."""
    return {key: value for key, value in after.items() if value != before[key]}
