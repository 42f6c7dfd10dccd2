"""What the wording model learns from: a teacher's sentences for questions and their answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from assistant.answering.faithful import is_faithful
from assistant.distillation.sources.base import json_lines
from assistant.distillation.sources.squad import place_of
from indexes.files import storage_errors
from indexes.sentences import split_sentences

TEACHER_SYSTEM = (
    "You turn a question and its answer into one short plain sentence that answers the question. "
    "Use only the words of the question and of the quote. The answer stands in the sentence "
    "exactly as given. Add nothing."
)
_EXAMPLES = (
    (
        "How fast does kelp grow?",
        "Kelp grows up to half a metre a day.",
        "up to half a metre a day",
        "Kelp grows up to half a metre a day.",
    ),
    (
        "In what year did the notes of Ada Lovelace on the engine appear?",
        "Lovelace's translation, with her own notes, appeared in 1843 in a London journal.",
        "1843",
        "Ada Lovelace's notes on the engine appeared in 1843.",
    ),
    (
        "Who besides fishermen used the harbour?",
        "Built for fishermen, the harbour was later shared with salt traders.",
        "salt traders",
        "Besides fishermen, salt traders used the harbour.",
    ),
)
_LONGEST_QUOTE = 320  # characters
_LONGEST_ANSWER = 80
_MOST_TOKENS = 48

Row = dict[str, Any]


def teacher_messages(question: str, quote: str, answer: str) -> list[BaseMessage]:
    """What the teacher is asked."""
    messages: list[BaseMessage] = [SystemMessage(TEACHER_SYSTEM)]
    for asked, said, words, sentence in _EXAMPLES:
        messages += [HumanMessage(_ask(asked, said, words)), AIMessage(sentence)]
    return [*messages, HumanMessage(_ask(question, quote, answer))]


def candidates(rows: Path, count: int) -> Iterator[Row]:
    """Questions with the sentence that answers them, `count` of a file as of `squad`.

    Which ones depends on the hashes of their ids; long quotations and answers are left out.

    Raises:
        ReadError: the file cannot be read.
    """
    found = sorted(
        (row for _, row in json_lines(rows) if row.get("answers")),
        key=lambda row: hashlib.sha256(str(row["_id"]).encode()).digest(),
    )
    given = 0
    for row in found:
        if given == count:
            return
        passage, answer = str(row["passage"]), str(row["answers"][0])
        start = int(row.get("answer_start", place_of(answer, passage, str(row["question"]))))
        span = next((s for s in split_sentences(passage) if s[0] <= start < s[1]), None)
        if span is None or start + len(answer) > span[1]:
            continue
        quote = " ".join(passage[slice(*span)].split())
        if len(quote) > _LONGEST_QUOTE or len(answer) > _LONGEST_ANSWER:
            continue
        given += 1
        yield {
            "_id": str(row["_id"]),
            "title": str(row.get("title", "")),
            "question": str(row["question"]).strip(),
            "quote": quote,
            "answer": answer,
        }


def write_wordings(
    teacher: BaseChatModel,
    rows: Path,
    out: Path,
    count: int,
    on_row: Callable[[int, int, bool], None] = lambda done, count, kept: None,
) -> dict[str, int]:
    """Let the teacher word `count` answers; a file that is there is gone on with.

    Sentences that say more than question and quotation are written as well: the source `wording`
    leaves them out, and how many there are tells something of the teacher.

    Returns:
        How many lines the file has, and how many of them are faithful.

    Raises:
        ReadError, StorageError: a file cannot be read or written.
        ModelError: the teacher failed; what is written stays.
    """
    done: dict[str, bool] = {}
    if out.is_file():
        done = {str(row["_id"]): _faithful(row) for _, row in json_lines(out)}
    with storage_errors(out), out.open("a", encoding="utf-8") as file:
        for row in candidates(rows, count):
            if row["_id"] in done:
                continue
            reply = teacher.invoke(
                teacher_messages(row["question"], row["quote"], row["answer"]),
                temperature=0.0,
                max_tokens=_MOST_TOKENS,
            )
            row["sentence"] = " ".join(str(reply.text).split())
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            done[row["_id"]] = _faithful(row)
            on_row(len(done), count, done[row["_id"]])
    return {"written": len(done), "faithful": sum(done.values())}


def _faithful(row: Row) -> bool:
    return is_faithful(row["sentence"], row["question"], row["quote"], row["answer"])


def _ask(question: str, quote: str, answer: str) -> str:
    return f"Question: {question}\nQuote: {quote}\nAnswer: {answer}"
