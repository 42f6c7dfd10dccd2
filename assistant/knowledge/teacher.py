"""One call of the teacher: a passage in, candidates out, or the reason why there are none."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from assistant.errors import ModelCorruptError, ModelFetchError, ModelMissingError, UsageError
from assistant.knowledge.entries import Candidate
from assistant.knowledge.likelihood import (
    list_spans,
    mean_logprob,
    tokens_between,
    value_spans,
    written,
)
from assistant.knowledge.prompts import messages_for, schema
from indexes.documents import Passage

MAX_TOKENS = 420
SECONDS = 300.0  # for one call; a machine that is busy with other things needs patience
_TEMPERATURE = 0.8  # of every sample but the first
_REFUSED = re.compile(r"^\W*(i'?m sorry|i am sorry|i cannot|i can't|as an ai)\b", re.IGNORECASE)


class TeacherFailedError(Exception):
    """The teacher gave nothing for a passage; `reason` in a few words, the same for the same cause.

    `broken` where the call itself failed, as it will for every other passage.
    """

    def __init__(self, reason: str, *, broken: bool = False, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.broken, self.detail = reason, broken, detail


class StoppedError(Exception):
    """The work was stopped while the teacher was writing."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one call gave; `tokens` counts those it wrote, 0 where it does not say."""

    candidates: tuple[Candidate, ...]
    raw: str
    tokens: int


class Teacher:
    """Writes questions with answers and statements for passages. Safe to share between threads.

    Args:
        model: any chat model that takes OpenAI's `response_format`.
        name: what entries are marked with.
        questions, statements: how many of each it is asked for at once.
        logprobs: how many of the likeliest tokens are kept at each place; 0 keeps none.
        stop: when set, calls under way end with `StoppedError`.
    """

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        *,
        questions: int = 2,
        statements: int = 1,
        logprobs: int = 0,
        seconds: float = SECONDS,
        stop: threading.Event | None = None,
    ) -> None:
        if questions + statements < 1:
            raise UsageError("neither questions nor statements", remedy="ask for at least one")
        self.name, self.questions, self.statements = name, questions, statements
        self._model, self._logprobs, self._seconds = model, logprobs, seconds
        self.stop = stop or threading.Event()
        # Whether it has told log-probabilities, and whether it is asked for none since it refuses.
        self._told = self._mute = False
        self._format = {
            "type": "json_schema",
            "json_schema": {"name": "knowledge", "schema": schema(questions, statements)},
        }

    def write(self, passage: Passage, *, sample: int = 0, style: str = "plain") -> Written:
        """Ask once.

        Args:
            sample: 0 is the likeliest answer, others are drawn, each another one.

        Raises:
            TeacherFailedError: there is nothing to be used, with the reason.
            StoppedError: `stop` was set.
            ModelMissingError, ModelCorruptError, ModelFetchError: there is no usable model.
        """
        whole = self._ask(passage, sample, style)
        raw = str(whole.content)
        if not raw.strip():
            raise TeacherFailedError("empty output")
        if whole.response_metadata.get("finish_reason") == "length":
            raise TeacherFailedError("ran away", detail="cut off at the token limit")
        try:
            value = json.loads(raw)
        except ValueError as error:
            reason = "refused" if _REFUSED.search(raw) else "no JSON"
            raise TeacherFailedError(reason, detail=raw[:80]) from error
        told = (whole.response_metadata.get("logprobs") or {}).get("content") or []
        usage = whole.usage_metadata
        return Written(
            tuple(self._candidates(value, told, raw, style)),
            raw,
            usage["output_tokens"] if usage else 0,
        )

    def _ask(self, passage: Passage, sample: int, style: str) -> AIMessageChunk:
        messages = messages_for(
            passage, questions=self.questions, statements=self.statements, style=style
        )
        options: dict[str, Any] = {
            "response_format": self._format,
            "max_tokens": MAX_TOKENS,
            "temperature": _TEMPERATURE if sample else 0.0,
        }
        if sample:
            options["seed"] = sample
        telling = {"logprobs": True, "top_logprobs": max(self._logprobs, 1)}
        if self._mute:
            return self._stream(messages, options)
        try:
            return self._stream(messages, {**options, **telling})
        except TeacherFailedError as failure:
            if not failure.broken or self._told:
                raise
        # Not every endpoint tells log-probabilities; some refuse a request that asks for them.
        whole = self._stream(messages, options)
        self._mute = True
        return whole

    def _stream(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessageChunk:
        whole: AIMessageChunk | None = None
        deadline = time.monotonic() + self._seconds
        try:
            for chunk in self._model.stream(messages, **options):
                if self.stop.is_set():
                    raise StoppedError
                if time.monotonic() > deadline:
                    # What is written is bounded, so it is the machine or the endpoint that is slow.
                    detail = f"over {self._seconds:.0f} s"
                    raise TeacherFailedError("took too long", broken=True, detail=detail)
                part = _as_chunk(chunk)
                whole = part if whole is None else whole + part
        except (ModelMissingError, ModelCorruptError, ModelFetchError, StoppedError):
            raise
        except TeacherFailedError:
            raise
        except Exception as error:  # a remote model can fail in any way
            detail = f"{type(error).__name__}: {str(error)[:200]}"
            raise TeacherFailedError("the call failed", broken=True, detail=detail) from error
        if whole is None:
            raise TeacherFailedError("empty output")
        self._told = self._told or "logprobs" in whole.response_metadata
        return whole

    def _candidates(
        self, value: Any, told: Sequence[Mapping[str, Any]], raw: str, style: str
    ) -> list[Candidate]:
        if not isinstance(value, dict):
            raise TeacherFailedError("not in the form asked for")
        pairs, statements = value.get("pairs") or [], value.get("statements") or []
        text = written(told)
        aligned = text == raw.encode()
        answers = value_spans(text, "answer") if aligned else []
        stated = list_spans(text, "statements") if aligned else []
        found = []
        for number, pair in enumerate(pairs):
            if not isinstance(pair, dict):
                continue
            tokens = tokens_between(told, *answers[number]) if number < len(answers) else ()
            question, answer = (_line(pair.get(key)) for key in ("question", "answer"))
            found.append(
                Candidate(
                    "qa",
                    question=question,
                    answer=answer,
                    likelihood=mean_logprob(tokens),
                    tokens=tokens if self._logprobs else (),
                    style=style,
                )
            )
        for number, statement in enumerate(statements):
            tokens = tokens_between(told, *stated[number]) if number < len(stated) else ()
            found.append(
                Candidate(
                    "statement",
                    statement=_line(statement),
                    likelihood=mean_logprob(tokens),
                    tokens=tokens if self._logprobs else (),
                    style=style,
                )
            )
        if not any(candidate.text and candidate.says for candidate in found):
            raise TeacherFailedError("empty output")
        return found


def _as_chunk(message: AIMessage) -> AIMessageChunk:
    """A model that does not stream gives its whole message at once."""
    if isinstance(message, AIMessageChunk):
        return message
    return AIMessageChunk(
        content=message.content,
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
    )


def _line(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
