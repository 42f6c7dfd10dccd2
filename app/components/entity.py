"""An entity of an index's graph: its names, its facts in words, its neighbours, its passages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from app.components.chart import drawing_of
from app.components.facts import Facts, show_fact
from app.components.text import one_line, plain
from app.components.thoughts import show_chart
from app.components.turn import Source
from app.components.words import counted
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.persistent.graph import EntityPage, KnowledgeGraph

_MOST_FACTS = 30  # listed on each side
_NEIGHBOURS = 24  # drawn
_PASSAGES = 12


def kind_text(node: Node) -> str:
    """`person`, `date`; the kind where no type is known. Not escaped."""
    return node.type or {"entity": "thing", "value": "value"}.get(node.kind, node.kind)


def also_called(node: Node) -> str:
    """The other names on one line; not escaped."""
    return ", ".join(one_line(alias, 80) for alias in node.aliases[:20])


def show_results(found: Sequence[Node], choose: Callable[[str], None]) -> None:
    """What a search found; each opens its page."""
    with st.container(horizontal=True, gap="small"):
        for node in found:
            st.button(
                plain(f"{one_line(node.label, 48)} ({kind_text(node)})"),
                key=f"entity-{node.id}",
                on_click=choose,
                args=(node.id,),
            )


def show_entity(
    page: EntityPage, graph: KnowledgeGraph, facts: Facts, choose: Callable[[str], None]
) -> None:
    """One entity's page.

    Args:
        facts: how facts are shown; labels are put in here.
        choose: opens another entity.
    """
    node = page.node
    st.subheader(plain(one_line(node.label, 120)), anchor=False)
    st.caption(plain(kind_text(node)))
    if node.aliases:
        st.markdown(plain(f"Also called: {also_called(node)}"))
    if node.description:
        st.markdown(plain(node.description))
    ends = [end for fact in page.facts for end in (fact.subject, fact.object)]
    near = {node.id: node, **graph.nodes(ends)}
    told = replace(facts, labels={identity: other.label for identity, other in near.items()})
    _show_neighbours(page, near, choose)
    _show_facts(f"What is said of it ({len(page.as_subject):,})", page.as_subject, told, "subject")
    _show_facts(f"What refers to it ({len(page.as_object):,})", page.as_object, told, "object")
    _show_passages(page.passages, told)


def _show_neighbours(
    page: EntityPage, near: dict[str, Node], choose: Callable[[str], None]
) -> None:
    others = {identity: node for identity, node in near.items() if node.id != page.node.id}
    if not others:
        return
    drawing = drawing_of(list(near.values()), page.facts, (), most=_NEIGHBOURS)
    drawing = replace(drawing, strong=frozenset({page.node.id}))
    _, nodes = show_chart(drawing, f"near-{page.node.id}", {})
    clicked = [node for node in nodes if node.id != page.node.id]
    if clicked:
        st.button(
            plain(f"Open {one_line(clicked[0].label, 60)}"),
            icon=":material/arrow_forward:",
            key="open-neighbour",
            on_click=choose,
            args=(clicked[0].id,),
        )


def _show_facts(title: str, listed: Sequence[Fact], facts: Facts, key: str) -> None:
    if not listed:
        return
    st.markdown(f"**{plain(title)}**")
    for fact in listed[:_MOST_FACTS]:
        show_fact(fact, facts, f"{key}")
    if len(listed) > _MOST_FACTS:
        st.caption(f"{counted(len(listed) - _MOST_FACTS, 'fact')} more, not shown.")


def _show_passages(passage_ids: Sequence[str], facts: Facts) -> None:
    found = [passage for identity in passage_ids if (passage := facts.passage(identity))]
    if not found:
        return
    st.markdown(f"**Named in {counted(len(found), 'passage')}**")
    with st.container(horizontal=True, gap="small"):
        for passage in found[:_PASSAGES]:
            source = Source(passage, (), ())
            if st.button(
                plain(one_line(source.label, 64)),
                key=f"named-{passage.passage_id}",
                help=plain(one_line(passage.text, 240)),
            ):
                facts.open(source)
    if len(found) > _PASSAGES:
        st.caption(f"{counted(len(found) - _PASSAGES, 'passage')} more, not shown.")
