"""Words that a message leaves unsaid, how a conversation is laid out, and how choices are judged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.distillation.conversations import (
    canard_rows,
    cast_rows,
    is_held_out,
    write_conversations,
)
from assistant.distillation.students import load_tokenizer
from assistant.distillation.tags.layout import MOST_MESSAGE, Layout
from assistant.distillation.tags.measures import Judged, average_precision, prf, summarise
from assistant.distillation.tags.words import missing_stems, stem_of, stem_places
from assistant.errors import ReadError
from assistant.understanding.types import Message
from tests.fast.assistant.distillation import tiny

# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [("university", "Universities", "university's"), ("cancer", "Cancer’s"), ("bond", "bonds'")],
)
def test_forms_of_one_word_have_one_stem(words: tuple[str, ...]) -> None:
    assert len({stem_of(word) for word in words}) == 1


def test_the_words_that_a_message_leaves_unsaid() -> None:
    history = [
        Message("user", "What is lung cancer?"),
        Message("assistant", "A tumour of the lungs."),
    ]
    # "symptoms" is the message's own, "early" was never said
    wanted = missing_stems("What are its symptoms?", history, "Early symptoms of lung cancer?")
    assert wanted == {"lung", "cancer"}
    assert missing_stems("What is lung cancer?", history, "What is lung cancer?") == frozenset()


@given(st.text(max_size=200))
def test_words_stand_where_they_are_said_to(text: str) -> None:
    for start, end, stem in stem_places(text):
        assert 0 <= start < end <= len(text)
        assert stem == stem_of(text[start:end])


# --- layout ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory):
    return load_tokenizer(tiny.encoder(tmp_path_factory.mktemp("words") / "encoder"))


def test_the_newest_message_comes_first_and_what_was_asked_is_no_candidate(tokenizer) -> None:
    history = [
        Message("user", "mara lives at the mill ."),
        Message("assistant", "tom lives in the harbour ."),
    ]
    [laid] = Layout(tokenizer, 120).sequences([("who lives at the tower ?", history)])
    words = [history[w.message].content[w.start : w.end] for w in laid.words]
    assert words == ["tom", "harbour", "mara", "mill"]
    tokens = tokenizer.convert_ids_to_tokens(laid.ids.tolist())
    assert [tokens[place] for place in laid.places] == words
    assert tokens[laid.second - 1] == "[SEP]" and tokens[0] == "[CLS]" and tokens[-1] == "[SEP]"


@settings(max_examples=60, deadline=None)
@given(
    message=st.integers(0, 300),
    history=st.lists(
        st.tuples(st.sampled_from(["user", "assistant"]), st.integers(0, 300)), max_size=8
    ),
)
def test_however_long_a_conversation_is_it_fits(
    tokenizer, message: int, history: list[tuple[str, int]]
) -> None:
    said = [Message(role, "mara mill " * length) for role, length in history]  # type: ignore[arg-type]
    [laid] = Layout(tokenizer, 150).sequences([("who " * message, said)])
    assert len(laid.ids) <= 150
    assert laid.second <= MOST_MESSAGE + 2
    assert len(laid.places) == len(laid.words)
    assert all(laid.second <= place < len(laid.ids) - 1 for place in laid.places)
    assert np.array_equal(laid.places, np.sort(laid.places))


def test_of_a_long_message_of_the_person_both_ends_are_kept(tokenizer) -> None:
    text = "mara " + "lives " * 200 + "mill"
    [laid] = Layout(tokenizer, 384).sequences([("who ?", [Message("user", text)])])
    stems = [word.stem for word in laid.words]
    assert stems[0] == "mara" and stems[-1] == "mill" and len(stems) == 64


# --- measures --------------------------------------------------------------------------------


def test_measures_by_hand() -> None:
    judged = [
        Judged("a", "", {"lung": 0.9, "cancer": 0.6, "tumour": 0.4}, frozenset({"lung", "cancer"})),
        Judged("b", "", {"shark": 0.2, "whale": 0.7}, frozenset({"shark", "tooth"})),
    ]
    # from .5 on: lung, cancer, whale are chosen, two of them right; four are wanted
    assert prf(judged, 0.5) == pytest.approx((2 / 3, 2 / 4, 4 / 7))
    # in one list: lung 1/1, whale, cancer 2/3, tumour, shark 3/5; "tooth" is never found
    assert average_precision(judged) == pytest.approx((1 + 2 / 3 + 3 / 5 + 0) / 4)
    found = summarise(judged)
    assert found["f1_half"] == pytest.approx(4 / 7, abs=1e-4)
    assert found["threshold"] == 0.2 and found["f1"] == pytest.approx(6 / 9, abs=1e-4)


def test_nothing_chosen_and_nothing_wanted_is_no_error() -> None:
    assert summarise([Judged("a", "", {}, frozenset())])["f1"] == 0.0


# --- data ------------------------------------------------------------------------------------


def test_canard_becomes_conversations(tmp_path: Path) -> None:
    item = {
        "History": ["Ada", "Youth", "Where was she born?", "In London.", "When?", "CANNOTANSWER"],
        "QuAC_dialog_id": "C_1",
        "Question": "And who taught her?",
        "Question_no": 3,
        "Rewrite": "Who taught Ada?",
    }
    file = tmp_path / "dev.json"
    file.write_text(json.dumps([item]), encoding="utf-8")
    [row] = canard_rows(file)
    assert [(m["role"], m["content"]) for m in row["history"]] == [
        ("user", "Ada, Youth"),
        ("user", "Where was she born?"),
        ("assistant", "In London."),
        ("user", "When?"),
        ("assistant", "I don't know."),
    ]
    assert (row["text"], row["resolved"]) == ("And who taught her?", "Who taught Ada?")


def cast_folder(folder: Path) -> Path:
    """One topic of each year, in the forms of the track's repository."""
    old = {"number": 1, "turn": [{"number": 1, "raw_utterance": "What is a mill?"}]}
    old["turn"].append({"number": 2, "raw_utterance": "Who runs it?"})
    resolved = "1_1\tWhat is a mill?\n1_2\tWho runs a mill?\n"
    with_answers = [
        {
            "number": "1-1",
            "utterance": "What is kelp?",
            "manual_rewritten_utterance": "What is kelp?",
            "response": "A large alga.",
        },
        {
            "number": "1-3",
            "utterance": "Who eats it?",
            "manual_rewritten_utterance": "Who eats kelp?",
            "response": "Urchins.",
        },
    ]
    files: dict[str, object] = {
        "2019/data/training/train_topics_v1.0.json": [old],
        "2019/data/training/train_topic_sample_annotated_resolved_v1.0.tsv": resolved,
        "2019/data/evaluation/evaluation_topics_v1.0.json": [],
        "2019/data/evaluation/evaluation_topics_annotated_resolved_v1.0.tsv": "",
        "2020/2020_manual_evaluation_topics_v1.0.json": [],
        "2021/2021_manual_evaluation_topics_v1.0.json": [],
        "2022/2022_evaluation_topics_flattened_duplicated_v1.0.json": [
            {"number": 9, "turn": with_answers},
            {"number": 9, "turn": with_answers},
        ],
    }
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        file.write_text(text, encoding="utf-8")
    return folder


