"""Passages and chat as published, brought into the form that the source `texts` reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.cli.main import run
from assistant.distillation.everyday import chat_pairs, squad_passages, write_texts
from assistant.distillation.sources.texts import TextSource
from assistant.errors import ReadError

PASSAGE = (
    "Otters sleep in rafts.\nThey hold hands while they sleep. Kelp keeps a raft in its place."
)
OTHER = "The mill by the river was built of oak. It has stood empty for many years now."
SAID = [
    "Hello!",
    "Do you know how otters sleep at night?",
    "They hold hands so as not to drift apart.",
    "Right?",
    "That is what I have read somewhere, yes.",
    "I have also read that they eat a lot.",
    "A quarter of their own weight each day.",
]


def squad(file: Path, *passages: str) -> Path:
    asked: list[Any] = [{"id": "1", "question": "Why?", "answers": [], "is_impossible": True}]
    paragraphs = [{"context": passage, "qas": asked * 2} for passage in passages]
    data = {"data": [{"title": "Sea", "paragraphs": paragraphs}]}
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def chat(file: Path, *messages: str) -> Path:
    content = [{"message": message, "agent": "agent_1"} for message in messages]
    file.write_text(json.dumps({"t_1": {"content": content}}), encoding="utf-8")
    return file


def rows(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_passage_comes_once_and_without_its_questions(tmp_path: Path) -> None:
    one = squad(tmp_path / "one.json", PASSAGE, OTHER)
    other = squad(tmp_path / "other.json", OTHER)
    assert list(squad_passages([one, other])) == [{"passage": PASSAGE}, {"passage": OTHER}]


def test_a_message_has_the_one_before_it_as_its_question(tmp_path: Path) -> None:
    file = chat(tmp_path / "chat.json", *SAID)
    assert list(chat_pairs([file, file])) == [  # greetings and short ones say nothing
        {"passage": SAID[2], "question": SAID[1]},
        {"passage": SAID[6], "question": SAID[5]},
    ]


@pytest.mark.parametrize("content", ["[]", "no json", '{"t": {"content": [{"agent": 1}]}}'])
def test_another_form_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "chat.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ReadError, match="no file of Topical-Chat"):
        list(chat_pairs([file]))


@pytest.mark.parametrize(
    ("reported", "left"),
    [
        ({"text": PASSAGE, "question": "?"}, [OTHER]),
        ({"text": " ".join(PASSAGE.split()), "question": "?"}, [OTHER]),
        # what is left of the passage without its first sentence
        ({"text": PASSAGE.partition("\n")[2], "question": "?"}, [OTHER]),
        ({"text": "else", "question": "They hold hands while they sleep!"}, [OTHER]),
        ({"text": "else", "question": "?"}, [PASSAGE, OTHER]),
    ],
)
def test_what_is_reported_on_is_left_out(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    reported: dict[str, str],
    left: list[str],
) -> None:
    held = tmp_path / "reported.jsonl"
    held.write_text(json.dumps(reported) + "\n", encoding="utf-8")
    squads, chats = squad(tmp_path / "s.json", PASSAGE, OTHER), chat(tmp_path / "c.json", *SAID)
    command = ["distill", "texts", "--passages", str(squads), "--chat", str(chats)]
    to = tmp_path / "data"
    assert run([*command, "--to", str(to), "--without", str(held), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["passage"] for row in rows(to / "passages.jsonl")] == left
    assert found == {"passages.jsonl": len(left), "talk.jsonl": 2, "left out": 2 - len(left)}
    source = TextSource.model_validate({"path": (str(to / "passages.jsonl"),), "sentences": 9})
    assert all(list(source.examples(to / name)) for name in ("passages.jsonl", "talk.jsonl"))


@pytest.mark.parametrize("kind", ["text", "question"])
@pytest.mark.parametrize("message", [5, 6])
def test_what_was_said_and_is_reported_on_is_left_out(
    tmp_path: Path, kind: str, message: int
) -> None:
    held = tmp_path / "reported.jsonl"
    held.write_text(json.dumps({"text": "", "question": "", kind: SAID[message]}) + "\n")
    pairs = chat_pairs([chat(tmp_path / "c.json", *SAID)])
    to = tmp_path / "data"
    to.mkdir()
    (to / "passages.jsonl").write_text("as it was")
    found = write_texts([], pairs, to, without=[held])
    assert found == {"talk.jsonl": 1, "left out": 1}
    assert [row["question"] for row in rows(to / "talk.jsonl")] == [SAID[1]]
    assert (to / "passages.jsonl").read_text() == "as it was"


def test_nothing_to_prepare_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["distill", "texts", "--to", str(tmp_path)]) == 2
    assert "--passages" in capsys.readouterr().err
