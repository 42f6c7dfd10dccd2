"""Local GGUF models as a LangChain chat model, through xllamacpp (llama.cpp).

One file knows the runtime. Tokens stream as they come; closing the stream cancels the generation
between two tokens; output can be constrained to a JSON schema; log-probabilities are passed on;
the fixed beginning of a prompt is read once and then taken from the runtime's prompt cache.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, PrivateAttr

from assistant.errors import ModelCorruptError, ModelMissingError, ModelRuntimeError
from assistant.models.gguf_protocol import as_chunk, as_openai, raise_error, receiver

# What a request may carry to the runtime; anything else is a spelling mistake.
_OPTIONS = frozenset(
    (
        *("temperature", "max_tokens", "top_p", "top_k", "min_p", "seed", "cache_prompt"),
        *("logprobs", "top_logprobs", "response_format"),
        *("repeat_penalty", "presence_penalty", "frequency_penalty"),
    )
)

Structured = Runnable[LanguageModelInput, dict[str, Any] | BaseModel]


class GGUFChat(BaseChatModel):
    """A GGUF file as a chat model. The weights are loaded at the first call; `close` frees them.

    Attributes:
        model_path: the file.
        n_ctx: tokens of prompt and answer together.
        n_threads: CPU threads; 0 takes all cores.
        n_gpu_layers: layers on a GPU, where the runtime was built for one.
        temperature, max_tokens, seed: defaults of a call.
    """

    model_path: str
    n_ctx: int = 4096
    n_threads: int = 0
    n_gpu_layers: int = 0
    temperature: float = 0.0
    max_tokens: int | None = 256
    stop: list[str] | None = None
    seed: int | None = None

    _server: Any = PrivateAttr(default=None)
    _key: str = PrivateAttr(default="")
    _loading: Any = PrivateAttr(default_factory=threading.Lock)
    # The runtime has one slot: two questions at once take turns instead of spoiling each
    # other's prompt cache. A plain lock, since the thread that closes a stream may be another
    # one than the thread that began it.
    _turn: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "gguf"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_path": self.model_path, "n_ctx": self.n_ctx}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(
            ls_provider="gguf",
            ls_model_name=kwargs.get("model", Path(self.model_path).name),
            ls_model_type="chat",
            ls_temperature=kwargs.get("temperature", self.temperature),
            ls_max_tokens=kwargs.get("max_tokens", self.max_tokens) or 0,
            ls_stop=stop or self.stop,
        )

    # -- life -------------------------------------------------------------------------------

    def load(self) -> None:
        """Load the weights now instead of at the first call.

        Raises:
            ModelRuntimeError: the runtime is not installed.
            ModelMissingError, ModelCorruptError: the file is not there or not usable.
        """
        self._loaded()

    def close(self) -> None:
        """Free the weights' memory. The next call loads them again."""
        with self._turn, self._loading:
            self._server = None

    @property
    def endpoint(self) -> tuple[str, str]:
        """Address and key of the runtime's own OpenAI-compatible server on the loopback."""
        return str(self._loaded().listening_address), self._key

    def _loaded(self) -> Any:
        with self._loading:
            if self._server is None:
                self._server = self._start()
            return self._server

    def _start(self) -> Any:
        try:
            import xllamacpp
        except ImportError as error:
            raise ModelRuntimeError(
                "the GGUF runtime is not installed",
                remedy="pip install 'knowledge-assistant[llm]'",
            ) from error
        if not Path(self.model_path).is_file():
            raise ModelMissingError(
                f"{self.model_path} does not exist", remedy="assistant models fetch answerer"
            )
        parameters = xllamacpp.CommonParams()
        parameters.model.path = self.model_path
        parameters.n_ctx = self.n_ctx
        parameters.n_parallel = 1
        parameters.n_gpu_layers = self.n_gpu_layers
        parameters.cpuparams.n_threads = self.n_threads or os.cpu_count() or 1
        parameters.cpuparams_batch.n_threads = parameters.cpuparams.n_threads
        parameters.verbosity = -1
        parameters.ui = False
        # The slot itself keeps the last prompt; the extra cache in memory would grow to gigabytes.
        parameters.cache_ram_mib = 0
        # The runtime opens a port on the loopback. Without the key, any program of this machine
        # (or a web page in its browser) could use it.
        self._key = secrets.token_urlsafe(32)
        parameters.api_keys = [self._key]
        parameters.cors_origins = ""
        try:
            return xllamacpp.Server(parameters)
        except Exception as error:  # the binding raises bare RuntimeErrors for every cause
            raise ModelCorruptError(
                f"{self.model_path} cannot be loaded: {error}",
                remedy="assistant models verify answerer; assistant models fetch answerer",
            ) from error

    # -- generation -------------------------------------------------------------------------

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole: AIMessageChunk | None = None
        for chunk in self._stream(messages, stop, None, **kwargs):
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

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        request = self._request(messages, stop, kwargs)
        for data in self._run(request):
            message = as_chunk(data, Path(self.model_path).name)
            if message is None:
                continue
            generation = ChatGenerationChunk(message=message)
            if run_manager and message.content:
                run_manager.on_llm_new_token(str(message.content), chunk=generation)
            yield generation

    def _run(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The runtime's chunks, as they come. It calls back from its own thread."""
        with self._turn:
            server = self._loaded()
            arrived: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
            cancelled = threading.Event()

            def work() -> None:
                try:
                    server.handle_chat_completions(request, receiver(arrived, cancelled))
                    arrived.put(None)
                except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
                    arrived.put(error)

            worker = threading.Thread(target=work, name="gguf", daemon=True)
            worker.start()
            try:
                while (item := arrived.get()) is not None:
                    if isinstance(item, BaseException):
                        raise ModelRuntimeError(
                            f"the model failed: {item}", remedy="ask again"
                        ) from item
                    data = json.loads(item)
                    raise_error(data)
                    yield data
            finally:
                cancelled.set()  # also when nobody reads on: the runtime stops at its next token
                worker.join()

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
            "temperature": self.temperature,
            "cache_prompt": True,
        }
        if self.max_tokens is not None:
            request["max_tokens"] = self.max_tokens
        if self.seed is not None:
            request["seed"] = self.seed
        if stop or self.stop:
            request["stop"] = stop or self.stop
        request.update({k: v for k, v in options.items() if k in _OPTIONS and v is not None})
        return request

    # -- structured output ------------------------------------------------------------------

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Structured:
        """Output constrained to a schema token by token, so it always parses.

        Bound every string and list (`maxLength`, `maxItems`): a small model may otherwise fill
        one until the token limit cuts it off.
        """
        json_schema = convert_to_json_schema(schema)
        bound = self.bind(
            response_format={"type": "json_schema", "json_schema": {"schema": json_schema}},
            ls_structured_output_format={"kwargs": {"method": "json_schema"}, "schema": schema},
        )
        parser: Any = (
            PydanticOutputParser(pydantic_object=schema)  # type: ignore[type-var]
            if isinstance(schema, type) and is_basemodel_subclass(schema)
            else JsonOutputParser()
        )
        if not include_raw:
            plain: Structured = bound | parser
            return plain

        def parse(given: dict[str, Any]) -> dict[str, Any]:
            try:
                return {**given, "parsed": parser.invoke(given["raw"]), "parsing_error": None}
            except ValueError as error:
                return {**given, "parsed": None, "parsing_error": error}

        whole: Structured = RunnableMap(raw=bound) | RunnablePassthrough() | RunnableLambda(parse)
        return whole