def test_cast_becomes_conversations_and_branches_come_once(tmp_path: Path) -> None:
    rows = list(cast_rows(cast_folder(tmp_path)))
    assert [(row["domain"], row["text"], row["resolved"]) for row in rows] == [
        ("cast 2019 1", "Who runs it?", "Who runs a mill?"),
        ("cast 2022 9", "Who eats it?", "Who eats kelp?"),
    ]
    assert [m["role"] for m in rows[1]["history"]] == ["user", "assistant"]


def test_topics_are_held_out_whole_and_reported_turns_left_out(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "What is kelp?"}]
    rows = [
        {"_id": f"{n}", "history": said, "text": f"Who eats it in month {n}?", "resolved": "Who?",
         "domain": f"topic {n % 40}"}
        for n in range(200)
    ]  # fmt: skip
    report = tmp_path / "report.jsonl"
    report.write_text(json.dumps({"history": [], "text": "who eats it in month 7"}) + "\n")
    counts = write_conversations(rows, tmp_path / "data", without=[report])
    assert counts["left out"] == 1 and sum(counts.values()) == 200
    parts = []
    for name in ("conversations-train.jsonl", "conversations-held-out.jsonl"):
        lines = (tmp_path / "data" / name).read_text().splitlines()
        parts.append({json.loads(line)["domain"] for line in lines})
    assert parts[0] and parts[1] and not parts[0] & parts[1]
    assert all(is_held_out(domain) for domain in parts[1])


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "dev.json"
    file.write_text('[{"Question": "x"}]', encoding="utf-8")
    with pytest.raises(ReadError, match="no file of CANARD"):
        list(canard_rows(file))
    with pytest.raises(ReadError, match="no file of TREC CAsT"):
        list(cast_rows(tmp_path))
