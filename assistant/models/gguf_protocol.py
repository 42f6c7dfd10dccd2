"""The runtime's side of a chat: requests in, chunks out, errors in the project's words."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    convert_to_openai_messages,
)
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata

from assistant.errors import ModelRuntimeError


def receiver(arrived: queue.SimpleQueue[Any], cancelled: threading.Event) -> Callable[[Any], bool]:
    """A callback that queues the runtime's chunks and tells it when to stop.

    It also stops when the process wants to end: nobody is left who could cancel it then.
    """

    def receive(data: Any) -> bool:
        for text in data if isinstance(data, list) else [data]:
            arrived.put(text if isinstance(text, str) else json.dumps(text))
        return cancelled.is_set() or not threading.main_thread().is_alive()

    return receive


def as_openai(message: BaseMessage) -> dict[str, Any]:
    """A LangChain message in the OpenAI form that the runtime takes."""
    (converted,) = convert_to_openai_messages([message], text_format="string")
    if isinstance(message, SystemMessage | HumanMessage | AIMessage):
        converted.pop("name", None)
    return dict(converted)


def as_chunk(data: dict[str, Any], model: str) -> AIMessageChunk | None:
    """One chunk of the runtime as a message chunk; None where it carries nothing."""
    metadata: dict[str, Any] = {}
    usage: UsageMetadata | None = None
    text = ""
    for choice in data.get("choices") or []:
        text += choice.get("delta", {}).get("content") or ""
        if choice.get("logprobs"):
            metadata["logprobs"] = choice["logprobs"]
        if choice.get("finish_reason"):
            metadata["finish_reason"] = choice["finish_reason"]
            metadata["model_name"] = model
    if counts := data.get("usage"):
        usage = UsageMetadata(
            input_tokens=counts["prompt_tokens"],
            output_tokens=counts["completion_tokens"],
            total_tokens=counts["total_tokens"],
            # what the prompt cache saved
            input_token_details=InputTokenDetails(
                cache_read=counts.get("prompt_tokens_details", {}).get("cached_tokens", 0)
            ),
        )
    if not text and not metadata and usage is None:
        return None
    return AIMessageChunk(content=text, response_metadata=metadata, usage_metadata=usage)


def raise_error(data: dict[str, Any]) -> None:
    """Raise what the runtime reports as an error.

    Raises:
        ModelRuntimeError: with the setting that helps.
    """
    error = data.get("error")
    if not error:
        return
    message = error.get("message", error) if isinstance(error, dict) else error
    if isinstance(error, dict) and error.get("type") == "exceed_context_size_error":
        raise ModelRuntimeError(
            f"the prompt has {error.get('n_prompt_tokens')} tokens, the context holds "
            f"{error.get('n_ctx')}",
            remedy="lower answering.evidence_tokens or raise models.context_tokens",
        )
    raise ModelRuntimeError(f"the model refused the request: {message}", remedy="ask again")
