"""Coverage order against brute force; the bandit; diversity; use of passages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import UnknownNameError
from assistant.events import Citation, EvidenceSelected, SentenceChecked, TurnStarted
from assistant.knowledge.comparing import compare, distinct, mean_distance
from assistant.knowledge.coverage import coverage_order, spread_order
from assistant.knowledge.prompts import STYLES
from assistant.knowledge.styles import StyleChooser
from assistant.knowledge.teacher import Teacher
from assistant.knowledge.usage import passage_uses
from assistant.memory.conversations import Conversations
from indexes.documents import Passage
from tests.fast.indexes.sources import HashedDense
from tests.fast.knowledge.teachers import TEXTS, WritingTeacher, about


def _unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(max_examples=40)
@given(st.integers(2, 14), st.integers(0, 10_000))
def test_the_lazy_order_is_the_greedy_one(rows: int, seed: int) -> None:
    vectors = _unit(rows, seed)
    uses = {0: 3}
    taken, wanted = [rows - 1], list(range(rows - 1))
    order = list(coverage_order(vectors, wanted, taken=taken, uses=uses))
    assert sorted(order) == wanted  # every passage once
    best = np.maximum(np.zeros(rows), vectors @ vectors[rows - 1])
    weights = np.array([1.0 + uses.get(j, 0) for j in range(rows)])
    for number, pick in enumerate(order):  # each pick gains as much as any that was left
        gains = [
            float((weights * np.maximum(vectors @ vectors[i] - best, 0)).sum())
            for i in order[number:]
        ]
        assert gains[0] >= max(gains) - 1e-3
        best = np.maximum(best, vectors @ vectors[pick])


def test_the_middle_of_a_cluster_comes_before_its_edge_and_clusters_take_turns() -> None:
    def at(degrees: float) -> list[float]:
        return [float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))]

    vectors = np.array([at(d) for d in (0, 10, 20, 90, 100, 110)], dtype=np.float32)
    order = list(coverage_order(vectors, range(6)))
    assert {order[0] // 3, order[1] // 3} == {0, 1}
    used = list(coverage_order(vectors, range(6), uses={5: 50}))
    assert used[0] == 5
    assert list(coverage_order(vectors, [])) == []


def test_without_vectors_documents_take_turns() -> None:
    assert list(spread_order(["a", "a", "a", "b", "c", "c"], range(6))) == [0, 3, 4, 1, 5, 2]


def test_the_bandit_tries_all_and_settles_on_what_pays() -> None:
    chooser = StyleChooser("tuned", {})
    first = [chooser.next() for _ in STYLES]
    assert sorted(first) == sorted(STYLES)
    for style in first:
        chooser.learn(style, 0.0)
    for _ in range(300):
        style = chooser.next()
        chooser.learn(style, 0.9 if style == "reasons" else -0.9)
    counts = {style: chooser._pulls[style] for style in STYLES}
    assert max(counts, key=counts.__getitem__) == "reasons" and counts["reasons"] > 200
    assert all(count >= 2 for count in counts.values())


def test_what_was_learnt_is_used_and_a_plain_teacher_stays_plain() -> None:
    known = {style: (50, 25.0 if style == "names" else -25.0) for style in STYLES}
    assert StyleChooser("tuned", known).next() == "names"
    plain = StyleChooser("plain", known)
    assert {plain.next() for _ in range(5)} == {"plain"}
    with pytest.raises(UnknownNameError, match="tunde"):
        StyleChooser("tunde", {})


def test_diversity_by_hand() -> None:
    assert distinct(["a b c", "a b d"]) == pytest.approx(3 / 4)  # ab bc ab bd
    assert distinct(["one"]) == 0.0
    encoder = HashedDense()
    assert mean_distance(["same words", "same words"], encoder) == pytest.approx(0.0, abs=1e-6)
    texts = ["apples and pears", "the moon is far", "rain falls on stone"]
    vectors = encoder.encode(texts)
    pairs = [1 - float(vectors[i] @ vectors[j]) for i in range(3) for j in range(3) if i != j]
    assert mean_distance(texts, encoder) == pytest.approx(sum(pairs) / 6, abs=1e-5)
    assert mean_distance(["one"], encoder) is None


def test_two_teachers_are_compared_on_the_same_passages() -> None:
    passages = [
        Passage(name, name, str(text), 0, len(str(text)), title=name)
        for name, text in TEXTS.items()
    ]
    model = WritingTeacher(about)
    teacher = Teacher(model, "toy", questions=1, statements=1)
    plain, tuned = compare(passages, teacher, HashedDense(), ["plain", "tuned"], samples=1)
    assert (plain.kept, plain.asked, plain.failed) == (6, 6, 0)
    assert plain.pulls == {"plain": 3} and len(tuned.pulls) == 3
    assert plain.likelihood == pytest.approx(-0.1) and plain.distance is not None
    assert plain.grounding == tuned.grounding and 0 < plain.distinct_2 <= 1


def test_uses_count_citations_more_than_readings(tmp_path: Path) -> None:
    conversations = Conversations(tmp_path / "c.sqlite")
    for turn, index in (("t1", "notes"), ("t2", "other")):
        conversation = conversations.start()
        conversations.begin_turn(conversation, turn, "?")
        cited = Citation(1, "p1", 0, 1, "q", 1.0, True)
        conversations.end_turn(
            turn,
            "done",
            "a",
            [
                TurnStarted(turn, conversation, "?", index, "2026-01-01T00:00:00+00:00"),
                EvidenceSelected(("p1", "p2"), 2, 0, 10),
                SentenceChecked(0, "a", "supported", 1.0, (cited,)),
            ],
        )
    assert passage_uses(conversations, "notes") == {"p1": 4, "p2": 1}
