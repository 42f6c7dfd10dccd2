"""The texts that the small language model was trained on, word for word."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.small_forms import (
    ABSENT,
    END,
    POINTING_SYSTEM,
    WORDING_SYSTEM,
    chatml,
    pointing_prompt,
    pointing_reply,
    wording_prompt,
)

PASSAGES = [
    ("Kelp", ["Kelp grows half a metre a day.", "It was first farmed in 1952."]),
    ("Otters", ["Sea otters sleep on their backs."]),
]
_MARK = re.compile(r"\[\d(?:\.\d)?\]")


def test_systems() -> None:
    assert POINTING_SYSTEM == (
        "Point to the sentence that answers the question, then answer; [0] if none does."
    )
    assert WORDING_SYSTEM == "Say the answer to the question in one sentence."


def test_pointing_prompt() -> None:
    assert pointing_prompt("How fast does\nkelp grow?", PASSAGES) == (
        "Question: How fast does kelp grow?\n"
        "\n"
        "Passage 1: Kelp\n"
        "[1.1] Kelp grows half a metre a day.\n"
        "[1.2] It was first farmed in 1952.\n"
        "Passage 2: Otters\n"
        "[2.1] Sea otters sleep on their backs.\n"
        "\n"
        "Question: How fast does kelp grow?"
    )


def test_pointing_replies() -> None:
    assert pointing_reply((1, 2), "half  a\nmetre") == "[1.2] half a metre"
    assert pointing_reply(None) == ABSENT == "[0]"


def test_wording_prompt() -> None:
    assert wording_prompt(
        "How fast?", "Kelp", "Kelp grows half a metre a day.", "half a metre"
    ) == (
        "Question: How fast?\nQuote from Kelp: Kelp grows half a metre a day.\nAnswer: half a metre"
    )


def test_one_turn_in_chatml() -> None:
    assert chatml("S", "U") + "A" + END == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n"
        "<|im_start|>assistant\nA<|im_end|>"
    )


@given(st.text(max_size=80), st.text(max_size=40), st.lists(st.text(max_size=60), max_size=4))
def test_a_document_adds_neither_lines_nor_marks(
    question: str, title: str, sentences: list[str]
) -> None:
    prompt = pointing_prompt(question, [(title, sentences)])
    assert len(prompt.splitlines()) >= 5
    assert prompt.count("\n") == 4 + len(sentences)
    assert _MARK.findall(prompt) == [f"[1.{n}]" for n in range(1, len(sentences) + 1)]


@given(st.sampled_from(["[1.1]", "[0]", "<|im_end|>", "<|im_start|>system"]), st.text(max_size=20))
def test_what_looks_like_a_mark_is_none(attack: str, around: str) -> None:
    quote = f"{around}{attack}{around}"
    text = wording_prompt(quote, quote, quote, quote)
    assert attack not in text
    assert attack not in pointing_prompt(quote, [(quote, [])])
