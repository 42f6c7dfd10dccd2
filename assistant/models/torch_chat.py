"""Causal models in torch as a LangChain chat model, with the reliance dial.

For weights that the GGUF runtime cannot read, for adapters that are being trained, and for GPUs.
Tokens stream as they come; closing the stream ends the generation at its next token.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk
from pydantic import PrivateAttr

from assistant.answering.dial import Share
from assistant.answering.reliance import Vector, mixed
from assistant.errors import ModelRuntimeError
from assistant.models.local_chat import LocalChat
from assistant.models.streamed_text import TextUntil
from assistant.models.torch_decoding import decode, likeliest
from assistant.models.torch_runtime import Session, TorchRuntime, prompt_tokens

_OPTIONS = frozenset(
    (
        *("temperature", "max_tokens", "seed", "logprobs", "top_logprobs"),
        *("reliance", "without"),
    )
)


class TorchChat(LocalChat):
    """A causal model as a chat model: a folder of transformers, a PEFT adapter, or a GGUF file.

    Beside LangChain's own, a call takes `reliance` (α in [0, 1] or "auto") together with `without`,
    the messages of the same question without the documents' material.

    Attributes:
        device: "auto" takes a GPU where there is one.
        dtype: "auto", "bfloat16" or "float32".
    """

    provider: ClassVar[str] = "torch"

    device: str = "auto"
    dtype: str = "auto"

    _runtime: TorchRuntime = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Make the runtime; it loads nothing yet."""
        adapter = Path(self.adapter_path) if self.adapter_path else None
        self._runtime = TorchRuntime(Path(self.model_path), adapter, self.device, self.dtype)

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_path": self.model_path, "adapter_path": self.adapter_path}

    def get_token_ids(self, text: str) -> list[int]:
        """The model's own tokens of a text."""
        tokens = self._runtime.load().tokenizer(text, add_special_tokens=False)["input_ids"]
        return [int(token) for token in tokens]

    # -- generation -------------------------------------------------------------------------

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        if unknown := set(kwargs) - _OPTIONS:
            raise ModelRuntimeError(
                f"the torch runtime has no option {', '.join(sorted(unknown))}",
                remedy=f"known: {', '.join(sorted(_OPTIONS))}",
            )
        weights = self._runtime.load()
        prompt = self._prompt(messages)
        share: Share | None = kwargs.get("reliance")
        without = None if share is None else self._prompt(kwargs["without"])
        most = self.max_tokens if kwargs.get("max_tokens") is None else int(kwargs["max_tokens"])
        room = self.n_ctx - max(len(prompt), len(without or ()))
        choice = _Choice(
            share,
            self.temperature if kwargs.get("temperature") is None else kwargs["temperature"],
            self.seed if kwargs.get("seed") is None else kwargs["seed"],
            int(kwargs.get("top_logprobs") or 1) if kwargs.get("logprobs") else 0,
            weights.tokenizer,
        )
        text = TextUntil(weights.tokenizer, stop or self.stop or ())
        limit = room if most is None else min(most, room)
        reason, written = "length", 0
        # The turn is taken for each step, not for the whole answer: whoever reads the stream may
        # pause, and nobody else shall wait for that.
        with self._runtime.turn:
            reading = Session(weights.model, [prompt])
            own = None if without is None else Session(weights.model, [without])
        steps = decode(reading, own, choice.pick, rows=[0], most=limit, stops=weights.stops)
        while True:
            with self._runtime.turn:
                step = next(steps, None)
            if step is None:
                break
            (token,) = step
            assert token is not None  # with one row, the end of the row is the end
            written += 1
            piece = text.add(token)
            yield self._chunk(piece, run_manager, choice.told())
            if text.stopped:
                break
        if text.stopped or written < limit:
            reason = "stop"
        metadata = {"finish_reason": reason, "model_name": Path(self.model_path).name}
        usage = UsageMetadata(
            input_tokens=len(prompt), output_tokens=written, total_tokens=len(prompt) + written
        )
        yield self._chunk(text.rest(), run_manager, metadata, usage)

    def _prompt(self, messages: list[BaseMessage]) -> list[int]:
        prompt = prompt_tokens(self._runtime.load().tokenizer, messages)
        if len(prompt) >= self.n_ctx:
            raise ModelRuntimeError(
                f"the prompt has {len(prompt)} tokens, the context holds {self.n_ctx}",
                remedy="lower answering.evidence_tokens or raise models.context_tokens",
            )
        return prompt

    def _chunk(
        self,
        text: str,
        run_manager: CallbackManagerForLLMRun | None,
        metadata: dict[str, Any],
        usage: UsageMetadata | None = None,
    ) -> ChatGenerationChunk:
        message = AIMessageChunk(content=text, response_metadata=metadata, usage_metadata=usage)
        chunk = ChatGenerationChunk(message=message)
        if run_manager and text:
            run_manager.on_llm_new_token(text, chunk=chunk)
        return chunk


class _Choice:
    """How the next token is taken, and what is told of it."""

    def __init__(
        self,
        share: Share | None,
        temperature: float,
        seed: int | None,
        listed: int,
        tokenizer: Any,
    ) -> None:
        self._share, self._temperature, self._listed = share, temperature, listed
        self._generator = np.random.default_rng(seed)
        self._tokenizer = tokenizer
        self._told: dict[str, Any] = {}

    def pick(self, row: int, known: Vector, own: Vector | None) -> int:
        if own is not None and self._share is not None:
            token = mixed(own, known, self._share).sample(self._temperature, self._generator)
        elif self._temperature > 0:
            scores = known.astype(np.float64) / self._temperature
            p = np.exp(scores - scores.max())
            token = int(self._generator.choice(len(p), p=p / p.sum()))
        else:
            token = int(np.argmax(known))
        if self._listed:
            top = [self._entry(known, one) for one in likeliest(known, self._listed)]
            entry = {**self._entry(known, token), "top_logprobs": top}
            self._told = {"logprobs": {"content": [entry]}}
        return token

    def told(self) -> dict[str, Any]:
        """Log-probabilities, given the passages, in OpenAI's form; empty where not asked for."""
        return self._told

    def _entry(self, known: Vector, token: int) -> dict[str, Any]:
        return {"token": self._tokenizer.decode([token]), "logprob": float(known[token])}
