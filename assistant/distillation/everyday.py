"""From published texts of every day to what an embedder reads: passages, and what people say.

SQuADShifts (Miller et al., 2020) has passages of new Wikipedia articles, of Reddit and of Amazon's
reviews, in the form of SQuAD; Topical-Chat (Gopalakrishnan et al., 2019) has what people said to
each other about eight topics.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.distillation.disjoint import overlap, reported_pairs
from assistant.distillation.examples import TextPair
from assistant.distillation.preparing import read_squad
from assistant.distillation.sources.texts import cloze_pairs, pair_of
from assistant.errors import ReadError
from indexes.files import storage_errors

Row = dict[str, Any]

_SHORTEST = 25  # characters of a message that says something


def squad_passages(files: Iterable[Path]) -> Iterator[Row]:
    """The passages of files in the form of SQuAD, each once, without their questions.

    Raises:
        ReadError: a file is of another form.
    """
    seen: set[str] = set()
    for file in files:
        for row in read_squad(file):
            if row["passage"] not in seen:
                seen.add(row["passage"])
                yield {"passage": row["passage"]}


def chat_pairs(files: Iterable[Path]) -> Iterator[Row]:
    """A message of Topical-Chat with the one that it answers, as its question; each message once.

    Raises:
        ReadError: a file is of another form.
    """
    seen: set[str] = set()
    for file in files:
        try:
            conversations = json.loads(file.read_text(encoding="utf-8")).values()
            said = [[str(m["message"]).strip() for m in c["content"]] for c in conversations]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReadError(
                f"{file} is no file of Topical-Chat: {type(error).__name__}: {error}",
                remedy="give a file of its folder 'conversations', as published",
            ) from error
        for messages in said:  # the first of a conversation is a greeting
            for asked, answered in zip(messages[1::2], messages[2::2], strict=False):
                pair = {asked, answered}
                if min(map(len, pair)) >= _SHORTEST and not pair & seen:
                    seen |= pair
                    yield {"passage": answered, "question": asked}


def write_texts(
    passages: Iterable[Row], talk: Iterable[Row], folder: Path, *, without: Sequence[Path] = ()
) -> dict[str, int]:
    """Write `passages.jsonl` and `talk.jsonl`, what the source `texts` reads; rows of each.

    Without any rows of a kind its file is left as it is.

    Args:
        without: files that are reported on. What shares a text with them is left out, also a
            passage of which a sentence or the rest is one, and counted.

    Raises:
        ReadError: a file of `without` cannot be read.
        StorageError: the folder cannot be written.
    """
    reported = [pair for file in without for pair in reported_pairs(file)]
    counts: dict[str, int] = {}
    left_out = 0
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in (("passages.jsonl", list(passages)), ("talk.jsonl", list(talk))):
            if not rows:
                continue
            pairs_of = [list(_texts_of(row)) for row in rows]
            shared = overlap([pair for pairs in pairs_of for pair in pairs], reported)
            refused = {*shared.passages, *shared.questions}
            kept = [
                row
                for row, pairs in zip(rows, pairs_of, strict=True)
                if refused.isdisjoint(pair.id for pair in pairs)
            ]
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
            (folder / name).write_text("".join(lines), encoding="utf-8")
            counts[name] = len(kept)
            left_out += len(rows) - len(kept)
    return {**counts, "left out": left_out}


def _texts_of(row: Row) -> Iterator[TextPair]:
    """All the pairs that a training may make of it, and both texts as either part."""
    passage, question = row["passage"], row.get("question", "")
    yield pair_of(question, passage)
    if question:
        yield pair_of(passage, question)
    else:
        yield from cloze_pairs(passage)
