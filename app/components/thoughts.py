"""The graph of an answer: what was found out, what it rests on, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import streamlit as st

from app.components.chart import Drawing, Link, chart_spec, clicked, drawing_of
from app.components.fact_table import show_table
from app.components.facts import Facts, show_fact
from app.components.growth import Growth
from app.components.notices import errors_shown, sentence
from app.components.text import one_line, plain
from app.components.turn import TurnView
from app.components.visiting import show_pages
from app.components.words import counted
from assistant.thoughts.contradictions import find_contradictions
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.model import Fact, Node
from assistant.thoughts.support import Support, support_of
from assistant.thoughts.verbalise import fact_in_words

_MOST_FACTS = 8  # shown of one node
_HEIGHT = 460  # pixels


@dataclass(frozen=True, slots=True)
class AnswerGraph:
    """An answer's graph with what it rests on."""

    graph: ThoughtGraph
    support: Support
    growth: Growth

    @property
    def labels(self) -> dict[str, str]:
        """Names of nodes by id; slots in words."""
        own = {node.id: node.label for node in self.graph.nodes()}
        return own | {slot: self.growth.slot_words(slot) for slot in self.growth.slots}

    @property
    def supporting(self) -> set[str]:
        return {fact.id for fact in self.support.facts}


def answer_graph(view: TurnView) -> AnswerGraph:
    """Replay a turn's graph.

    Raises:
        GraphError: its batches do not fit together.
    """
    graph = ThoughtGraph.replay(view.growth.batches)
    ids = view.thought.support if view.thought is not None else ()
    return AnswerGraph(graph, support_of(graph, ids), view.growth)


def drawing_of_answer(answer: AnswerGraph) -> Drawing:
    """Entities, values, slots with what fills them, and the passages that the answer rests on."""
    graph, support = answer.graph, answer.support
    links = [Link(slot.id, filled.id) for slot, filled in _filled(answer)]
    for fact in support.facts:
        links += [Link(f"passage:{passage}", fact.subject) for passage in fact.passages]
    facts = list(graph.facts(obsolete=True))
    return drawing_of(list(graph.nodes()), facts, answer.supporting, dict.fromkeys(links))


def slot_lines(view: TurnView, answer: AnswerGraph) -> list[str]:
    """What had to be known: by which fact it is, or that it is missing. Markdown, escaped."""
    missing = iter(view.thought.missing if view.thought is not None else ())
    labels, lines = answer.labels, []
    for slot in answer.growth.slots.values():
        words = labels[slot.id]
        if slot.status == "known":
            fact = _fact_of(slot, answer.graph)
            found = answer.growth.filled.get(slot.id, ("", ""))[1]
            told = fact_in_words(fact, labels, cite=None) if fact else slot.why
            known = f"{plain(found)} – " if found else ""
            lines.append(
                f":material/check_circle: {plain(one_line(words, 160))}: {known}{plain(told)}"
            )
        else:
            asked = next(missing, words) if slot.status == "wanted" else words
            state = "still missing" if slot.status == "wanted" else "refuted"
            lines.append(f":material/help: {plain(one_line(asked, 160))}: **{state}**")
    return lines


def falling_lines(answer: AnswerGraph, title: Callable[[str], str]) -> list[str]:
    """What would be gone without each source; not escaped."""
    lines = []
    for source, facts in answer.support.falls.items():
        words = "; ".join(fact_in_words(fact, answer.labels, cite=None) for fact in facts)
        lines.append(f"Without “{one_line(title(source), 60)}”: {words}")
    return lines


def show_thoughts(view: TurnView, facts: Facts) -> None:
    """Folded below an answer; nothing for turns without a graph.

    Args:
        facts: how facts are shown; the labels follow from the graph.
    """
    if not view.growth.batches:
        return
    key = f"graph-{view.turn_id}"
    folded = st.expander("Graph of this answer", icon=":material/hub:", key=key, on_change="rerun")
    # Replayed and drawn only where it is looked at: a long conversation has many.
    if not folded.open:
        return
    with folded, errors_shown():
        answer = answer_graph(view)
        _show(view, answer, replace(facts, labels=answer.labels), key)


def _show(view: TurnView, answer: AnswerGraph, facts: Facts, key: str) -> None:
    st.caption(plain(sentence(view.growth.line)))
    chosen: list[Fact] | None = None
    if len(answer.graph):  # facts; slots alone are no drawing
        chosen = _choose(drawing_of_answer(answer), answer, key, _title(facts))
    else:
        st.caption("No sentence read states a fact that bears on the question.")
    if chosen is None:
        chosen = list(answer.support.facts)
        if chosen:
            st.caption("What the answer rests on")
    for fact in chosen[:_MOST_FACTS]:
        show_fact(fact, facts, key, strong=fact.id in answer.supporting)
    show_pages(_ends(chosen[:_MOST_FACTS], answer), facts.page, key)
    if len(chosen) > _MOST_FACTS:
        st.caption(f"{len(chosen) - _MOST_FACTS:,} more; choose one in the list.")
    _show_slots(view, answer)
    _show_falls(view, answer, facts)
    _show_contradictions(answer)


