"""Questions: where they come from, how they are divided, and which passages do not answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.adapting.negatives import Miner
from assistant.adapting.questions import SPLITS, Question, drawn, of_entries, of_sentences, split
from assistant.knowledge.entries import KnowledgeEntry, entry_id
from indexes.documents import Passage
from indexes.encodings import text_key
from indexes.index import DEFAULT_WEIGHTS
from tests.fast.assistant.helpers import hashed_workspace

TEXT = (
    "The lighthouse on the northern cape was finished in the year 1871. Its keeper lived there "
    "with seven children and a goat. Storms broke several windows during the first winter."
)


def question(number: int, group: str, key: str = "") -> Question:
    return Question(
        f"q{number}",
        f"where is {number}",
        f"p{number}",
        "text",
        (),
        group,
        key or f"k{number}",
        "model",
    )


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40)), max_size=120), st.integers(0, 5))
def test_no_document_and_no_text_is_on_two_sides(
    pairs: Sequence[tuple[int, int]], seed: int
) -> None:
    asked = [question(n, f"d{group}", f"k{key}") for n, (group, key) in enumerate(pairs)]
    sides = split(asked, seed=seed)
    assert sides == split(asked, seed=seed)
    for of in (lambda one: one.group, lambda one: one.key):
        found = [{of(one) for one in sides[side]} for side in SPLITS]
        assert sum(map(len, found)) == len(set().union(*found))
    assert len({one.id for side in SPLITS for one in sides[side]}) == sum(map(len, sides.values()))


def test_shares_of_the_sides_and_another_seed_divides_anew() -> None:
    asked = [question(number, f"d{number}") for number in range(200)]
    sides = split(asked, seed=0)
    assert [len(sides[side]) for side in SPLITS] == [130, 20, 50]
    assert sides["held-out"] != split(asked, seed=1)["held-out"]


def test_one_question_of_each_passage_comes_before_the_second_of_any() -> None:
    asked = [question(n, "d", f"k{n % 4}") for n in range(12)]
    assert {one.key for one in drawn(asked, 4, seed=0)} == {"k0", "k1", "k2", "k3"}
    assert len(drawn(asked, 50, seed=0)) == 12
    assert drawn(asked, 6, seed=3) == drawn(asked, 6, seed=3)


def test_words_of_a_sentence_ask_for_what_is_left_of_its_passage() -> None:
    passage = Passage("p", "d", TEXT, 0, len(TEXT), title="Cape", headings=("History",))
    made = list(of_sentences([passage], each=2, seed=0, by_document=True))
    assert len(made) == 2 and made == list(
        of_sentences([passage], each=2, seed=0, by_document=True)
    )
    for one in made:
        (sentence,) = one.answers
        assert sentence in TEXT and one.text not in TEXT
        places = [sentence.index(word) for word in one.text.split()]
        assert places == sorted(places) and 4 <= len(places) <= 7
        assert one.positive.startswith("Cape › History\n")
        assert one.group == "d" and one.key == text_key(passage.indexed_text).hex()
    gone = [one for one in made if one.answers[0] not in one.positive]
    assert all(len(one.positive) < len(passage.indexed_text) for one in gone)


@pytest.mark.parametrize(
    "text", ["", "One sentence that is long enough to say something.", "A. B. C."]
)
def test_passages_that_say_too_little_ask_nothing(text: str) -> None:
    passage = Passage("p", "d", text, 0, len(text))
    assert list(of_sentences([passage], each=2, seed=0, by_document=True)) == []


TEXTS = {
    "boat": "The red boat of Agnes lies in the harbour of Vik and leaks at the bow.",
    "copy": "The red boat of Agnes lies in the harbour of Vik and leaks at the bow today.",
    "year": "Agnes bought her boat in 1974 from a fisherman in the harbour.",
    "lamp": "The boat passed the lamp of the lighthouse near the harbour at night.",
    "kelp": "Kelp grows half a metre a day in cold and clear water.",
}


def test_what_may_answer_is_no_negative(tmp_path: Path) -> None:
    index = hashed_workspace(tmp_path, TEXTS).index("notes")
    by_uri = {passage.uri: passage for passage in index.store.passages()}
    own = by_uri["boat"]
    asked = Question(
        "q",
        "whose boat lies in the harbour",
        own.id,
        own.indexed_text,
        ("1974",),
        "d",
        "k",
        "model",
    )
    line = Miner(index, DEFAULT_WEIGHTS, (), seed=0).training(asked, 4)
    assert line is not None
    assert own.indexed_text == line["positive"][0]
    # the near-copy and the passage with the answer are left out
    assert set(line["negatives"]) <= {by_uri[uri].indexed_text for uri in ("lamp", "kelp")}
    assert by_uri["lamp"].indexed_text in line["negatives"]
    assert len(line["scores"]) == 1 + len(line["negatives"]) and line["scores"][0] == max(
        line["scores"]
    )
    barred = Miner(index, DEFAULT_WEIGHTS, (by_uri["lamp"].id,), seed=0).training(asked, 4)
    assert barred is None or by_uri["lamp"].indexed_text not in barred["negatives"]


def test_choosing_lines_are_the_fused_list(tmp_path: Path) -> None:
    index = hashed_workspace(tmp_path, TEXTS).index("notes")
    own = next(passage for passage in index.store.passages() if passage.uri == "lamp")
    asked = Question("q", "lamp of the lighthouse", own.id, own.indexed_text, (), "d", "k", "model")
    line = Miner(index, DEFAULT_WEIGHTS, (), seed=0).choosing(asked, 3)
    assert line is not None and line["positive"] == [own.indexed_text]
    assert len(line["negatives"]) == 2 and line["fused"][0] == 1.0
    missing = replace(asked, passage_id="elsewhere")
    assert Miner(index, DEFAULT_WEIGHTS, (), seed=0).choosing(missing, 3) is None


def test_entries_of_changed_passages_and_statements_ask_nothing(tmp_path: Path) -> None:
    index = hashed_workspace(tmp_path, TEXTS).index("notes")
    own = next(passage for passage in index.store.passages() if passage.uri == "year")
    key = text_key(own.indexed_text)
    good = KnowledgeEntry(
        entry_id(key, "When?"), "qa", "When did Agnes buy her boat?", "in 1974", "When?", own.id,
        own.document_id, key, "t", "plain", None, 1.0, 1.0, 1.0, "generated", "",
    )  # fmt: skip
    others = [
        replace(good, id="a", passage_key=b"x" * 32),
        replace(good, id="b", kind="statement"),
        replace(good, id="c", tier="rejected"),
        replace(good, id="d", passage_id="gone"),
    ]
    (found,) = of_entries([*others, good], index.store, by_document=True)
    assert (found.text, found.answers, found.passage_id) == (good.question, ("in 1974",), own.id)
    assert found.group == own.document_id and found.origin == "model"
