"""A fact as the page shows it: in words, with its sentence, and a button that opens the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from app.components.text import one_line, plain
from app.components.turn import Source
from assistant.events import FoundPassage
from assistant.retrieving import found_passages
from assistant.thoughts.model import Evidence, Fact
from assistant.thoughts.verbalise import fact_in_words
from indexes.documents import Passage
from indexes.index import Hit

_MOST_PLACES = 5  # sentences that are shown of one fact
_QUOTE = 400


@dataclass(frozen=True, slots=True)
class Facts:
    """What showing facts needs.

    Attributes:
        labels: names of nodes by id.
        passage: finds a passage by id; None where it is gone.
        open: shows a source.
        keep: keeps a fact with the index; None where that is not offered.
        why_not: why facts cannot be kept, where they cannot.
        without: asks the question again without a fact; None where that is not offered.
        page: gives what opens an entity's page, by its id; None where there is no such page.
    """

    labels: Mapping[str, str]
    passage: Callable[[str], FoundPassage | None]
    open: Callable[[Source], None]
    keep: Callable[[Fact], None] | None = None
    why_not: str = ""
    without: Callable[[Fact], None] | None = None
    page: Callable[[str], Callable[[], None] | None] = lambda identity: None


def passage_as_found(passage: Passage) -> FoundPassage:
    """A passage of an index, without the number that a citation would have."""
    (found,) = found_passages([Hit(passage, 0, 0.0, {})])
    return found


def source_of(evidence: Evidence, passage: FoundPassage) -> Source:
    """The place in the document that a fact's evidence names.

    The quoted sentence is looked for where the passage has changed; without it the whole passage is
    meant.
    """
    start, end = evidence.start, evidence.end
    if evidence.quote and passage.text[start:end] != evidence.quote:
        start = passage.text.find(evidence.quote)
        end = start + len(evidence.quote)
    if not 0 <= start < end <= len(passage.text):
        return Source(passage, (), ())
    quote = passage.text[start:end]
    return Source(passage, ((passage.start + start, passage.start + end),), (quote,))


def show_fact(fact: Fact, facts: Facts, key: str, *, strong: bool = False) -> None:
    """The fact, its sentences, their places.

    Args:
        key: of its buttons.
        strong: it is one of those that the answer rests on.
    """
    words = plain(fact_in_words(fact, facts.labels, cite=None))
    with st.container(border=True, gap="small"):
        st.markdown(f"**{words}**" if strong else words)
        shown = fact.evidence[:_MOST_PLACES]
        for number, evidence in enumerate(shown):
            if evidence.quote:
                st.caption(f"“{plain(one_line(evidence.quote, _QUOTE))}”")
            with st.container(horizontal=True, gap="small"):
                _show_place(evidence, facts, f"{key}-{fact.id}-{number}")
                if number == len(shown) - 1:
                    _show_keep(fact, facts, key)
                    _show_without(fact, facts, key)
        if len(fact.evidence) > _MOST_PLACES:
            st.caption(f"Said in {len(fact.evidence) - _MOST_PLACES:,} more places.")


def _show_place(evidence: Evidence, facts: Facts, key: str) -> None:
    """The button that opens the place; who said it, where it was no passage."""
    passage = facts.passage(evidence.source) if evidence.kind == "passage" else None
    if passage is not None:
        source = source_of(evidence, passage)
        if st.button(plain(one_line(source.label, 64)), key=f"place-{key}"):
            facts.open(source)
    elif evidence.kind == "passage":
        st.caption("The passage is no longer in the index.")
    else:
        st.caption(plain(f"Said by: {evidence.source}"))


def _show_keep(fact: Fact, facts: Facts, key: str) -> None:
    if facts.keep is None and not facts.why_not:
        return
    pressed = st.button(
        "Keep this fact",
        key=f"keep-{key}-{fact.id}",
        icon=":material/keep:",
        type="tertiary",
        disabled=facts.keep is None,
        help=facts.why_not or "It stays in the graph of the index, as yours; can be undone.",
    )
    if pressed and facts.keep is not None:
        facts.keep(fact)


def _show_without(fact: Fact, facts: Facts, key: str) -> None:
    if facts.without is None or fact.obsolete:
        return
    if st.button(
        "Ask again without it",
        key=f"without-{key}-{fact.id}",
        icon=":material/undo:",
        type="tertiary",
        help="The fact does not count, and its sentence is not read; only for this question.",
    ):
        facts.without(fact)
