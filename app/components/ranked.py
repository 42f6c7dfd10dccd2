"""Ranked passages with what ranked them: the fused list, each stage's own, a passage's fate.

Takes explanations (`indexes.explaining`) of searches with one query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.text import one_line, plain
from app.components.words import STAGES, counted
from indexes.documents import Passage
from indexes.explaining.explain import ExplainedHit, Explanation, StageHit, StageList
from indexes.explaining.matched import Match, MatchedTerm
from indexes.explaining.why_not import WhyNot

Open = Callable[[Passage], None]
"""Shows a passage in its document."""

_TEXT = 180  # characters of a passage
_TERMS = 6  # matched terms of a passage


def passage_key(passage: Passage) -> tuple[str, str]:
    """Tells passages of two indexes of the same documents apart: ids need not be the same."""
    return (passage.uri, passage.text)


def show_fused(
    found: Explanation, open_passage: Open, key: str, other: Explanation | None = None
) -> None:
    """The result, each passage with its place and part of the score by stage.

    Args:
        key: of its buttons.
        other: the same search in another index, to say where that has the same passages.
    """
    if not found.hits:
        st.markdown("Nothing found.")
    ranks = {passage_key(hit.passage): hit.rank for hit in other.hits} if other else {}
    for hit in found.hits:
        note = ""
        if other is not None:
            rank = ranks.get(passage_key(hit.passage))
            note = f"there at rank {rank}" if rank else f"there not in the first {len(other.hits)}"
        _show_fused_hit(hit, open_passage, f"{key}-fused-{hit.rank}", note)


def show_stage(own: StageList, open_passage: Open, key: str) -> None:
    """What a stage would have returned alone."""
    if not own.hits:
        st.markdown("Nothing found.")
    for hit in own.hits:
        _show_stage_hit(own.stage, hit, open_passage, f"{key}-{own.stage}-{hit.rank}")


def show_fate(lost: WhyNot, open_passage: Open, key: str) -> None:
    """What became of a passage that was asked about: in sentences, as a table, what matched."""
    st.markdown(f"**{plain(lost.verdict)}**")
    if lost.passage is None:
        return
    st.caption(f"{plain(_sentence(lost.location.note))}")
    with st.container(border=True, gap="small"):
        _show_passage(lost.passage, open_passage, f"{key}-fate")
        for match in lost.matches:
            _show_match(match)
    st.dataframe(fate_rows(lost), hide_index=True, width="stretch")


def fate_rows(lost: WhyNot) -> list[dict[str, Any]]:
    """One row for each stage, and one for the fused list."""
    rows = [
        {
            "stage": STAGES.get(one.stage, one.stage),
            "rank": "–" if one.rank is None else f"{one.rank:,} of {one.of:,}",
            "score": _number(one.score),
            "last taken": _number(one.last),
            "taken": one.given,
            "weight": f"{one.weight:.2f}",
            "share": f"{one.share:.3f}",
        }
        for one in lost.stages
    ]
    fused = {
        "stage": "together",
        "rank": "–" if lost.rank is None else f"{lost.rank:,}",
        "score": f"{lost.score:.3f}",
        "last taken": f"{lost.last_score:.3f}",
        "taken": lost.found,
        "weight": "",
        "share": f"{sum(one.share for one in lost.stages):.3f}",
    }
    return [*rows, fused]


def show_missing(missing: Mapping[str, str]) -> None:
    """Stages that took no part, and why."""
    for stage, why in missing.items():
        st.caption(f":orange[:material/info:] {plain(f'Without {STAGES[stage]}: {why}')}")


def show_stages(found: Explanation, columns: Sequence[Any], open_passage: Open, key: str) -> None:
    """Each stage's own list in a column."""
    for own, column in zip(found.lists, columns, strict=False):
        with column:
            st.markdown(f"**{STAGES[own.stage].capitalize()}** alone")
            st.caption(f"{counted(own.candidates, 'candidate')}, weight {own.weight:.2f}")
            show_stage(own, open_passage, key)


def _show_fused_hit(hit: ExplainedHit, open_passage: Open, key: str, note: str) -> None:
    (part,) = hit.queries
    with st.container(border=True, gap="small"):
        _show_passage(hit.passage, open_passage, key, f"{hit.rank}. ")
        places = [
            f"{STAGES[stage]} #{own.rank} → {own.share:.3f}" for stage, own in part.stages.items()
        ]
        st.caption(plain(f"{hit.score:.3f} = {' · '.join(places)}"))
        _show_match(part.match)
        if note:
            st.caption(plain(_sentence(note)))


def _show_stage_hit(stage: str, hit: StageHit, open_passage: Open, key: str) -> None:
    with st.container(border=True, gap="small"):
        _show_passage(hit.passage, open_passage, key, f"{hit.rank}. ")
        terms = {"lexical": hit.match.words, "sparse": hit.match.terms}.get(stage, ())
        st.caption(plain(" · ".join(filter(None, [f"{hit.score:.3f}", _terms(terms)]))))


def _show_passage(passage: Passage, open_passage: Open, key: str, before: str = "") -> None:
    """Its title, which opens it, and how it begins."""
    page = f", p. {passage.page}" if passage.page is not None else ""
    label = plain(one_line(f"{before}{passage.name or passage.uri}{page}", 64))
    if st.button(label, key=key, type="tertiary", help="Open it in its document"):
        open_passage(passage)
    st.markdown(plain(one_line(passage.text, _TEXT)))


def _show_match(match: Match) -> None:
    parts = []
    if match.words:
        parts.append(f"words: {_terms(match.words)}")
    if match.terms:
        parts.append(f"related words: {_terms(match.terms)}")
    if match.similarity is not None:
        parts.append(f"nearness: {match.similarity:.3f}")
    if parts:
        st.caption(plain("\n".join(_sentence(part, "") for part in parts)))


def _terms(terms: Sequence[MatchedTerm]) -> str:
    shown = ", ".join(f"{one.term} {one.share:.2f}" for one in terms[:_TERMS])
    return f"{shown}, {len(terms) - _TERMS} more" if len(terms) > _TERMS else shown


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _sentence(text: str, end: str = ".") -> str:
    return f"{text[:1].upper()}{text[1:]}{end}"
