from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from assistant.errors import BudgetSpentError
from assistant.thoughts.budget import Budget
from assistant.thoughts.effort import EFFORTS


class SlowChat(BaseChatModel):
    """Writes a token now and then and would never stop; counts what it wrote."""

    state: dict[str, Any]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            text = "".join(
                str(c.message.content) for c in self._stream(messages, stop, run_manager)
            )
        finally:
            self.state["ended"].set()
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for _ in range(self.state["tokens"]):
            time.sleep(self.state["pause"])
            self.state["written"] += 1
            chunk = ChatGenerationChunk(message=AIMessageChunk("x"))
            if run_manager:
                run_manager.on_llm_new_token("x", chunk=chunk)
            yield chunk

    @property
    def _llm_type(self) -> str:
        return "slow"


def slow(tokens: int, pause: float) -> SlowChat:
    state = {"tokens": tokens, "pause": pause, "written": 0, "ended": threading.Event()}
    return SlowChat(state=state)


ASK = [HumanMessage("?")]


def test_a_call_that_outlasts_the_budget_is_abandoned_and_stops() -> None:
    model = slow(100_000, 0.01)
    budget = Budget(3, 0.2)
    with pytest.raises(BudgetSpentError, match="ran out while"):
        budget.ask(model, ASK)
    assert budget.made == 1
    # The model hears of it at its next token.
    assert model.state["ended"].wait(10)
    written = model.state["written"]
    time.sleep(0.1)
    assert model.state["written"] == written < 100_000


def test_calls_are_counted_exactly() -> None:
    model = slow(3, 0.0)
    budget = Budget(2, 60)
    assert budget.ask(model, ASK).text == "xxx"
    assert budget.ask(model, ASK).text == "xxx"
    assert (budget.made, budget.calls_left, budget.tokens) == (2, 0, 6)
    with pytest.raises(BudgetSpentError, match="calls"):
        budget.ask(model, ASK)
    assert model.state["written"] == 6


def test_no_time_left_asks_nobody() -> None:
    now = [100.0]
    budget = Budget(2, 5, clock=lambda: now[0])
    assert budget.seconds_left == 5
    assert budget.spent == ""
    now[0] = 106.0
    model = slow(1, 0.0)
    with pytest.raises(BudgetSpentError, match="time"):
        budget.ask(model, ASK)
    assert budget.made == model.state["written"] == 0


def test_a_failing_model_is_not_a_spent_budget() -> None:
    model = slow(1, "no number")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Budget(1, 60).ask(model, ASK)


def test_efforts_grow() -> None:
    calls = [EFFORTS[name].calls for name in ("off", "quick", "normal", "deep")]
    assert calls == [1, 1, 3, 10]  # the last one writes the answer
    assert EFFORTS["quick"].votes == EFFORTS["normal"].votes == 0 < EFFORTS["deep"].votes
