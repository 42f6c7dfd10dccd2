"""Where a graph lives: in a stored answer, replayed from its events, or kept with an index."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.errors import GraphError, UsageError
from assistant.events import TurnStarted
from assistant.memory.conversations import Turn
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.persistent.graph import KnowledgeGraph
from assistant.thoughts.replay import graph_of_events
from assistant.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """A graph and where it is. `kept` is what can be changed; an answer's cannot. `index` is
    the one that the answer was found in.

    Of an index, `graph` is what the person's changes refer to and made; `kept` has all.
    """

    title: str
    graph: ThoughtGraph
    kept: KnowledgeGraph | None = None
    index: str = ""

    def after(self, number: int) -> ThoughtGraph:
        """The graph as it was after that many changes of the log."""
        return ThoughtGraph.replay(self.graph.log[:number], start=self.graph.start)

    def whole(self) -> ThoughtGraph:
        """All there is, for export."""
        return self.graph if self.kept is None else self.kept.whole_graph()

    @property
    def changeable(self) -> KnowledgeGraph:
        """Raises GraphError: it is the graph of an answer."""
        if self.kept is None:
            raise GraphError(
                f"{self.title} is a record of what happened and cannot be changed",
                remedy="change the graph of an index: --index NAME",
            )
        return self.kept


def find_place(
    workspace: Workspace, index: str | None, turn: str | None, conversation: str | None
) -> Place:
    """The graph that the options name; the settings' index where they name none.

    Raises:
        UsageError: they name more than one place, or something unknown.
        GraphError: there is no graph in that place.
    """
    if sum(option is not None for option in (index, turn, conversation)) > 1:
        raise UsageError(
            "more than one graph", remedy="give one of --index, --turn, --conversation"
        )
    if turn is not None:
        return _of_answer(workspace.conversations.turn(turn))
    if conversation is not None:
        answered = [t for t in workspace.conversations.turns(conversation) if t.state == "done"]
        if not answered:
            raise GraphError(f"nothing was answered in the conversation {conversation}")
        return _of_answer(answered[-1])
    name = index or workspace.settings.retrieval.index
    kept = index_graph(workspace, name)
    return Place(f"the graph of the index '{name}'", kept.changed_graph(), kept)


def index_graph(workspace: Workspace, name: str) -> KnowledgeGraph:
    """The persistent graph of an index.

    Raises:
        GraphError: the index has none.
    """
    workspace.index(name)  # names the nearest index if there is none of this name
    graph = workspace.graph(name)
    if graph is None:
        raise GraphError(
            f"the index '{name}' has no graph",
            remedy=f"make it: assistant index update {name} --extract rules; or see the graph of "
            "an answer: --turn ID or --conversation ID",
        )
    return graph


def _of_answer(turn: Turn) -> Place:
    graph = graph_of_events(turn.events)
    if not graph.log:
        raise GraphError(
            f"the answer to '{turn.question[:60]}' was found without a graph",
            remedy="ask again with it: assistant --set thoughts.effort=quick ask QUESTION",
        )
    asked = next((e.index for e in turn.events if isinstance(e, TurnStarted)), "")
    return Place(f"the graph of the answer to '{turn.question[:60]}'", graph, index=asked)
