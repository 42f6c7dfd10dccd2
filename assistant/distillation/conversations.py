"""From published conversations to the files of both rewriters' recipes and of `conversation`.

CANARD (Elgohary et al., 2019) has questions of QuAC rewritten by people; TREC CAsT 2019 to 2022
(Dalton et al.) conversational searches, each turn rewritten by the organisers. Both are brought
into the form of closed collections; whole topics are held out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.distillation.disjoint import overlap, reported_pairs
from assistant.distillation.sources.conversations import example_of
from assistant.errors import ReadError
from indexes.files import storage_errors

Row = dict[str, Any]

_SELECTED = 8  # about one topic of so many is held out
_UNKNOWN = "CANNOTANSWER"


def canard_rows(file: Path) -> Iterator[Row]:
    """CANARD's questions. The article's title and section stand as the person's first message.

    Raises:
        ReadError: not a file of CANARD.
    """
    try:
        for item in json.loads(file.read_text(encoding="utf-8")):
            title, section, *said = (str(text) for text in item["History"])
            texts = [f"{title}, {section}", *said]
            roles = ["user", *("assistant" if n % 2 else "user" for n in range(len(said)))]
            yield {
                "_id": f"canard-{item['QuAC_dialog_id']}-{item['Question_no']}",
                "history": [
                    {"role": role, "content": "I don't know." if text == _UNKNOWN else text}
                    for role, text in zip(roles, texts, strict=True)
                ],
                "text": str(item["Question"]),
                "resolved": str(item["Rewrite"]),
                "domain": f"canard {title}",
            }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(file, "CANARD (dev.json)", error) from error


def cast_rows(folder: Path) -> Iterator[Row]:
    """The turns of CAsT 2019 to 2022, from a copy of the track's repository.

    Answers are known for 2021 and 2022 only; the branches of a topic of 2022 are conversations of
    their own, whose common beginning comes once.

    Raises:
        ReadError: a file is missing or of another form.
    """
    seen: set[str] = set()
    for year, name, rewrites in _CAST:
        file = folder / name
        try:
            resolved = _resolved(folder / rewrites) if rewrites else {}
            for branch, topic in enumerate(json.loads(file.read_text(encoding="utf-8"))):
                for row in _turns(year, branch, topic, resolved):
                    key = json.dumps([row["history"], row["text"]])
                    if row["history"] and row["resolved"] and key not in seen:
                        seen.add(key)
                        yield row
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(file, "TREC CAsT", error) from error


_CAST = (
    (
        2019,
        "2019/data/training/train_topics_v1.0.json",
        "2019/data/training/train_topic_sample_annotated_resolved_v1.0.tsv",
    ),
    (
        2019,
        "2019/data/evaluation/evaluation_topics_v1.0.json",
        "2019/data/evaluation/evaluation_topics_annotated_resolved_v1.0.tsv",
    ),
    (2020, "2020/2020_manual_evaluation_topics_v1.0.json", ""),
    (2021, "2021/2021_manual_evaluation_topics_v1.0.json", ""),
    (2022, "2022/2022_evaluation_topics_flattened_duplicated_v1.0.json", ""),
)


def _resolved(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t", maxsplit=1) for line in lines if "\t" in line)
    return {turn: text.strip() for turn, text in pairs}


def _turns(year: int, branch: int, topic: Any, resolved: dict[str, str]) -> Iterator[Row]:
    history: list[Row] = []
    for turn in topic["turn"]:
        text = str(turn.get("raw_utterance") or turn["utterance"]).strip()
        known = resolved.get(f"{topic['number']}_{turn['number']}", "")
        yield {
            "_id": f"cast-{year}-{topic['number']}-{branch}-{turn['number']}",
            "history": list(history),
            "text": text,
            "resolved": str(turn.get("manual_rewritten_utterance") or known).strip(),
            "domain": f"cast {year} {topic['number']}",
        }
        history.append({"role": "user", "content": text})
        answer = str(turn.get("passage") or turn.get("response") or "").strip()
        if answer:
            history.append({"role": "assistant", "content": answer})


def is_held_out(domain: str) -> bool:
    """Whether a topic is held out; by its name alone."""
    digest = hashlib.sha256(domain.encode()).digest()
    return int.from_bytes(digest[:8], "big") % _SELECTED == 0


def write_conversations(
    rows: Iterable[Row], folder: Path, *, without: Sequence[Path] = ()
) -> dict[str, int]:
    """Write `conversations-train.jsonl` and `conversations-held-out.jsonl`; rows of each.

    Args:
        without: files that are reported on; rows that share a question or an answer with them are
            left out, and counted.

    Raises:
        ReadError: a file of `without` cannot be read.
        StorageError: the folder cannot be written.
    """
    rows = list(rows)
    examples = [example for row in rows if (example := example_of(row))]
    reported = [pair for file in without for pair in reported_pairs(file)]
    shared = overlap(examples, reported)
    left_out = {*shared.passages, *shared.questions}
    train: list[Row] = []
    held_out: list[Row] = []
    for row in rows:
        if row["_id"] not in left_out:
            (held_out if is_held_out(row["domain"]) else train).append(row)
    parts = {"conversations-train.jsonl": train, "conversations-held-out.jsonl": held_out}
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, kept in parts.items():
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
            (folder / name).write_text("".join(lines), encoding="utf-8")
    return {**{name: len(kept) for name, kept in parts.items()}, "left out": len(left_out)}


def _unreadable(file: Path, what: str, error: Exception) -> ReadError:
    return ReadError(
        f"{file} is no file of {what}: {type(error).__name__}: {error}",
        remedy="give the data as they were published",
    )
