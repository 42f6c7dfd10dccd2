"""Models asked with the reliance dial at several places, for `eval.reliance`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from assistant.answering.dial import Share
from assistant.answering.reliance import CONFLICT_K, PLAUSIBLE, Vector, mixed
from assistant.models.torch_decoding import Pick, decode
from assistant.models.torch_runtime import Session, TorchRuntime, prompt_tokens

_MAX_TOKENS = 14  # of an answer: a name

# The question with material of documents beside it, and without.
Prompts = tuple[Sequence[BaseMessage], Sequence[BaseMessage]]


class Setting(NamedTuple):
    """A place of the dial, and the two constants of `assistant.answering.reliance`."""

    at: Share
    k: float = CONFLICT_K
    plausible: float = PLAUSIBLE


class TorchDialled:
    """A torch model, many prompts at once: each is read once and answered for the whole dial.

    Args:
        k: how readily a conflict is seen, see `assistant.answering.reliance`.
    """

    def __init__(self, runtime: TorchRuntime, *, k: float = CONFLICT_K) -> None:
        self._weights = runtime.load()
        self._k = k

    def alone(self, questions: Sequence[Sequence[BaseMessage]]) -> list[str]:
        """See `eval.reliance.Dialled`."""
        reading = self._session(questions)
        rows = range(len(questions))
        return self._write(reading, None, lambda row, known, own: int(np.argmax(known)), rows)

    def answers(self, questions: Sequence[Prompts], dial: Sequence[Share]) -> list[list[str]]:
        """See `eval.reliance.Dialled`."""
        return self.settings(questions, [Setting(at, self._k) for at in dial])

    def settings(self, questions: Sequence[Prompts], wanted: Sequence[Setting]) -> list[list[str]]:
        """For each pair of prompts an answer for each setting."""
        reading = self._session([with_ for with_, _ in questions])
        own = self._session([without for _, without in questions])

        def pick(row: int, known: Vector, alone: Vector | None) -> int:
            assert alone is not None
            setting = wanted[row % len(wanted)]
            return mixed(alone, known, setting.at, k=setting.k, plausible=setting.plausible).best

        rows = [place for place in range(len(questions)) for _ in wanted]
        texts = self._write(reading, own, pick, rows)
        return [texts[i : i + len(wanted)] for i in range(0, len(texts), len(wanted))]

    def _session(self, prompts: Sequence[Sequence[BaseMessage]]) -> Session:
        tokens = [prompt_tokens(self._weights.tokenizer, list(prompt)) for prompt in prompts]
        return Session(self._weights.model, tokens)

    def _write(
        self, reading: Session, own: Session | None, pick: Pick, rows: Sequence[int]
    ) -> list[str]:
        written: list[list[int]] = [[] for _ in rows]
        stops = self._weights.stops
        for tokens in decode(reading, own, pick, rows=rows, most=_MAX_TOKENS, stops=stops):
            for row, token in zip(written, tokens, strict=True):
                if token is not None:
                    row.append(token)
        return [self._weights.tokenizer.decode(row).strip() for row in written]


class ChatDialled:
    """Any chat model that takes `reliance` and `without`, one answer after the other."""

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model.bind(temperature=0.0, max_tokens=_MAX_TOKENS)

    def alone(self, questions: Sequence[Sequence[BaseMessage]]) -> list[str]:
        """See `eval.reliance.Dialled`."""
        return [str(self._model.invoke(list(question)).text).strip() for question in questions]

    def answers(self, questions: Sequence[Prompts], dial: Sequence[Share]) -> list[list[str]]:
        """See `eval.reliance.Dialled`."""
        return [
            [
                str(self._model.invoke(list(with_), without=list(own), reliance=at).text).strip()
                for at in dial
            ]
            for with_, own in questions
        ]
