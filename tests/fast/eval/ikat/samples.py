"""Small topics and runs in the form of each year, written for the tests."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

PASSAGES = [f"clueweb22-en0001-02-0000{n}:{n}" for n in range(5)]

TOPICS: dict[int, list[dict[str, Any]]] = {
    2023: [
        {
            "number": "3-1",
            "title": "A bicycle",
            "ptkb": {"1": "I live on a hill.", "2": "I have two cats.", "3": "I am tall."},
            "turns": [
                {
                    "turn_id": 1,
                    "utterance": "Which bicycle suits me?",
                    "resolved_utterance": "Which bicycle suits a tall person on a hill?",
                    "response": "One with a large frame and low gears.",
                    "ptkb_provenance": [1, 3],
                    "response_provenance": [PASSAGES[0]],
                },
                {
                    "turn_id": 2,
                    "utterance": "What does it weigh?",
                    "resolved_utterance": "What does a bicycle weigh?",
                    "response": "About twelve kilograms.",
                    "ptkb_provenance": [],
                    "response_provenance": [],
                },
            ],
        }
    ]
}
TOPICS[2024] = copy.deepcopy(TOPICS[2023])
TOPICS[2024][0]["number"] = 3
TOPICS[2025] = [
    {
        "number": "3-1",
        "title": "A bicycle",
        "ptkb": ["I live on a hill.", "I have two cats.", "I am tall."],
        "responses": [
            {
                "turn_id": turn["turn_id"],
                "user_utterance": turn["utterance"],
                "resolved_utterance": turn["resolved_utterance"],
                "response": turn["response"],
                "relevant_ptkbs": [
                    TOPICS[2023][0]["ptkb"][str(id_)] for id_ in turn["ptkb_provenance"]
                ],
                "citations": turn["response_provenance"],
            }
            for turn in TOPICS[2023][0]["turns"]
        ],
    }
]


def topics(year: int) -> list[dict[str, Any]]:
    """A copy to change."""
    return copy.deepcopy(TOPICS[year])


def document(year: int) -> dict[str, Any]:
    """A run of 2023 or 2024 that keeps all rules."""
    number = TOPICS[year][0]["number"]
    passages: list[dict[str, Any]] = [
        {"id": id_, "score": 3.0 - rank, "used": rank == 0} for rank, id_ in enumerate(PASSAGES[:3])
    ]
    statements: list[Any] = [1, 3]
    if year == 2023:
        passages = [{**passage, "text": "About bicycles."} for passage in passages]
        texts = TOPICS[2023][0]["ptkb"]
        statements = [{"id": "1", "text": texts["1"], "score": 0.5}]
    response = {
        "rank": 1,
        "text": "Take a large frame.",
        "passage_provenance": passages,
        "ptkb_provenance": statements,
    }
    turns = [{"turn_id": f"{number}_{turn}", "responses": [response]} for turn in (1, 2)]
    made = {"run_name": "hill", "run_type": "automatic", "turns": turns}
    return json.loads(json.dumps(made))  # no object in it twice


def lines() -> list[dict[str, Any]]:
    """A run of 2025 that keeps all rules."""
    references = {id_: 3.0 - rank for rank, id_ in enumerate(PASSAGES[:3])}
    made = [
        {
            "metadata": {"team_id": "us", "run_id": "hill", "run_type": "automatic"},
            "turn_id": f"3-1_{turn}",
            "responses": [
                {
                    "rank": 1,
                    "text": "Take a large frame.",
                    "citations": {PASSAGES[1]: 2.0},
                    "ptkb_provenance": ["I am tall."],
                }
            ],
            "references": references,
        }
        for turn in (1, 2)
    ]
    return json.loads(json.dumps(made))


def write(path: Path, value: Any) -> Path:
    """As an indented JSON document; a list of runs' turns (2025) as JSON lines."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in value), encoding="utf-8")
    else:
        path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return path


def run_file(folder: Path, year: int) -> Path:
    """A run of the year that keeps all rules."""
    if year == 2025:
        return write(folder / "run.jsonl", lines())
    return write(folder / "run.json", document(year))
