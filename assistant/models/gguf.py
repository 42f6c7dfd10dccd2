"""Local GGUF models as a LangChain chat model, through xllamacpp (llama.cpp).

Tokens stream as they come; closing the stream cancels the generation; output can be constrained to
a JSON schema; log-probabilities are passed on; the fixed beginning of a prompt is read once and
then taken from the runtime's prompt cache. `gguf_runtime` knows the runtime.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, PrivateAttr

from assistant.answering.dial import Share
from assistant.errors import ModelRuntimeError
from assistant.models.gguf_protocol import as_chunk, as_openai
from assistant.models.gguf_runtime import GGUFRuntime, RuntimeOptions
from assistant.models.gguf_weighing import weighed
from assistant.models.local_chat import LocalChat
from assistant.models.structured import bounded, parsed, parsed_beside_raw

# What a request may carry to the runtime; anything else is a spelling mistake.
_OPTIONS = frozenset(
    (
        *("temperature", "max_tokens", "top_p", "top_k", "min_p", "seed", "cache_prompt"),
        *("logprobs", "top_logprobs", "response_format"),
        *("reliance", "without"),
        *("repeat_penalty", "presence_penalty", "frequency_penalty"),
    )
)

_CHARACTERS_PER_TOKEN = 4.0  # an estimate, for English

_log = logging.getLogger(__name__)

Structured = Runnable[LanguageModelInput, dict[str, Any] | BaseModel]


class GGUFChat(LocalChat):
    """A GGUF file as a chat model; an adapter is a GGUF file, too.

    Attributes:
        n_threads: CPU threads; 0 takes all cores.
        n_gpu_layers: layers on a GPU, where the runtime was built for one.
        parallel: answers that are written at once when several are asked for.
    """

    provider: ClassVar[str] = "gguf"

    n_threads: int = 0
    n_gpu_layers: int = 0
    parallel: int = 1

    _runtime: GGUFRuntime = PrivateAttr()
    _adapter_sha256: str = PrivateAttr("")

    def model_post_init(self, context: Any, /) -> None:
        """Make the runtime; it loads nothing yet."""
        adapter = Path(self.adapter_path) if self.adapter_path else None
        if adapter is not None and adapter.is_file():
            # What is kept by prompt is not of another adapter in the same place.
            self._adapter_sha256 = hashlib.sha256(adapter.read_bytes()).hexdigest()
        self._runtime = GGUFRuntime(
            RuntimeOptions(
                Path(self.model_path),
                self.n_ctx,
                self.n_threads,
                self.n_gpu_layers,
                self.parallel,
                adapter,
            )
        )

    @property
    def _identifying_params(self) -> dict[str, Any]:
        known = {
            "model_path": self.model_path,
            "adapter_path": self.adapter_path,
            "n_ctx": self.n_ctx,
        }
        if self._adapter_sha256:
            known["adapter_sha256"] = self._adapter_sha256
        return known

    # -- life -------------------------------------------------------------------------------

    @property
    def endpoint(self) -> tuple[str, str]:
        """Address and key of the runtime's own OpenAI-compatible server on the loopback."""
        return self._runtime.endpoint

    # -- generation -------------------------------------------------------------------------

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        request = self._request(messages, stop, kwargs)
        if kwargs.get("reliance") is not None:
            yield from self._weighed(request, kwargs["without"], kwargs["reliance"], run_manager)
            return
        for data in self._runtime.chat(request):
            message = as_chunk(data, Path(self.model_path).name)
            if message is None:
                continue
            generation = ChatGenerationChunk(message=message)
            if run_manager and message.content:
                run_manager.on_llm_new_token(str(message.content), chunk=generation)
            yield generation

    def _weighed(
        self,
        request: dict[str, Any],
        without: list[BaseMessage],
        share: Share,
        run_manager: CallbackManagerForLLMRun | None,
    ) -> Iterator[ChatGenerationChunk]:
        """The reliance dial: `without` is the same question without the documents' material."""
        if unusable := {"response_format", "stop", "logprobs"} & set(request):
            raise ModelRuntimeError(
                f"the reliance dial does not go with {', '.join(sorted(unusable))}",
                remedy="leave one of them out",
            )
        pieces = weighed(
            self._runtime,
            request["messages"],
            [as_openai(message) for message in without],
            share,
            most=request.get("max_tokens") or self.n_ctx,
            temperature=request["temperature"],
            seed=request.get("seed"),
        )
        for text in pieces:
            generation = ChatGenerationChunk(message=AIMessageChunk(content=text))
            if run_manager:
                run_manager.on_llm_new_token(text, chunk=generation)
            yield generation

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, options: dict[str, Any]
    ) -> dict[str, Any]:
        if unknown := set(options) - _OPTIONS - {"ls_structured_output_format"}:
            raise ModelRuntimeError(
                f"the GGUF runtime has no option {', '.join(sorted(unknown))}",
                remedy=f"known: {', '.join(sorted(_OPTIONS))}",
            )
        request: dict[str, Any] = {
            "messages": [as_openai(message) for message in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,  # calls back while the prompt is read: a chance to cancel
            "temperature": self.temperature,
            "cache_prompt": True,
        }
        if self.max_tokens is not None:
            request["max_tokens"] = self.max_tokens
        if self.seed is not None:
            request["seed"] = self.seed
        if stop or self.stop:
            request["stop"] = stop or self.stop
        own = _OPTIONS - {"reliance", "without"}
        request.update({k: v for k, v in options.items() if k in own and v is not None})
        return request

    # -- tokens -----------------------------------------------------------------------------

    def get_token_ids(self, text: str) -> list[int]:
        """The model's own tokens of a text.

        Raises:
            ModelRuntimeError: the runtime's tokenizer cannot be reached.
        """
        return self._runtime.tokenize(text)

    def count_tokens(self, text: str) -> int:
        """How many tokens a text has; an estimate, and logged, where the runtime cannot say."""
        try:
            return len(self.get_token_ids(text))
        except ModelRuntimeError as error:
            _log.warning("token counts are estimates: %s", error.message)
            return round(len(text) / _CHARACTERS_PER_TOKEN)

    # -- structured output ------------------------------------------------------------------

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        string_limit: int | None = 600,
        **kwargs: Any,
    ) -> Structured:
        """Output constrained to a schema token by token.

        A small model may repeat itself inside a string or a list until the token limit cuts it
        off, which is a `ModelRuntimeError` when it is parsed. So bound lists (`maxItems`); strings
        are bounded here where the schema does not do it.

        Args:
            schema: a pydantic class, a TypedDict, or a JSON schema.
            include_raw: give `{"raw", "parsed", "parsing_error"}` instead of the parsed value.
            string_limit: longest string, in characters, where the schema sets none; None: no limit.
            kwargs: `method` and `strict` are accepted and change nothing: there is one way here.
        """
        if unknown := set(kwargs) - {"method", "strict"}:
            raise ModelRuntimeError(
                f"structured output has no option {', '.join(sorted(unknown))}",
                remedy="known: include_raw, string_limit, method, strict",
            )
        json_schema = convert_to_json_schema(schema)
        if string_limit is not None:
            json_schema = bounded(json_schema, string_limit)
        bound = self.bind(
            response_format={"type": "json_schema", "json_schema": {"schema": json_schema}},
            ls_structured_output_format={"kwargs": {"method": "json_schema"}, "schema": schema},
        )
        return parsed_beside_raw(bound, schema) if include_raw else parsed(bound, schema)
