"""The options of the conversation, at the left: only what the reader in force can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.components.effort import efforts, has_model
from app.components.notices import show_warning
from app.components.reader_choice import LABELS, PROMPTED, available_readers, kind_of
from assistant.answering.forms import LANGUAGES, LENGTHS
from assistant.models.store import ModelStatus
from assistant.options import TurnOptions
from assistant.settings import Settings

_LATER = "options-to-set"
_AS_SET = "auto"
_FORMS = {
    "auto": "As the settings say",
    "passages": "Passages",
    "triples": "Facts read in them",
    "both": "Both",
}
_LENGTHS = {"auto": "As the settings say", "short": "Short", "normal": "Normal", "long": "Long"}


def set_later(options: TurnOptions) -> None:
    """Choose these when the page runs again: what is drawn already cannot be changed."""
    st.session_state[_LATER] = {**st.session_state.get(_LATER, {}), **options.chosen}


def choose_options(settings: Settings, installed: Sequence[ModelStatus]) -> TurnOptions:
    """What was chosen, without the effort. Drawn folded."""
    pending = _pending(settings, installed)
    readers = [str(name) for name in available_readers(settings, installed)]
    with st.expander("Answer options", icon=":material/tune:", key="answer-options"):
        chosen = {"reader": _select("Reader", "reader", readers, LABELS, pending)}
        kind = kind_of(chosen["reader"], settings, installed)
        if kind in PROMPTED:
            chosen["length"] = _select("Length", "length", ["auto", *LENGTHS], _LENGTHS, pending)
            chosen["language"] = _language(settings, pending)
            chosen["form"] = _select("The model is given", "form", list(_FORMS), _FORMS, pending)
        if kind == "answerer":
            chosen["reliance"] = _reliance(pending)
        if kind not in PROMPTED:
            st.caption("Length and language can be chosen where a language model answers.")
    return TurnOptions(**{k: v for k, v in chosen.items() if v is not None})  # type: ignore[arg-type]


def _pending(settings: Settings, installed: Sequence[ModelStatus]) -> dict[str, str]:
    """What a command chose, as far as it can be had here; the rest is said."""
    pending: dict[str, str] = st.session_state.pop(_LATER, {})
    reader = pending.get("reader")
    if reader is not None and reader not in available_readers(settings, installed):
        show_warning(f"the reader '{reader}' is not there", "see the page Models")
        del pending["reader"]
    model = has_model(settings, installed)
    effort = pending.pop("effort", None)
    if effort is not None and effort not in efforts(model=model):
        show_warning(f"'{effort}' needs a language model", "fetch one on the page Models")
    elif effort is not None:
        st.session_state[f"chosen-effort-{model}"] = effort
    kind = kind_of(
        pending.get("reader") or st.session_state.get("option-reader"), settings, installed
    )
    wanting = [name for name in pending if name != "reader"]
    able = kind in PROMPTED and (kind == "answerer" or "reliance" not in wanting)
    if wanting and not able:
        show_warning(
            f"{', '.join(wanting)}: the reader in force cannot do that",
            "choose a language model as the reader",
        )
        pending = {name: value for name, value in pending.items() if name == "reader"}
    return pending


def _select(
    label: str, name: str, values: Sequence[str], labels: dict[str, str], pending: dict[str, str]
) -> str | None:
    """One choice; None leaves it to the settings."""
    key = f"option-{name}"
    if pending.get(name) in values:
        st.session_state[key] = pending[name]
    chosen = st.selectbox(
        label,
        values,
        key=key,
        persist_state="session",
        format_func=lambda value: labels.get(value, value),
    )
    return None if chosen == _AS_SET else str(chosen)


def _language(settings: Settings, pending: dict[str, str]) -> str | None:
    own = {"auto": "As the settings say"}
    own |= {str(code): names[1] for code, names in LANGUAGES.items()}
    chosen = _select("Language", "language", list(own), own, pending)
    if chosen is not None or settings.answering.language != "auto":
        st.caption("Checked in the language of the documents, then translated.")
    return chosen


def _reliance(pending: dict[str, str]) -> str | None:
    """The dial between the documents and what the model knows."""
    key = "option-reliance"
    places: list[Any] = ["auto", "off", "0", "0.25", "0.5", "0.75", "1"]
    wanted = pending.get("reliance")
    if wanted is not None:
        if wanted not in places:
            places = sorted({*places[2:], wanted}, key=float)
            places = ["auto", "off", *places]
        st.session_state[key] = wanted
    elif (kept := st.session_state.get(key)) not in (None, *places):
        places.append(kept)
    labels = {
        "auto": "As the settings say",
        "off": "Off",
        "0": "0: the documents",
        "0.5": "0.5: both",
        "1": "1: the model itself",
    }
    chosen = st.selectbox(
        "Reliance on the model",
        places,
        key=key,
        persist_state="session",
        format_func=lambda place: labels.get(place, place),
        help="How far each word leans on what the model knows itself. It takes twice as long.",
    )
    return None if chosen == "auto" else str(chosen)
