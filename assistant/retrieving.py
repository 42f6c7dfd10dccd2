"""The retrieval of a turn: what was understood, the conversation and the person, to passages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from assistant.errors import ModelMissingError
from assistant.events import (
    AnswerDone,
    FoundPassage,
    PassagesFound,
    StageScore,
    StatementsChosen,
    TurnStarted,
    UsedStatement,
)
from assistant.knowledge.reading import prepared_entries
from assistant.knowledge.searching import PreparedKnowledge
from assistant.memory.conversations import Conversations, Turn
from assistant.memory.versions import Versions
from assistant.understanding.acts import asks_for_shown
from assistant.understanding.retrieval import search_queries
from assistant.understanding.shown import shown_ids
from assistant.understanding.statements import ChosenStatement, Statement, StatementSelector
from assistant.understanding.types import Message, Understanding
from assistant.workspace import Workspace
from indexes.filters import EVERYTHING, Filter
from indexes.index import Hit, SearchResult
from indexes.queries import Query

HISTORY_TURNS = 4


def earlier_turns(
    conversations: Conversations, versions: Versions, started: TurnStarted, *, again: bool
) -> list[Turn]:
    """The last turns before this one, oldest first; of versions the one that is chosen.

    Of a turn that is itself a version of another, what came before that one.

    Args:
        again: the person asks the last question once more, in another way; the turns that asked it
            are left out, or it would be understood as following itself, and what they showed would
            not be shown again.
    """
    last = HISTORY_TURNS + 1  # this turn is among them
    while True:
        asked = conversations.turns(started.conversation_id, last=last)
        turns = []
        for place in versions.places(asked):
            if started.turn_id in place.versions:
                break
            turns.append(place.turn)
        while again and turns and turns[-1].question == started.question:
            turns.pop()
        if len(turns) >= HISTORY_TURNS or len(asked) < last:
            return turns[-HISTORY_TURNS:]
        last *= 2  # a long conversation is not read whole for its end


def history_of(turns: Sequence[Turn]) -> list[Message]:
    """The messages of earlier turns, oldest first; a turn without an answer has only its question.

    An abstention says nothing about the subject, so it is left out.
    """
    messages = []
    for turn in turns:
        messages.append(Message("user", turn.question))
        if any(_answered(event) for event in turn.events):
            messages.append(Message("assistant", turn.answer))
    return messages


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a turn, and what for: the queries, the rows left out of every list, and
    the documents that are asked."""

    result: SearchResult
    queries: tuple[Query, ...]
    without: tuple[int, ...]
    where: Filter = EVERYTHING


def find(
    workspace: Workspace,
    started: TurnStarted,
    understood: Understanding,
    earlier: Sequence[Turn],
    person: PersonalTouch,
    limit: int,
    *,
    considered: int,
) -> Found:
    """Search for all queries at once, without what was shown, with what is known of the person.

    Args:
        earlier: the turns before this one, oldest first.
        limit: how many passages to find.
        considered: how many of them bear on which of the person's statements matter.

    Raises:
        IndexNotFoundError: there is no such index.
    """
    settings, running = workspace.settings, bool(earlier)
    queries = search_queries(understood, settings, running=running)
    main = replace(queries[0], vector=None)  # the threshold was measured without it
    if settings.understanding.statements_in_query > 0:
        chosen = person.choose(main, [])
        queries = search_queries(understood, settings, running=running, chosen=chosen)
    without: list[int] = []
    if settings.understanding.hide_shown and not asks_for_shown(started.question):
        without = _shown_rows(workspace, started.index, earlier)
    result = workspace.search(
        started.index, queries, limit=limit, without=without, where=started.where
    )
    person.choose(main, [hit.passage.text for hit in result.hits[:considered]])
    ranked = replace(result, hits=person.ranked(result.hits))
    return Found(ranked, tuple(queries), tuple(without), started.where)


