"""What one question may cost: model calls and seconds, kept exactly.

A call that would outlast the budget is abandoned the moment the time is up, whatever the model is
doing; it hears of it at its next token and stops.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

from assistant.errors import BudgetSpentError

Result = TypeVar("Result")


class Budget:
    """Counts calls and seconds of one question.

    Args:
        calls: that may be made while thinking.
        seconds: from now on.
        clock: seconds that never go back; tests pass their own.
    """

    def __init__(
        self, calls: int, seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._calls = calls
        self._until = clock() + seconds
        self.made = 0
        self.tokens = 0

    @property
    def calls_left(self) -> int:
        return max(self._calls - self.made, 0)

    @property
    def seconds_left(self) -> float:
        return max(self._until - self._clock(), 0.0)

    @property
    def spent(self) -> str:
        """Why nothing more can be done, in words; empty while something can."""
        if self.seconds_left <= 0:
            return "the time for this question is used up"
        return ""

    def ask(self, model: Runnable[Any, Result], messages: Sequence[BaseMessage]) -> Result:
        """One call of a model, within what is left.

        Raises:
            BudgetSpentError: no call or no time is left, or the time ran out during the call.
            Exception: whatever the model raises.
        """
        if not self.calls_left:
            raise BudgetSpentError("the model calls for this question are used up")
        if self.spent:
            raise BudgetSpentError(self.spent)
        self.made += 1
        watcher = _Watcher()
        written: list[Result] = []
        failed: list[BaseException] = []

        def work() -> None:
            try:
                written.append(model.invoke(list(messages), config={"callbacks": [watcher]}))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
                failed.append(error)

        thread = threading.Thread(target=work, name="thinking", daemon=True)
        thread.start()
        thread.join(self.seconds_left)
        self.tokens += watcher.tokens
        if failed:
            raise failed[0]
        if not written:
            watcher.abandoned.set()
            raise BudgetSpentError("the time for this question ran out while the model was writing")
        return written[0]


class _Watcher(BaseCallbackHandler):
    """Counts tokens, and stops a generation that nobody waits for any more."""

    raise_error = True

    def __init__(self) -> None:
        self.abandoned = threading.Event()
        self.tokens = 0

    def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        self.tokens += 1
        if self.abandoned.is_set():
            raise BudgetSpentError("nobody waits for this answer any more")
