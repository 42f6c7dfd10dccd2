"""The sliders of a search: weights, depth, fusion, how many passages; and keeping them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.components.notices import errors_shown, show_warning
from app.components.text import plain
from app.components.words import STAGES
from assistant.settings import Settings, save_settings
from indexes.fusion import FUSIONS

DEEPEST = 1000  # candidates of a stage that the slider reaches, if the settings have no more
_SHOWN = 5
_AGAIN = "weighing-again"
_FUSIONS = {"min-max": "scores (min-max)", "rrf": "ranks (reciprocal)"}


@dataclass(frozen=True, slots=True)
class Weighing:
    """How stages' lists are fused, and how many passages of the result are shown."""

    weights: dict[str, float]
    depth: int
    fusion: str
    shown: int


def deepest(settings: Settings) -> int:
    """How many candidates of each stage the sliders can ask for."""
    return max(DEEPEST, settings.retrieval.depth)


def show_weighing(settings: Settings, stages: Collection[str]) -> Weighing:
    """Draw the sliders, one weight for each stage that takes part; begin with the settings."""
    in_force = _in_force(settings)
    weights = dict(settings.retrieval.weights)
    shown_stages = [stage for stage in STAGES if stage in stages]
    for stage, column in zip(shown_stages, st.columns(len(shown_stages)), strict=True):
        label = f"Weight of {STAGES[stage]}"
        with column:
            name = f"{stage}_weight"
            # The value is given here and never through the session's state: a slider that the
            # browser draws anew would begin at its lowest value, and send that.
            weights[stage] = st.slider(label, 0.0, 1.0, in_force[name], 0.01, key=_key(name))
    deep, how, many = st.columns(3)
    depth = deep.slider(
        "Candidates of each",
        1,
        deepest(settings),
        in_force["depth"],
        key=_key("depth"),
        help="How many passages each of them gives to the fusion.",
    )
    fusion = how.selectbox(
        "Fused by",
        list(FUSIONS),
        format_func=lambda name: _FUSIONS.get(name, name),
        key=_key("fusion"),
        help="To try out; answers are always made with min-max.",
    )
    shown = many.slider("Passages shown", 1, 30, _SHOWN, key=_key("shown"))
    weighing = Weighing(weights, depth, fusion, shown)
    _show_keeping(settings, weighing)
    return weighing


def _key(name: str) -> str:
    """The key of a widget; another one after each going back, so that it begins anew."""
    again = st.session_state.get(_AGAIN, 0)
    return f"weighing-{name}-{again}" if again else f"weighing-{name}"


def _in_force(settings: Settings) -> dict[str, Any]:
    retrieval = settings.retrieval
    weights = {f"{stage}_weight": weight for stage, weight in retrieval.weights.items()}
    return {**weights, "depth": retrieval.depth}


def _show_keeping(settings: Settings, weighing: Weighing) -> None:
    """What is in force; if something else is tried out, buttons to keep it or to go back."""
    before = _in_force(settings)
    after = {f"{stage}_weight": weight for stage, weight in weighing.weights.items()}
    after["depth"] = weighing.depth
    changes = {name: value for name, value in after.items() if value != before[name]}
    words = [f"{STAGES[s]} {weight:.2f}" for s, weight in settings.retrieval.weights.items()]
    in_force = f"{', '.join(words)}, {settings.retrieval.depth:,} candidates of each"
    if settings.retrieval.reranker != "off":  # it comes after what is tried out here
        in_force += (
            f"; then the first {settings.retrieval.rerank_depth} are reranked by "
            f"{settings.retrieval.reranker}"
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(f"In force for answers: {in_force}."))
        if changes:
            st.button(
                "Keep these weights",
                icon=":material/save:",
                on_click=_keep,
                args=(settings, changes),
            )
            st.button("Back to those in force", type="tertiary", on_click=_go_back)


def _keep(settings: Settings, changes: dict[str, Any]) -> None:
    with errors_shown():
        named = {f"retrieval.{name}": value for name, value in changes.items()}
        saved = _in_force(save_settings(settings.home, named))
        if any(saved[name] != value for name, value in changes.items()):
            show_warning(
                "the weights were kept, but the environment sets others",
                "unset its variables ASSISTANT_RETRIEVAL__…",
            )
        else:
            st.toast("Kept: answers are searched for with these.", icon=":material/check:")


def _go_back() -> None:
    st.session_state[_AGAIN] = st.session_state.get(_AGAIN, 0) + 1