def found_passages(
    hits: Sequence[Hit],
    prepared: PreparedKnowledge | None = None,
    attached: Callable[[str], bool] = lambda uri: False,
) -> tuple[FoundPassage, ...]:
    """Search hits as numbered passages, the number being the rank.

    Args:
        prepared: the entries that hits may have been found through.
        attached: tells by its uri whether a document is a file of the conversation.
    """
    return tuple(
        FoundPassage(
            number=hit.rank,
            passage_id=hit.passage.id,
            document_id=hit.passage.document_id,
            title=hit.passage.title,
            uri=hit.passage.uri,
            text=hit.passage.text,
            start=hit.passage.start,
            end=hit.passage.end,
            page=hit.passage.page,
            headings=hit.passage.headings,
            score=round(hit.score, 4),
            stages=tuple(
                StageScore(stage, place.rank, round(place.score, 4))
                for stage, place in hit.stages.items()
            ),
            shares=tuple(round(share, 4) for share in hit.shares),
            prepared=prepared_entries(hit, prepared) if prepared is not None else (),
            attached=attached(hit.passage.uri),
        )
        for hit in hits
    )


class PersonalTouch:
    """What is known of the person, for one turn: which statements matter and what they change.

    Args:
        without: ids of statements that are left out this time.
    """

    def __init__(self, workspace: Workspace, without: Collection[str] = ()) -> None:
        self._settings = workspace.settings.understanding
        self._left_out = tuple(without)
        self._statements: list[Statement] = []
        self._selector: StatementSelector | None = None
        self._chosen: tuple[ChosenStatement, ...] = ()
        known = [s for s in workspace.person.statements() if s.id not in without]
        if known:
            try:
                self._selector = workspace.statement_selector
            except ModelMissingError:
                return  # nothing can be compared; the turn goes on as for an unknown person
            self._statements = known

    @property
    def considered(self) -> int:
        """How many statements there are to choose from."""
        return len(self._statements)

    def choose(self, query: Query, passages: Sequence[str]) -> tuple[ChosenStatement, ...]:
        """Choose for a query and the passages found for it; `event` and the others tell of it."""
        if self._selector is not None:
            self._chosen = self._selector.select(self._statements, query, passages)
        return self._chosen

    def ranked(self, hits: list[Hit]) -> list[Hit]:
        """The hits with the passages near the chosen statements moved up, where settings say so."""
        weight = self._settings.statements_in_ranking
        if self._selector is None or not self._chosen or not weight:
            return hits
        nearness = self._selector.nearness(self._chosen, [hit.passage.text for hit in hits])
        moved = [
            replace(hit, score=hit.score + weight * float(near))
            for hit, near in zip(hits, nearness, strict=True)
        ]
        moved.sort(key=lambda hit: (-hit.score, hit.rank))
        return [replace(hit, rank=rank) for rank, hit in enumerate(moved, start=1)]

    def for_reader(self) -> tuple[str, ...]:
        """The statements that the reader is told."""
        if not self._settings.statements_in_answer:
            return ()
        return tuple(statement.text for statement in self._chosen)

    def event(self) -> StatementsChosen:
        """What was chosen, and what it is used in."""
        settings = self._settings
        uses = {
            "query": settings.statements_in_query > 0,
            "ranking": settings.statements_in_ranking > 0,
            "answer": settings.statements_in_answer,
        }
        return StatementsChosen(
            tuple(UsedStatement(s.id, s.text, s.score, s.reason) for s in self._chosen),
            self.considered,
            tuple(name for name, used in uses.items() if used),
            self._left_out,
        )


def _shown_rows(workspace: Workspace, index: str, earlier: Sequence[Turn]) -> list[int]:
    found = {
        passage.passage_id: passage.text
        for turn in earlier
        for event in turn.events
        if isinstance(event, PassagesFound)
        for passage in event.passages
    }
    said = [turn.answer for turn in earlier if turn.answer]
    shown = shown_ids(found, said) if found and said else []
    return workspace.index(index).store.rows_of(shown) if shown else []


def _answered(event: object) -> bool:
    return isinstance(event, AnswerDone) and not event.abstained
