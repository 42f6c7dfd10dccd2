"""The graph of thoughts: a networkx multigraph that changes only through its log.

Every change belongs to a batch with author, reason and step, is applied entirely or not at all,
and has an inverse. Replaying the log gives the same graph; undoing all of it gives the empty one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.errors import GraphError
from assistant.thoughts.changes import Author, Batch, Change
from assistant.thoughts.state import GraphState


class ThoughtGraph(GraphState):
    """Nodes and facts, with the log that made them.

    Not safe to change from several threads at once; one turn has one graph.

    Args:
        start: what is there before the log begins, as changes; not part of the log. Undoing all
            of the log gives this graph, the empty one by default.

    Raises:
        GraphError: the start does not fit together.
    """

    def __init__(self, start: Sequence[Change] = ()) -> None:
        super().__init__()
        self.start = tuple(start)
        self._do(self.start)
        self._log: list[Batch] = []
        self._applied = 0

    @property
    def log(self) -> tuple[Batch, ...]:
        """The batches that are in force, oldest first."""
        return tuple(self._log[: self._applied])

    @property
    def undone(self) -> tuple[Batch, ...]:
        """The batches that `redo` would apply again, the next first."""
        return tuple(self._log[self._applied :])

    def apply(
        self, changes: Sequence[Change], *, author: Author, reason: str, step: int = 0
    ) -> Batch:
        """Make the changes together and log them; what had been undone can no longer be redone.

        Raises:
            GraphError: one of them does not fit the graph, or there is none; nothing has changed.
        """
        if not changes:
            raise GraphError("a batch without changes")
        self._do(changes)
        del self._log[self._applied :]
        batch = Batch(self._applied + 1, author, reason, step, tuple(changes))
        self._log.append(batch)
        self._applied += 1
        return batch

    def undo(self) -> Batch:
        """Take back the last batch; `redo` brings it back.

        Raises:
            GraphError: there is none.
        """
        if not self._applied:
            raise GraphError("there is nothing to undo")
        batch = self._log[self._applied - 1]
        self._do(_inverse(batch.changes))
        self._applied -= 1
        return batch

    def redo(self) -> Batch:
        """Apply again what was undone last.

        Raises:
            GraphError: there is none.
        """
        if self._applied == len(self._log):
            raise GraphError("there is nothing to redo")
        batch = self._log[self._applied]
        self._do(batch.changes)
        self._applied += 1
        return batch

    def revert(self, number: int, *, author: Author, step: int = 0) -> Batch:
        """Take back one batch in the middle, as a new batch.

        Raises:
            GraphError: there is no such batch, or later changes build on it; nothing has changed.
        """
        if not 1 <= number <= self._applied:
            raise GraphError(
                f"there is no change {number} in force", remedy="list them: assistant graph log"
            )
        batch = self._log[number - 1]
        try:
            return self.apply(
                _inverse(batch.changes),
                author=author,
                reason=f"takes back {number}: {batch.reason}",
                step=step,
            )
        except GraphError as error:
            raise GraphError(
                f"change {number} cannot be taken back alone: {error.message}",
                remedy="undo what came after it first: assistant graph undo",
            ) from error

    @classmethod
    def replay(
        cls, batches: Iterable[Batch], *, undone: int = 0, start: Sequence[Change] = ()
    ) -> ThoughtGraph:
        """The graph that a log describes.

        Args:
            undone: how many of the last batches are not in force.
            start: what is there before the log.

        Raises:
            GraphError: the log does not fit together.
        """
        graph = cls(start)
        for batch in batches:
            graph.apply(batch.changes, author=batch.author, reason=batch.reason, step=batch.step)
        for _ in range(undone):
            graph.undo()
        return graph

    def _do(self, changes: Sequence[Change]) -> None:
        done: list[Change] = []
        try:
            for change in changes:
                self._one(change)
                done.append(change)
        except GraphError:
            for change in _inverse(done):
                self._one(change)
            raise


def _inverse(changes: Sequence[Change]) -> list[Change]:
    return [change.inverse() for change in reversed(changes)]