def show_chart(drawing: Drawing, key: str, labels: dict[str, str]) -> tuple[list[Fact], list[Node]]:
    """The chart with what is left out; returns what was clicked."""
    state = st.echarts_chart(
        chart_spec(drawing, labels),
        height=_HEIGHT,
        key=f"{key}-chart",
        on_select="rerun",
        renderer="svg",
        alt=f"Graph of {counted(len(drawing.nodes), 'node')} and "
        f"{counted(len(drawing.facts), 'fact')}",
    )
    nodes, facts = drawing.left_out
    if nodes or facts:
        st.caption(f"Left out: {counted(nodes, 'node')} and {counted(facts, 'fact')}.")
    return clicked(drawing, state)


def _choose(
    drawing: Drawing, answer: AnswerGraph, key: str, place: Callable[[str], str]
) -> list[Fact] | None:
    """The facts that were chosen by a click on the chart or in the list; None: none was."""
    labels = answer.labels
    ordered = sorted(
        answer.graph.facts(obsolete=True), key=lambda fact: fact.id not in answer.supporting
    )
    drawn, listed_ = st.tabs(["Drawing", "Table"])
    with drawn:
        facts, nodes = show_chart(drawing, key, labels)
    with listed_:
        show_table(ordered, labels, answer.supporting, place)
    by_id = {fact.id: fact for fact in ordered}
    picked = st.selectbox(
        "Fact",
        list(by_id),
        index=None,
        key=f"{key}-fact",
        placeholder="Click in the graph, or choose a fact",
        format_func=lambda identity: one_line(
            fact_in_words(by_id[identity], labels, cite=None), 110
        ),
        label_visibility="collapsed",
    )
    around = [fact for node in nodes for fact in _around(node, answer)]
    listed = [by_id[picked]] if picked in by_id else []
    chosen = {fact.id: fact for fact in (*facts, *around, *listed)}
    return list(chosen.values()) if facts or nodes or listed else None


def _around(node: Node, answer: AnswerGraph) -> Iterable[Fact]:
    if node.kind == "thought":
        fact = _fact_of(node, answer.graph)
        return [fact] if fact else []
    if node.kind == "passage":
        source = node.id.partition(":")[2]
        return [fact for fact in answer.graph.facts() if source in fact.passages]
    return list(answer.graph.facts_of(node.id))


def _show_slots(view: TurnView, answer: AnswerGraph) -> None:
    lines = slot_lines(view, answer)
    if not lines:
        return
    st.caption("What had to be known")
    st.markdown("\n".join(f"- {line}" for line in lines))
    searched = view.thought.searched if view.thought is not None else ()
    if searched:
        st.caption("Searched for on the way")
        st.markdown("\n".join(f"- {plain(one_line(text, 200))}" for text in searched))


def _show_falls(view: TurnView, answer: AnswerGraph, facts: Facts) -> None:
    if lines := falling_lines(answer, _title(facts)):
        st.caption("What would fall with a source")
        st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def _title(facts: Facts) -> Callable[[str], str]:
    """The title of a passage, by its id."""

    def title(source: str) -> str:
        passage = facts.passage(source)
        return passage.title if passage is not None else source

    return title


def _ends(facts: Iterable[Fact], answer: AnswerGraph) -> list[Node]:
    """What the facts are about, each once."""
    ids = dict.fromkeys(end for fact in facts for end in (fact.subject, fact.object))
    return [answer.graph.node(identity) for identity in ids]


def _show_contradictions(answer: AnswerGraph) -> None:
    found = find_contradictions(answer.graph)
    if not found:
        return
    st.caption(":material/warning: Contradictions; the first is the one to believe")
    for contradiction in found:
        told = [
            fact_in_words(answer.graph.fact(identity), answer.labels, cite=None)
            for identity in contradiction.facts
        ]
        lines = [f"- {plain(contradiction.why)}", *(f"    - {plain(text)}" for text in told)]
        st.markdown("\n".join(lines))


def _fact_of(slot: Node, graph: ThoughtGraph) -> Fact | None:
    identity = slot.why.removeprefix("by ")
    return graph.fact(identity) if identity in graph.table else None


def _filled(answer: AnswerGraph) -> Iterable[tuple[Node, Node]]:
    """Known slots with the node that fills them."""
    for slot in answer.growth.slots.values():
        fact = _fact_of(slot, answer.graph)
        name = answer.growth.filled.get(slot.id, ("", ""))[1]
        if fact is not None:
            ends = [answer.graph.node(end) for end in (fact.subject, fact.object)]
            yield from ((slot, end) for end in ends if end.label == name)
