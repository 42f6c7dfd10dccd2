"""A chat model that writes what a test tells it to, and counts its calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda


class WritingChat(BaseChatModel):
    """Structured output is the next of `values`; an exception among them is raised."""

    values: list[Any]
    asked: list[LanguageModelInput]

    def with_structured_output(
        self, schema: dict[str, Any] | type, **_: Any
    ) -> Runnable[LanguageModelInput, Any]:
        def write(messages: LanguageModelInput, **_: Any) -> Any:
            self.asked.append(messages)
            value = self.values[len(self.asked) - 1]
            if isinstance(value, BaseException):
                raise value
            return value

        return RunnableLambda(write)

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("not asked for"))])

    @property
    def _llm_type(self) -> str:
        return "writing"


def writing(*values: Any) -> WritingChat:
    """A model that writes these values one after the other."""
    return WritingChat(values=list(values), asked=[])


def written(question: str, queries: Sequence[str] = (), answer: str = "") -> dict[str, Any]:
    return {"question": question, "queries": list(queries), "answer": answer}
