"""What chat models that run in this process have in common, whichever runtime they use."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from assistant.errors import ModelRuntimeError


class LocalChat(BaseChatModel):
    """Weights of a file or folder as a chat model that streams.

    The weights are loaded at the first call; `close` frees them. A runtime gives `_stream`.

    Attributes:
        model_path: where the weights are.
        adapter_path: low-rank changes to them, made by distillation; empty: none.
        n_ctx: tokens of prompt and answer together.
        temperature, max_tokens, stop, seed: defaults of a call.
    """

    provider: ClassVar[str]

    model_path: str
    adapter_path: str = ""
    n_ctx: int = 4096
    temperature: float = 0.0
    max_tokens: int | None = 256
    stop: list[str] | None = None
    seed: int | None = None

    _runtime: Any = PrivateAttr()

    @abstractmethod
    def model_post_init(self, context: Any, /) -> None:
        """Make the runtime; it loads nothing yet."""

    @property
    def _llm_type(self) -> str:
        return self.provider

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(
            ls_provider=self.provider,
            ls_model_name=kwargs.get("model", Path(self.model_path).name),
            ls_model_type="chat",
            ls_temperature=kwargs.get("temperature", self.temperature),
            ls_max_tokens=kwargs.get("max_tokens", self.max_tokens) or 0,
            ls_stop=stop or self.stop,
        )

    def load(self) -> None:
        """Load the weights now instead of at the first call.

        Raises:
            ModelRuntimeError: the runtime is not installed.
            ModelMissingError, ModelCorruptError: they are not there or not usable.
        """
        self._runtime.load()

    def close(self) -> None:
        """Free the weights' memory, after the answer under way. The next call loads them again."""
        self._runtime.close()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole: AIMessageChunk | None = None
        for chunk in self._stream(messages, stop, run_manager, **kwargs):
            part = chunk.message
            assert isinstance(part, AIMessageChunk)
            whole = part if whole is None else whole + part
        if whole is None:
            raise ModelRuntimeError("the model returned nothing", remedy="ask again")
        message = AIMessage(
            content=whole.content,
            response_metadata=whole.response_metadata,
            usage_metadata=whole.usage_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])
