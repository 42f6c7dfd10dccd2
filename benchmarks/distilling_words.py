"""What the family `causal` of `benchmarks.distilling` learns from: sentences of a small teacher."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from assistant.answering.small_forms import WORDING_SYSTEM, chatml, wording_prompt
from assistant.distillation.generating import generate
from assistant.distillation.students import converted, load_model, load_tokenizer
from assistant.distillation.wordings import candidates
from assistant.models.shipped import READER_WORDS, shipped
from benchmarks.distilling_reader import installed, write_whole

_TRAIN, _HELD_OUT = 240, 60  # questions
_AT_ONCE = 8
_MOST_TOKENS = 48


def write_words(train: Path, held_out: Path, folder: Path) -> None:
    """The student's and the teacher's folder, and what the teacher writes, unless they are there.

    The teacher is the shipped wording model. It answers each question with a sentence, always by
    the likeliest token; the source `wording` leaves out what is not faithful.

    Args:
        train, held_out: questions in the form of SQuAD.
        folder: gets `words-base`, `words-teacher`, `words-train.jsonl` and `words-held-out.jsonl`.

    Raises:
        ModelMissingError: SmolLM2-135M is not installed.
    """
    base, teacher = folder / "words-base", folder / "words-teacher"
    if not base.is_dir():
        converted(installed("smollm2-135m"), folder / "words-cache").rename(base)
    if not teacher.is_dir():
        write_whole(shipped(READER_WORDS), base, teacher)
    for file, count, name in ((train, _TRAIN, "train"), (held_out, _HELD_OUT, "held-out")):
        target = folder / f"words-{name}.jsonl"
        if target.is_file():
            continue
        lines = (
            json.dumps(row, ensure_ascii=False) + "\n" for row in _worded(file, count, teacher)
        )
        target.write_text("".join(lines), encoding="utf-8")


def _worded(file: Path, count: int, folder: Path) -> Iterator[dict[str, Any]]:
    model, words = load_model(folder, "causal").eval(), load_tokenizer(folder)
    rows = list(candidates(file, count))
    for at in range(0, len(rows), _AT_ONCE):
        chosen = rows[at : at + _AT_ONCE]
        prompts = [words(_prompt(row), add_special_tokens=False)["input_ids"] for row in chosen]
        with torch.inference_mode():
            end = int(words.eos_token_id)
            written = generate(model, prompts, pad=end, end=end, most=_MOST_TOKENS)
        for row, tokens in zip(chosen, written, strict=True):
            yield {**row, "sentence": words.decode(tokens, skip_special_tokens=True).strip()}


def _prompt(row: dict[str, Any]) -> str:
    said = wording_prompt(row["question"], row["title"], row["quote"], row["answer"])
    return chatml(WORDING_SYSTEM, said)
