"""Entries as training data: rows as in SQuAD, each with the passage that holds the answer."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.knowledge.entries import KnowledgeEntry
from indexes.documents import Passage
from indexes.encodings import text_key
from indexes.files import storage_errors, write_atomically
from indexes.store import PassageStore


@dataclass(slots=True)
class Exported:
    """How many rows were written, and how many entries were left out, by reason."""

    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def squad_rows(
    entries: Iterable[KnowledgeEntry], passages: PassageStore, done: Exported
) -> Iterator[dict[str, Any]]:
    """Rows `id, title, passage, question, answers, answerable, tier, teacher` of question–answer
    pairs whose answer stands in the passage; `answers` has it as the passage writes it.

    Rows of one passage follow each other, so that a split by passage can be made by reading on.

    Args:
        done: counts as rows are taken.
    """
    by_passage: dict[str, list[KnowledgeEntry]] = {}
    for entry in entries:
        if entry.tier == "rejected":
            done.left_out["rejected"] += 1
        elif entry.kind != "qa":
            done.left_out["a statement"] += 1
        else:
            by_passage.setdefault(entry.passage_id, []).append(entry)
    for passage_id, written in by_passage.items():
        passage = passages.passage(passage_id)
        if passage is None:
            done.left_out["its passage is gone"] += len(written)
            continue
        for entry in written:
            if text_key(passage.indexed_text) != entry.passage_key:
                done.left_out["its passage is gone"] += 1
            elif not (spans := answer_spans(entry.answer, passage)):
                done.left_out["the answer is no span of the passage"] += 1
            else:
                done.rows += 1
                yield {
                    "id": entry.id,
                    "title": passage.name,
                    "passage": passage.text,
                    "question": entry.question,
                    "answers": spans,
                    "answerable": True,
                    "tier": entry.tier,
                    "teacher": entry.teacher,
                }


def answer_spans(answer: str, passage: Passage) -> list[str]:
    """The answer as the passage writes it, where it stands there as whole words; else none.

    Case, spacing and a full stop at the end may differ.
    """
    words = answer.strip().rstrip(".").split()
    if not words:
        return []
    pattern = r"\s+".join(re.escape(word) for word in words)
    match = re.search(rf"(?<!\w){pattern}(?!\w)", passage.text, re.IGNORECASE)
    return [match.group()] if match else []


def export_squad(entries: Iterable[KnowledgeEntry], passages: PassageStore, file: Path) -> Exported:
    """Write the rows as JSON lines; the file is the old one or the new one, never half.

    Raises:
        StorageError: no space, no rights.
    """
    done = Exported()
    lines = [json.dumps(row, ensure_ascii=False) for row in squad_rows(entries, passages, done)]
    with storage_errors(file):
        write_atomically(file, "".join(f"{line}\n" for line in lines).encode())
    return done
