"""Questions that a person may ask next, each of which can be answered.

They come from what a teacher prepared for passages that the answer was made of, and from the graph
of the index: things that are named together with what the answer rests on. A question is offered
only where it is found again: the passage that it came from is among the first of a search for it,
and has a sentence near enough to be quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass

from assistant.answering.evidence import select_evidence
from assistant.answering.readers import EXTRACTIVE_THRESHOLD
from assistant.errors import KnowledgeAssistantError, ModelMissingError
from assistant.events import AnswerDone, FoundPassage, GraphChanged, PassagesFound, TurnStarted
from assistant.knowledge.entries import normal
from assistant.knowledge.store import KnowledgeStore
from assistant.memory.conversations import Turn
from assistant.retrieving import found_passages
from assistant.thoughts.changes import CreateEdge, CreateNode, ReviseEdge
from assistant.thoughts.likeness import Likeness
from assistant.thoughts.model import Fact, Node, normal_form
from assistant.workspace import Workspace

MOST = 3
_TRIED = 6  # candidates that are searched for, at most
_AMONG = 3  # the passage has to be among so many
_EVIDENCE = 280  # tokens; what a reader reads
_NEIGHBOURS = 60
_SHORTEST = 3  # letters of a name


@dataclass(frozen=True, slots=True)
class _Candidate:
    question: str
    passages: frozenset[str]


def suggest(
    workspace: Workspace,
    turn: Turn,
    asked: Sequence[str] = (),
    *,
    between: Callable[[], object] = lambda: None,
) -> tuple[str, ...]:
    """At most three questions after a turn; none after an abstention or an unfinished answer.

    Args:
        asked: what was asked in the conversation already.
        between: called before each search; what it raises ends the work. Each takes a tenth of a
            second or so, and somebody may be waiting.
    """
    started = next((e for e in turn.events if isinstance(e, TurnStarted)), None)
    done = next((e for e in turn.events if isinstance(e, AnswerDone)), None)
    if started is None or done is None or done.abstained or not done.sentences:
        return ()
    before = {normal(question) for question in (*asked, turn.question)}
    found: list[str] = []
    with suppress(KnowledgeAssistantError):  # the index is gone or damaged: there is no next
        for number, candidate in enumerate(_candidates(workspace, started.index, turn, done)):
            if number >= _TRIED or len(found) >= MOST:
                break
            if normal(candidate.question) in before:
                continue
            before.add(normal(candidate.question))
            between()
            if _answers(workspace, started.index, candidate):
                found.append(candidate.question)
    return tuple(found)


def _candidates(
    workspace: Workspace, index: str, turn: Turn, done: AnswerDone
) -> Iterator[_Candidate]:
    cited = {c.passage_id for s in done.sentences if s.status != "dropped" for c in s.citations}
    yield from _prepared(workspace, index, _passages(turn, cited))
    yield from _named(workspace, index, turn, cited)


def _passages(turn: Turn, cited: Set[str]) -> list[FoundPassage]:
    """What was cited, then what was found beside it."""
    found: dict[str, FoundPassage] = {}
    for event in turn.events:
        if isinstance(event, PassagesFound):
            found = {passage.passage_id: passage for passage in event.passages}
    return sorted(found.values(), key=lambda p: (p.passage_id not in cited, p.number))


def _prepared(
    workspace: Workspace, index: str, passages: Sequence[FoundPassage]
) -> Iterator[_Candidate]:
    """Prepared questions of these passages; a person's own first, then in their order."""
    store = KnowledgeStore(workspace.index_folder(index))
    if not store.exists:
        return
    place = {passage.passage_id: number for number, passage in enumerate(passages)}
    entries = [
        entry
        for entry in store.entries()
        if entry.kind == "qa" and entry.tier != "rejected" and entry.passage_id in place
    ]
    entries.sort(key=lambda e: (place[e.passage_id], e.tier != "approved", -e.score))
    for entry in entries:
        yield _Candidate(entry.question, frozenset((entry.passage_id,)))


def _named(workspace: Workspace, index: str, turn: Turn, cited: Set[str]) -> Iterator[_Candidate]:
    """Questions about what the graph of the index names beside the things of the answer."""
    graph = workspace.graph(index)
    if graph is None:
        return
    said = normal_form(f"{turn.question} {turn.answer}")
    own = [node.label for node in _answer_nodes(turn, cited)]
    ids = [node.id for label in own for node in graph.entities_named(label)]
    facts = graph.neighbourhood(ids, _NEIGHBOURS) if ids else []
    nodes = graph.nodes([end for fact in facts for end in (fact.subject, fact.object)])
    for name, about in _by_other_end(facts, nodes, set(ids)):
        if normal_form(name.label) not in said:
            passages_of = frozenset(p for fact in about for p in fact.passages)
            yield _Candidate(_question_about(name), passages_of)
    # What the answer names but was not asked about.
    for node in graph.nodes(ids).values():
        if _is_name(node) and normal_form(node.label) not in normal_form(turn.question):
            about = [fact for fact in facts if node.id in (fact.subject, fact.object)]
            yield _Candidate(
                _question_about(node), frozenset(p for fact in about for p in fact.passages)
            )


def _answer_nodes(turn: Turn, cited: Set[str]) -> list[Node]:
    """The entities that cited passages say something of, in the order they came in.

    What else was read came near the question and did not help to answer it.
    """
    nodes: dict[str, Node] = {}
    ends: set[str] = set()
    for event in turn.events:
        if isinstance(event, GraphChanged):
            for change in event.batch.changes:
                if isinstance(change, CreateNode) and change.node.kind == "entity":
                    nodes[change.node.id] = change.node
                elif isinstance(change, CreateEdge | ReviseEdge):
                    fact = change.fact if isinstance(change, CreateEdge) else change.new
                    if not cited.isdisjoint(fact.passages):
                        ends |= {fact.subject, fact.object}
    return [node for id_, node in nodes.items() if id_ in ends]


def _by_other_end(
    facts: Sequence[Fact], nodes: dict[str, Node], own: set[str]
) -> Iterator[tuple[Node, list[Fact]]]:
    """Names at the other end of facts, with these facts."""
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        for end in (fact.object, fact.subject):
            if end not in own and end in nodes and _is_name(nodes[end]):
                found.setdefault(end, []).append(fact)
    yield from ((nodes[end], about) for end, about in found.items())


def _is_name(node: Node) -> bool:
    """Whether it is the name of something, which a question can be about."""
    return (
        node.kind == "entity"
        and bool(node.type)
        and node.label[:1].isupper()
        and len(node.label) >= _SHORTEST
    )


def _question_about(node: Node) -> str:
    # Not "who" or "what": the type of a name is too often wrong.
    return f"What is said about {node.label}?"


def _answers(workspace: Workspace, index: str, candidate: _Candidate) -> bool:
    """Whether a search for it finds the passage that it came from, and a sentence to quote."""
    hits = workspace.search(index, candidate.question, limit=_AMONG).hits
    near = [hit for hit in hits if hit.passage.id in candidate.passages]
    if not near:
        return False
    passages = found_passages(near)
    best = select_evidence(candidate.question, passages, _encoder(workspace), budget=_EVIDENCE).best
    return bool(best) and best[0].score >= EXTRACTIVE_THRESHOLD


def _encoder(workspace: Workspace) -> Likeness | None:
    with suppress(ModelMissingError):
        return Likeness(workspace.encoders.dense())
    return None
