"""Training examples of the reader's language model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.small_forms import (
    END,
    POINTING_SYSTEM,
    WORDING_SYSTEM,
    chatml,
    pointing_prompt,
    wording_prompt,
)
from assistant.distillation.examples import Example, SpanExample
from assistant.distillation.sources.reading import PointingSource, WordingSource, marked
from assistant.errors import ReadError

KELP = "Kelp grows half a metre a day. It was first farmed in 1952."
OTTERS = "Sea otters sleep on their backs. They eat urchins."


def row(passage: str, question: str, *answers: str, title: str = "Sea") -> dict:
    return {
        "passage": passage,
        "question": question,
        "answers": list(answers),
        "answerable": bool(answers),
        "title": title,
    }


def written(path: Path, *rows: dict) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def pointing(file: Path, **options) -> list[Example]:
    found = PointingSource(path=(str(file),), **options).examples(file)
    return [example for example in found if isinstance(example, Example)]


def test_one_passage_is_marked_and_pointed_at(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.jsonl",
        row(KELP, "When was kelp farmed?", "1952"),
        row(KELP, "Who farmed kelp?"),
    )
    first, second = pointing(file, passages=1)
    sentences = ["Kelp grows half a metre a day.", "It was first farmed in 1952."]
    assert first.prompt == chatml(
        POINTING_SYSTEM, pointing_prompt("When was kelp farmed?", [("Sea", sentences)])
    )
    assert (first.prefix, first.completion, first.domain) == ("", f"[1.2] 1952{END}", "Sea")
    assert second.completion == f"[0]{END}"


def test_distractors_move_the_mark_and_never_answer(tmp_path: Path) -> None:
    repeats = "Everybody knows that 1952 was long ago."
    file = written(
        tmp_path / "a.jsonl",
        row(KELP, "When was kelp farmed?", "1952"),
        row(OTTERS, "What do otters eat?", "urchins"),
        row(repeats, "What is long ago?", "long ago"),
    )
    places = set()
    for seed in range(40):
        first = pointing(file, passages=3, seed=seed)[0]
        assert repeats not in first.prompt  # it holds the answer
        mark = first.completion.split()[0]
        assert f"{mark} It was first farmed in 1952." in first.prompt
        places.add(mark)
        assert first.difficulty == first.prompt.count("\nPassage ")
    assert places == {"[1.2]", "[2.2]", "[3.2]"}
    assert pointing(file, seed=3) == pointing(file, seed=3)


def test_what_does_not_fit_is_left_out(tmp_path: Path) -> None:
    long = " ".join(f"This is sentence number {n}." for n in range(12))
    file = written(
        tmp_path / "a.jsonl",
        row(long, "Which one?", "number 3"),  # more sentences than marks
        row("A" + "b" * 300 + " is long. It is.", "Which?", "long"),  # too many characters
        row(KELP, "What of a day and farming?", "a day. It was"),  # an answer across two sentences
        row(KELP, "When?", "1952"),
    )
    assert [e.completion for e in pointing(file, max_characters=250, passages=1)] == [
        f"[1.2] 1952{END}"
    ]


def test_characters_of_all_passages_are_kept(tmp_path: Path) -> None:
    rows = [row(f"{KELP} Part {n} of it.", "When?", "1952") for n in range(5)]
    others = [row(f"{OTTERS} Note {n}.", "What?", "urchins") for n in range(5)]
    file = written(tmp_path / "a.jsonl", *rows, *others)
    for example in pointing(file, max_characters=200, passages=9):
        shown = [line.split("] ", 1)[1] for line in example.prompt.splitlines() if line[:1] == "["]
        assert sum(map(len, shown)) <= 200


def test_wordings_that_slip_are_not_learnt(tmp_path: Path) -> None:
    good = {
        "_id": "g",
        "question": "When was kelp first farmed?",
        "title": "Kelp",
        "quote": "It was first farmed in 1952.",
        "answer": "1952",
        "sentence": "Kelp was  first farmed in 1952.",
    }
    bad = {**good, "_id": "b", "sentence": "Kelp was first farmed in 1952 by Bob."}
    file = written(tmp_path / "w.jsonl", good, bad)
    (example,) = WordingSource(path=(str(file),)).examples(file)
    assert isinstance(example, Example)
    assert example.prompt == chatml(
        WORDING_SYSTEM, wording_prompt(good["question"], "Kelp", good["quote"], "1952")
    )
    assert example.completion == f"Kelp was first farmed in 1952.{END}"
    assert (example.id, example.origin, example.domain) == ("g", "teacher", "Kelp")


def test_a_wording_without_its_parts_names_the_line(tmp_path: Path) -> None:
    file = written(tmp_path / "w.jsonl", {"question": "When?", "title": "T", "quote": "Q"})
    with pytest.raises(ReadError, match=r"w\.jsonl, line 1: without 'answer'"):
        list(WordingSource(path=(str(file),)).examples(file))


sentence = st.text("abc ", min_size=1, max_size=12).map(lambda text: f"A{text.strip()}b.")


@given(st.lists(sentence, min_size=1, max_size=9), st.data())
def test_the_mark_is_that_of_the_answers_sentence(sentences: list[str], data) -> None:
    passage = " ".join(sentences)
    place = data.draw(st.integers(0, len(sentences) - 1))
    start = sum(len(s) + 1 for s in sentences[:place])
    end = start + data.draw(st.integers(1, len(sentences[place])))
    example = SpanExample("x", "?", "T", passage, start, end, (passage[start:end],))
    own, found = marked(example)
    if own is not None and found is not None:
        assert passage[start:end] in own[1][found - 1] or " " in passage[start:end]
        assert " ".join(own[1]) == " ".join(passage.split())
