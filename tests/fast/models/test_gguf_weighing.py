"""Two lists of likely tokens as one; the runtime itself is in the integration tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from langchain_core.messages import HumanMessage

from assistant.errors import ModelRuntimeError
from assistant.models.gguf import GGUFChat
from assistant.models.gguf_runtime import Candidate
from assistant.models.gguf_weighing import aligned, weighed


def candidate(identity: int, logprob: float, text: str = "x") -> Candidate:
    return Candidate(identity, text.encode(), logprob)


def test_a_token_that_one_side_misses_is_as_likely_as_its_last() -> None:
    known = [candidate(7, -0.1), candidate(3, -2.0)]
    alone = [candidate(3, -0.3), candidate(5, -1.5)]
    listed, first, second = aligned(known, alone)
    assert [one.id for one in listed] == [3, 5, 7]
    assert first.tolist() == [-2.0, -2.0, -0.1]
    assert second.tolist() == [-0.3, -1.5, -1.5]


class Spelling:
    """A runtime that goes on with bytes of two texts: one read, one known."""

    def __init__(self, read: str, known: str) -> None:
        self.texts = (read.encode(), known.encode())
        self.asked: list[int] = []

    def prompt(self, messages: list[dict[str, Any]]) -> list[int]:
        return [1000]

    def following(self, tokens: list[int], slot: int, most: int) -> list[Candidate]:
        self.asked.append(slot)
        text, at = self.texts[slot], len(tokens) - 1
        byte = text[at : at + 1]
        second = Candidate(999, b"?", float(np.log(0.2)))
        return [Candidate(byte[0] if byte else 998, byte, float(np.log(0.8))), second]


def test_half_letters_wait_for_their_other_half() -> None:
    runtime = Spelling("né", "né")
    pieces = list(weighed(runtime, [], [], 0.5, most=20))  # type: ignore[arg-type]
    assert pieces == ["n", "é"]
    assert runtime.asked == [0, 1] * 4  # three bytes, and the end
    assert list(weighed(runtime, [], [], 0.5, most=2)) == ["n", "\ufffd"]  # type: ignore[arg-type]


def test_the_ends_of_the_dial() -> None:
    for share, text in ((0.5, "read"), (1.0, "know")):
        assert "".join(weighed(Spelling("read", "know"), [], [], share, most=9)) == text  # type: ignore[arg-type]


def test_what_does_not_go_with_the_dial_is_refused() -> None:
    model = GGUFChat(model_path="none.gguf")
    with pytest.raises(ModelRuntimeError, match="logprobs"):
        model.invoke("Hi", reliance=0.5, without=[HumanMessage("Hi")], logprobs=True)
