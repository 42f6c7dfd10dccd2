"""The thinking of a turn: from what was found to what is read, with the graph of thoughts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from langchain_core.language_models import BaseChatModel

from assistant.events import Event, StepDecided, ThinkingDone
from assistant.reading import answering_model
from assistant.retrieving import Found
from assistant.thoughts.budget import Budget
from assistant.thoughts.effort import EFFORTS, Effort, EffortName
from assistant.thoughts.likeness import Likeness
from assistant.thoughts.outcome import Outcome
from assistant.thoughts.question import understood_question
from assistant.thoughts.thinking import Thinker
from assistant.thoughts.tokens import question_tokens
from assistant.thoughts.work import Means, Work
from assistant.workspace import Workspace
from indexes.documents import Passage
from indexes.index import Hit
from indexes.queries import Query


class TurnThinking:
    """The thinking of one turn; `outcome` is its result once `think` is through.

    Args:
        index: the index that is asked.
        encoder: compares sentences; None: words decide.
        effort: None takes that of the settings.
        without_facts: ids of facts that do not count for this question.
    """

    def __init__(
        self,
        workspace: Workspace,
        index: str,
        encoder: Likeness | None,
        effort: EffortName | None = None,
        without_facts: Collection[str] = (),
    ) -> None:
        self._without = frozenset(without_facts)
        self._workspace, self._index, self._encoder = workspace, index, encoder
        self._wanted = effort or workspace.settings.thoughts.effort
        self.outcome: Outcome | None = None

    @property
    def on(self) -> bool:
        """Whether there is any thinking to be done: without a parser no passage can be read."""
        return self._wanted != "off" and self._workspace.parser.installed

    def think(self, asked: str, found: Found) -> Iterator[Event]:
        """The events of thinking about a question.

        Args:
            asked: the question, standing alone.

        Raises:
            ModelMissingError, UsageError: the effort needs a model and there is none.
        """
        if not self.on:
            return
        began = time.monotonic()
        question = understood_question(asked, question_tokens(self._workspace.parser, asked))
        effort = self._effort()
        work = Work(
            question,
            found.result.hits,
            Means(
                search=self._searching(found),
                fetch=self._fetching(found),
                knowledge=self._workspace.knowledge(self._index),
                encoder=self._encoder,
                queries=found.queries,
                without=self._without,
            ),
            effort,
            Budget(effort.calls - 1, effort.seconds),
        )
        yield from Thinker(work, self._model(effort)).think()
        self.outcome = outcome = work.outcome
        if outcome.left_out:
            quotes = "; ".join(f"“{one.quote}”" for one in outcome.left_out)
            yield StepDecided("leave out", quotes)
        yield ThinkingDone(
            effort=effort.name,
            kind=question.kind,
            rounds=outcome.rounds,
            calls=outcome.calls,
            tokens=outcome.tokens,
            seconds=round(time.monotonic() - began, 3),
            support=outcome.support,
            missing=outcome.missing,
            searched=tuple(outcome.searched),
            stopped=outcome.stopped,
        )

    def _effort(self) -> Effort:
        settings = self._workspace.settings.thoughts
        name: EffortName = "quick" if self._wanted == "auto" else self._wanted
        effort = EFFORTS[name]
        return replace(
            effort,
            rounds=min(effort.rounds, settings.rounds),
            seconds=settings.seconds or effort.seconds,
        )

    def _model(self, effort: Effort) -> BaseChatModel | None:
        return answering_model(self._workspace)[0] if effort.calls > 1 else None

    def _searching(self, found: Found) -> Callable[[Sequence[Query]], Sequence[Hit]]:
        depth = len(found.result.hits)

        def search(queries: Sequence[Query]) -> Sequence[Hit]:
            return self._workspace.search(
                self._index, queries, limit=depth, without=found.without, where=found.where
            ).hits

        return search

    def _fetching(self, found: Found) -> Callable[[Sequence[str]], Sequence[Passage]]:
        index = self._workspace.index(self._index)

        def fetch(passage_ids: Sequence[str]) -> Sequence[Passage]:
            rows = index.store.rows_of(passage_ids) if passage_ids else []
            rows = index.permitted(rows, found.where)  # the graph may lead beyond what is asked
            return index.store.by_rows(rows) if rows else []

        return fetch
