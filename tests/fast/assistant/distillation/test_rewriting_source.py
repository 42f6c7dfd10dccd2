"""Training examples of the rewriter that writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.answering.small_forms import END, chatml
from assistant.distillation.disjoint import require_disjoint
from assistant.distillation.examples import Example
from assistant.distillation.sources.conversations import RewritingSource
from assistant.distillation.sources.example_lines import ExampleLines
from assistant.distillation.sources.reading import WordingSource
from assistant.errors import ReadError, UsageError
from assistant.understanding.rewriting_form import REWRITING_SYSTEM, rewriting_prompt
from assistant.understanding.types import Message

TOLD = "It was built in 1889 for the world's fair in Paris by Gustave Eiffel."
ROW = {
    "_id": "a",
    "history": [
        {"role": "user", "content": "What is the Eiffel Tower?"},
        {"role": "assistant", "content": TOLD},
    ],
    "text": "How tall is it exactly?",
    "resolved": "How tall is\nthe Eiffel Tower?",
    "domain": "towers",
}


def read(file: Path, *rows: dict) -> list[Example]:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = RewritingSource(path=(str(file),)).examples(file)
    return [example for example in found if isinstance(example, Example)]


def test_a_conversation_is_what_the_assistant_asks_with(tmp_path: Path) -> None:
    first_message = {**ROW, "_id": "b", "history": []}
    [example] = read(tmp_path / "a.jsonl", ROW, first_message, {**ROW, "_id": "c", "resolved": ""})
    history = [Message("user", "What is the Eiffel Tower?"), Message("assistant", TOLD)]
    prompt = rewriting_prompt("How tall is it exactly?", history)
    assert example.prompt == chatml(REWRITING_SYSTEM, prompt)
    assert example.completion == f"How tall is the Eiffel Tower?{END}"
    assert (example.id, example.prefix, example.domain, example.origin) == (
        "a",
        "",
        "towers",
        "gold",
    )


@pytest.mark.parametrize(
    "reported",
    [
        {"question": "how tall is it, EXACTLY"},
        {"question": "how tall is the Eiffel Tower"},
        {"passage": TOLD},
        {"history": [{"role": "assistant", "content": TOLD}], "text": "x", "resolved": "x"},
    ],
)
def test_what_is_reported_on_is_found_inside_the_prompt(tmp_path: Path, reported: dict) -> None:
    examples = read(tmp_path / "a.jsonl", ROW)
    report = tmp_path / "report.jsonl"
    report.write_text(json.dumps({"question": "Who was it built by?"}) + "\n", encoding="utf-8")
    require_disjoint(examples, [report])
    report.write_text(json.dumps(reported) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="share"):
        require_disjoint(examples, [report])


def test_a_line_of_another_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="line 2"):
        read(tmp_path / "a.jsonl", ROW, {"_id": "b"})


def test_example_lines_say_what_they_ask_and_read(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    line = {"prompt": "p", "completion": "c", "asks": ["Who built the old mill?"], "reads": []}
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    examples = list(ExampleLines(path=(str(file),)).examples(file))
    report = tmp_path / "report.jsonl"
    report.write_text(json.dumps({"question": "who built the OLD mill"}) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="1 questions"):
        require_disjoint(examples, [report])


@pytest.mark.parametrize("wrong", ["Who built the old mill?", None, 5, ["a", 5]])
def test_what_is_no_list_of_texts_is_refused(tmp_path: Path, wrong: object) -> None:
    file = tmp_path / "a.jsonl"
    line = {"prompt": "p", "completion": "c", "asks": wrong}
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    with pytest.raises(ReadError, match="line 1: 'asks' is no list of texts"):
        list(ExampleLines(path=(str(file),)).examples(file))


def test_a_worded_answer_is_known_by_its_question(tmp_path: Path) -> None:
    row = {
        "question": "How fast does kelp grow a day?",
        "title": "Kelp",
        "quote": "Kelp grows half a metre a day.",
        "answer": "half a metre",
        "sentence": "Kelp grows half a metre a day.",
    }
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    examples = list(WordingSource(path=(str(file),)).examples(file))
    report = tmp_path / "report.jsonl"
    report.write_text(json.dumps({"question": row["question"]}) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="1 questions"):
        require_disjoint(examples, [report])
