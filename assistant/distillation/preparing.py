"""From SQuAD's own file to the files that the recipes of the small reader read.

`squad-train.jsonl`, `squad-select.jsonl` (whole articles that are held out: thresholds are chosen
on them) and `retrieved-negatives.jsonl`: questions beside the passage that a search would find in
place of their own. A reader that was only shown passages on the very topic takes any passage for an
answer.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from assistant.errors import ReadError
from assistant.text_overlap import normalise
from indexes.files import storage_errors
from indexes.lexical.index import LexicalIndex

Row = dict[str, Any]

_SELECTED = 32  # about one article of so many is held out
_DEPTH = 8


def read_squad(path: Path) -> Iterator[Row]:
    """The questions of a file in SQuAD's own form (1.1 or 2.0), as rows.

    A row has `_id, title, passage, question, answers, answerable` and, where there is an answer,
    `answer_start` of the first one.

    Raises:
        ReadError: not such a file.
    """
    try:
        articles = json.loads(path.read_text(encoding="utf-8"))["data"]
        for article in articles:
            title = str(article.get("title", "")).replace("_", " ")
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    yield _row(title, str(paragraph["context"]), question)
    except FileNotFoundError as error:
        raise ReadError(f"{path} does not exist", remedy="give SQuAD's train-v2.0.json") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReadError(
            f"{path} is no file of SQuAD's form: {type(error).__name__}: {error}",
            remedy="give train-v2.0.json as it was published",
        ) from error


def _row(title: str, passage: str, question: dict[str, Any]) -> Row:
    answers = [] if question.get("is_impossible") else list(question.get("answers", []))
    row: Row = {
        "_id": str(question["id"]),
        "title": title,
        "passage": passage,
        "question": str(question["question"]).strip(),
        "answers": list(dict.fromkeys(str(answer["text"]) for answer in answers)),
        "answerable": bool(answers),
    }
    if answers:
        row["answer_start"] = int(answers[0]["answer_start"])
    return row


def is_selected(title: str) -> bool:
    """Whether an article is held out for choosing thresholds; by its title alone."""
    digest = hashlib.sha256(title.encode()).digest()
    return int.from_bytes(digest[:8], "big") % _SELECTED == 0


def retrieved_negatives(rows: Iterable[Row], limit: int) -> Iterator[Row]:
    """Answerable questions with the best passage by BM25 that is not theirs and lacks the answer.

    Args:
        rows: their passages are what is searched.
        limit: at most so many, by the hash of the question's id.
    """
    rows = list(rows)
    titles = {row["passage"]: row["title"] for row in rows}
    passages = list(titles)
    asked = sorted(
        (row for row in rows if row["answerable"]),
        key=lambda row: hashlib.sha256(row["_id"].encode()).digest(),
    )
    with tempfile.TemporaryDirectory() as name:
        LexicalIndex.build([f"{titles[text]}. {text}" for text in passages], Path(name))
        index = LexicalIndex.open(Path(name))
        for row in asked[:limit]:
            found = index.search(row["question"], _DEPTH, require_phrases=False)
            answer = normalise(row["answers"][0])
            for place in found.rows.tolist():
                text = passages[place]
                if text != row["passage"] and answer not in normalise(text):
                    yield {
                        "_id": f"{row['_id']}-other",
                        "title": titles[text],
                        "passage": text,
                        "question": row["question"],
                        "answers": [],
                        "answerable": False,
                    }
                    break


def prepare_squad(source: Path, folder: Path, *, negatives: int = 25_000) -> dict[str, int]:
    """Write the three files into a folder; returns how many rows each has.

    Raises:
        ReadError: `source` is not SQuAD's.
        StorageError: the folder cannot be written.
    """
    rows = list(read_squad(source))
    train = [row for row in rows if not is_selected(row["title"])]
    files = {
        "squad-train.jsonl": train,
        "squad-select.jsonl": [row for row in rows if is_selected(row["title"])],
        "retrieved-negatives.jsonl": list(retrieved_negatives(train, negatives)),
    }
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, kept in files.items():
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
            (folder / name).write_text("".join(lines), encoding="utf-8")
    return {name: len(kept) for name, kept in files.items()}
