"""A conversation about a medicine, and a closed collection with its next message to find."""

from __future__ import annotations

import json
from pathlib import Path

from assistant.understanding.types import Message

HISTORY = [
    Message("user", "What are the side effects of ibuprofen?"),
    Message("assistant", "Common ones are nausea and headaches; stomach bleeding is rare."),
]
FOLLOW_UP = "Is it safe for children?"


def long_history() -> list[Message]:
    """More than any encoder reads."""
    return [
        Message(role, f"{text} {'and so on ' * 300}")  # type: ignore[arg-type]
        for _ in range(20)
        for role, text in (("user", "Tell me about otters."), ("assistant", "Otters eat fish."))
    ]


def write_closed(folder: Path, children: str) -> Path:
    """A collection in BEIR's layout: `FOLLOW_UP` after `HISTORY` is answered by `children`."""
    (folder / "qrels").mkdir(parents=True)
    texts = {
        "children": children,
        "toys": "Wooden toys without small parts are safe for children.",
        "said": HISTORY[1].content,
    }
    rows = [{"_id": key, "title": "", "text": text} for key, text in texts.items()]
    said = [{"role": m.role, "content": m.content} for m in HISTORY]
    query = {"_id": "q", "text": FOLLOW_UP, "history": said}
    for name, lines in (("corpus.jsonl", rows), ("queries.jsonl", [query])):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / name).write_text(text, encoding="utf-8")
    qrels = "query-id\tcorpus-id\tscore\nq\tchildren\t1\n"
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    return folder
