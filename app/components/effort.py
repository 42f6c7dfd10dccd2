"""How hard to think about a question, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from assistant.models.store import ModelStatus
from assistant.settings import Settings
from assistant.thoughts.effort import EFFORTS, EffortName

_AUTO = "auto"
_COSTS: dict[str, str] = {
    "quick": "no model call, at most {seconds:.0f} s",
    "normal": "at most {calls} model calls and {seconds:.0f} s",
    "deep": "at most {calls} model calls and {seconds:.0f} s; answers are compared",
    "off": "only what the search finds is read",
}
WITH_MODEL = ("normal", "deep")


def has_model(settings: Settings, installed: Sequence[ModelStatus]) -> bool:
    """Whether a language model can be asked while thinking, whoever writes the answer."""
    wanted, remote = settings.answering.reader, bool(settings.models.remote_url)
    if wanted == "remote" or (remote and wanted != "answerer"):
        return remote
    local = settings.models.answerer
    names = {model.name for model in installed if model.state == "installed"}
    return local in names or local.endswith(".gguf")


def efforts(*, model: bool) -> list[str]:
    """What can be chosen: those that need a model only where there is one."""
    return [_AUTO, *(name for name in _COSTS if model or name not in WITH_MODEL)]


def cost_text(effort: str, configured: str) -> str:
    """One line on what an effort costs.

    Args:
        configured: the effort of the settings.
    """
    if effort == _AUTO:
        chosen = "quick" if configured == _AUTO else configured
        return f"as the settings say: {chosen}"
    limits = EFFORTS[effort]  # type: ignore[index]
    return _COSTS[effort].format(calls=limits.calls, seconds=limits.seconds)


def choose_effort(settings: Settings, installed: Sequence[ModelStatus]) -> EffortName | None:
    """The effort of the next question; None is that of the settings."""
    model = has_model(settings, installed)
    configured = settings.thoughts.effort
    chosen = str(
        st.selectbox(
            "Thinking",
            efforts(model=model),
            key=f"chosen-effort-{model}",
            persist_state="session",
            help="How hard to think about a question that no single passage answers.",
        )
    )
    st.caption(cost_text(chosen, configured).capitalize() + ".")
    if not model:
        st.caption("Normal and deep need a language model: fetch one under Models.")
    return None if chosen == _AUTO else chosen  # type: ignore[return-value]
