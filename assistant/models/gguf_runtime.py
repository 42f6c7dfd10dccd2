"""The GGUF runtime, xllamacpp (llama.cpp), in this process. This is the one file that knows it.

Chunks come as they are made; closing the iterator cancels the generation at its next token, or
while the prompt is being read.
"""

from __future__ import annotations

import json
import queue
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import (
    KnowledgeAssistantError,
    ModelCorruptError,
    ModelMissingError,
    ModelRuntimeError,
)
from assistant.models.gguf_protocol import raise_error, receiver
from assistant.models.threads import threads_for

# Tokens of the prompt that are read between two looks at whether the answer is still wanted. On a
# CPU larger batches are not faster; 128 tokens of a 1.5 B model take about a second on two cores.
_CPU_BATCH = 128
SLOTS = 2
_WAIT = 0.1  # seconds between two looks while another answer is being written


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """What the weights are loaded with.

    `n_threads` 0 takes all cores; `parallel` answers are written at once, each with `n_ctx` tokens;
    `adapter` is a GGUF file of low-rank changes to the weights.
    """

    path: Path
    n_ctx: int
    n_threads: int = 0
    n_gpu_layers: int = 0
    parallel: int = 1
    adapter: Path | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible next token; `text` is empty for marks such as the end of a turn."""

    id: int
    text: bytes
    logprob: float


class GGUFRuntime:
    """One set of weights, loaded at the first request. Safe to share between threads."""

    def __init__(self, options: RuntimeOptions) -> None:
        self._options = options
        self._server: Any = None
        self._key = ""
        self._loading = threading.Lock()
        # Questions take turns instead of spoiling each other's prompt cache; work that asks for
        # many answers at once says so by `parallel`. Held by the thread that generates, never by
        # the one that reads the chunks, so a reader that pauses keeps nobody waiting for longer
        # than its answer takes.
        self._turns = threading.BoundedSemaphore(options.parallel)
        self._closing = threading.Lock()

    def load(self) -> Any:
        """The loaded server.

        Raises:
            ModelRuntimeError: the runtime is not installed.
            ModelMissingError, ModelCorruptError: the file is not there or not usable.
        """
        with self._loading:
            if self._server is None:
                self._server = self._start()
            return self._server

    def close(self) -> None:
        """Free the weights' memory, after the answer under way. The next call loads them again."""
        with self._closing:  # two that collect the turns at once would wait for each other
            for _ in range(self._options.parallel):
                self._turns.acquire()
            with self._loading:
                self._server = None
            self._turns.release(self._options.parallel)

    @property
    def endpoint(self) -> tuple[str, str]:
        """Address and key of the runtime's own OpenAI-compatible server on the loopback."""
        return str(self.load().listening_address), self._key

    def chat(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The runtime's chunks for a request in OpenAI's form, as they come.

        Raises:
            ModelRuntimeError: the request was refused, or the model failed.
        """
        arrived: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        cancelled = threading.Event()
        # Not a daemon: at exit the runtime may not be left calling back into an interpreter that
        # is gone. It ends within a token, or a batch of the prompt, of being cancelled.
        threading.Thread(
            target=self._generate, args=(request, arrived, cancelled), name="gguf"
        ).start()
        try:
            while (item := arrived.get()) is not None:
                if isinstance(item, KnowledgeAssistantError):
                    raise item
                if isinstance(item, BaseException):
                    raise ModelRuntimeError(
                        f"the model failed: {item}", remedy="ask again"
                    ) from item
                data = json.loads(item)
                raise_error(data)
                yield data
        finally:
            cancelled.set()

    def _generate(
        self,
        request: dict[str, Any],
        arrived: queue.SimpleQueue[str | BaseException | None],
        cancelled: threading.Event,
    ) -> None:
        """Wait for the turn, generate, end with None; errors go the same way as chunks."""
        try:
            while not self._turns.acquire(timeout=_WAIT):
                if cancelled.is_set():
                    return
            try:
                if not cancelled.is_set():
                    self.load().handle_chat_completions(request, receiver(arrived, cancelled))
            finally:
                self._turns.release()
            arrived.put(None)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
            arrived.put(error)

    def following(self, tokens: Sequence[int], slot: int, most: int) -> list[Candidate]:
        """The likeliest next tokens after these, best first.

        What the slot has read before is not read again, so going on by a token costs one pass.
        Takes its turn among answers; it cannot be cancelled while it reads.

        Raises:
            ModelRuntimeError: the request was refused, or the model failed.
        """
        request = {
            "prompt": list(tokens),
            "max_tokens": 1,
            "n_probs": most,
            "temperature": 0.0,
            "cache_prompt": True,
            "id_slot": slot,
        }
        server = self.load()
        with self._turns:
            try:
                data = server.handle_completions(request)
            except Exception as error:  # the binding raises bare RuntimeErrors for every cause
                raise ModelRuntimeError(f"the model failed: {error}", remedy="ask again") from error
        raise_error(data)
        try:
            listed = data["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
            return [Candidate(t["id"], bytes(t["bytes"]), float(t["logprob"])) for t in listed]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ModelRuntimeError(
                "this version of the runtime does not tell probabilities of tokens",
                remedy="set answering.reliance to off",
            ) from error

    def prompt(self, messages: Sequence[dict[str, Any]]) -> list[int]:
        """A conversation as tokens, up to where the answer begins.

        Raises:
            ModelRuntimeError: the runtime's server on the loopback cannot be reached.
        """
        text = self._post("apply-template", {"messages": list(messages)})["prompt"]
        request = {"content": text, "add_special": False, "parse_special": True}
        return [int(token) for token in self._post("tokenize", request)["tokens"]]

    def tokenize(self, text: str) -> list[int]:
        """The model's tokens of a text.

        Raises:
            ModelRuntimeError: the runtime's server on the loopback cannot be reached.
        """
        return [int(token) for token in self._post("tokenize", {"content": text})["tokens"]]

    def _post(self, what: str, request: dict[str, Any]) -> dict[str, Any]:
        import httpx

        address, key = self.endpoint
        try:
            # trust_env: a proxy of the environment must not be asked for the loopback
            with httpx.Client(trust_env=False, timeout=30.0) as client:
                answer = client.post(
                    f"{address}/{what}", json=request, headers={"Authorization": f"Bearer {key}"}
                )
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            return found
        except (httpx.HTTPError, ValueError) as error:
            raise ModelRuntimeError(
                f"the runtime's tokenizer cannot be reached: {error}",
                remedy="allow connections to 127.0.0.1",
            ) from error

    def _start(self) -> Any:
        try:
            import xllamacpp
        except ImportError as error:
            raise ModelRuntimeError(
                "the GGUF runtime is not installed",
                remedy="pip install 'knowledge-assistant[llm]'",
            ) from error
        options = self._options
        if not options.path.is_file():
            raise ModelMissingError(
                f"{options.path} does not exist", remedy="assistant models fetch answerer"
            )
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(options.path)
        # A slot keeps its last prompt, and a request goes to the slot whose prompt begins alike:
        # one for understanding and one for answering. With one slot each would make the other
        # read its beginning anew, which takes seconds. The context is divided among the slots.
        slots = max(SLOTS, options.parallel)
        parameters.n_ctx = slots * options.n_ctx
        parameters.n_parallel = slots
        parameters.n_gpu_layers = options.n_gpu_layers
        if options.adapter is not None:
            if not options.adapter.is_file():
                raise ModelMissingError(
                    f"the adapter {options.adapter} does not exist",
                    remedy="install the assistant again, or choose another reader",
                )
            parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(options.adapter), 1.0)]
        parameters.cpuparams.n_threads = threads_for(options.n_threads)
        parameters.cpuparams_batch.n_threads = parameters.cpuparams.n_threads
        if options.n_gpu_layers == 0:
            parameters.n_batch = parameters.n_ubatch = _CPU_BATCH
        parameters.verbosity = -1
        parameters.ui = False
        # The extra cache in memory would grow to gigabytes.
        parameters.cache_ram_mib = 0
        # The runtime opens a port on the loopback. Without the key, any program of this machine
        # (or a web page in its browser) could use it.
        self._key = secrets.token_urlsafe(32)
        parameters.api_keys = [self._key]
        parameters.cors_origins = ""
        try:
            server = xllamacpp.Server(parameters)
            # One token, so that the runtime's own loop is sure to run: freed before that, the
            # runtime waits for itself for ever.
            server.handle_completions({"prompt": "a", "max_tokens": 1})
        except Exception as error:  # the binding raises bare RuntimeErrors for every cause
            raise ModelCorruptError(
                f"{options.path} cannot be loaded: {error}",
                remedy="assistant models verify answerer; assistant models fetch answerer",
            ) from error
        return server
