"""Which statements matter, what the index is asked, and which passages were shown already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.settings import Settings, load_settings
from assistant.understanding.retrieval import followup_weights, search_queries
from assistant.understanding.shown import shown_ids
from assistant.understanding.statements import ChosenStatement, Statement, StatementSelector
from assistant.understanding.types import AspectQuery, Understanding
from indexes.queries import Query
from tests.fast.indexes.sources import HashedDense

STATEMENTS = [
    Statement("vegan", "I am vegan and eat kelp."),
    Statement("lyon", "My flat is in Lyon."),
    Statement("cello", "I play the cello."),
]


class CountingDense(HashedDense):
    """Notes each text it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        return super().encode(texts)


def _select(
    query: str, passages: Sequence[str] = (), *, threshold: float = 0.5, most: int = 3
) -> tuple[ChosenStatement, ...]:
    selector = StatementSelector(HashedDense(), threshold=threshold, most=most)
    return selector.select(STATEMENTS, Query(query), passages)


def test_near_the_question() -> None:
    (chosen,) = _select("My flat is in Lyon", threshold=0.95)
    assert (chosen.id, chosen.text, chosen.score) == ("lyon", "My flat is in Lyon.", 1.0)
    assert chosen.reason == "it is near the question"


def test_near_a_passage() -> None:
    (chosen,) = _select("zebra", ["zebra zebra", "I play the cello"], threshold=0.95)
    assert chosen.id == "cello"
    assert chosen.reason == "it is near a passage that was found"


def test_near_what_the_question_leans_on() -> None:
    selector = StatementSelector(HashedDense(), threshold=0.8, most=3)
    leaning = Query("zebra", context="I play the cello", context_weight=2.0)
    assert [chosen.id for chosen in selector.select(STATEMENTS, leaning)] == ["cello"]
    assert selector.select(STATEMENTS, Query("zebra")) == ()


def test_only_the_first_five_passages_count() -> None:
    assert _select("zebra", [*["zebra"] * 4, STATEMENTS[2].text], threshold=0.95)
    assert not _select("zebra", [*["zebra"] * 5, STATEMENTS[2].text], threshold=0.95)


def test_most_and_order() -> None:
    every = _select("I am vegan, my flat is in Lyon", threshold=-1.0)
    assert len(every) == 3
    assert [c.score for c in every] == sorted((c.score for c in every), reverse=True)
    assert _select("I am vegan, my flat is in Lyon", threshold=-1.0, most=2) == every[:2]
    assert _select("I am vegan", most=0) == ()


def test_threshold_leaves_out_and_none_may_be_left() -> None:
    every = _select("My flat in Lyon", threshold=-1.0)
    chosen = _select("My flat in Lyon", threshold=every[0].score - 0.0002)
    assert chosen[0] == every[0]
    assert all(c.score >= every[0].score - 0.0002 for c in chosen)
    assert _select("quantum chromodynamics", threshold=0.99) == ()


def test_unknown_person() -> None:
    encoder = CountingDense()
    selector = StatementSelector(encoder, threshold=0.0, most=3)
    assert selector.select([], Query("anything"), ["text"]) == ()
    assert encoder.texts == []
    assert selector.nearness([], ["one", "two"]).tolist() == [0.0, 0.0]


def test_statements_are_encoded_once() -> None:
    encoder = CountingDense()
    selector = StatementSelector(encoder, threshold=-1.0, most=3)
    for question in ("first", "second", "third"):
        chosen = selector.select(STATEMENTS, Query(question))
        selector.nearness(chosen, ["a passage"])
    for statement in STATEMENTS:
        assert encoder.texts.count(statement.text) == 1


@given(st.lists(st.text(max_size=40), max_size=6), st.lists(st.text(max_size=40), max_size=4))
def test_nearness_is_a_share(passages: list[str], said: list[str]) -> None:
    selector = StatementSelector(HashedDense(), threshold=-1.0, most=3)
    chosen = [ChosenStatement(str(n), text, 1.0, "") for n, text in enumerate(said)]
    near = selector.nearness(chosen, passages)
    assert near.shape == (len(passages),)
    assert ((near >= 0) & (near <= 1)).all()


@given(
    st.lists(st.text(max_size=40), max_size=5),
    st.text(max_size=40),
    st.lists(st.text(max_size=40), max_size=7),
    st.floats(-1, 1),
    st.integers(0, 4),
)
def test_any_statements(
    said: list[str], question: str, passages: list[str], threshold: float, most: int
) -> None:
    selector = StatementSelector(HashedDense(), threshold=threshold, most=most)
    statements = [Statement(str(n), text) for n, text in enumerate(said)]
    chosen = selector.select(statements, Query(question), passages)
    assert len(chosen) <= most
    assert len({c.id for c in chosen}) == len(chosen)
    assert all(threshold - 1e-4 <= c.score <= 1.0001 for c in chosen)
    assert all(c.text == said[int(c.id)] and c.reason for c in chosen)


def _settings(**values: object) -> Settings:
    given = {name.replace("__", "."): value for name, value in values.items()}
    return load_settings(given, home=Path("home"), environ={})


_share = st.floats(0, 1, allow_subnormal=False).map(lambda value: round(value, 3))


@given(
    st.fixed_dictionaries({"lexical": _share, "dense": _share, "sparse": _share}).filter(
        lambda weights: sum(weights.values()) > 0
    ),
    _share,
)
def test_followup_weights_sum_to_one_and_keep_what_is_off(
    weights: dict[str, float], dense: float
) -> None:
    base = _settings()
    settings = base.model_copy(
        update={
            "retrieval": _Retrieval(weights),
            "understanding": base.understanding.model_copy(update={"followup_dense_weight": dense}),
        }
    )
    found = followup_weights(settings)
    assert set(found) == set(weights)
    assert all(found[stage] == 0 for stage, weight in weights.items() if weight == 0)
    if weights["dense"] > 0 and weights["lexical"] + weights["sparse"] > 0:
        assert sum(found.values()) == pytest.approx(1)
        assert found["dense"] == dense
        assert found["lexical"] * weights["sparse"] == pytest.approx(
            found["sparse"] * weights["lexical"]
        )
    else:
        assert found == weights


class _Retrieval:
    def __init__(self, weights: dict[str, float]) -> None:
        self.weights = weights


UNDERSTOOD = Understanding(
    standalone="How tall is the tower?",
    queries=(
        AspectQuery("How tall is it?", "as asked", 1.0, "The tower.", 0.5),
        AspectQuery("How tall is it? tower", "question", 0.5),
    ),
)
CHOSEN = [
    ChosenStatement("1", "I like feet.", 0.9, ""),
    ChosenStatement("2", "Not miles.", 0.8, ""),
]


def test_queries_of_a_first_message_and_of_a_followup() -> None:
    settings = _settings()
    first = search_queries(UNDERSTOOD, settings, running=False)
    assert first == [
        Query("How tall is it?", 1.0, "The tower.", 0.5),
        Query("How tall is it? tower", 0.5),
    ]
    weights = followup_weights(settings)
    running = search_queries(UNDERSTOOD, settings, running=True)
    assert [query.stage_weights for query in running] == [weights, weights]
    assert [query.text for query in running] == [query.text for query in first]


def test_statements_are_searched_for_where_that_is_set() -> None:
    plain = search_queries(UNDERSTOOD, _settings(), running=True)
    assert search_queries(UNDERSTOOD, _settings(), running=True, chosen=CHOSEN) == plain
    settings = _settings(understanding__statements_in_query=0.25)
    assert search_queries(UNDERSTOOD, settings, running=True) == plain
    *rest, last = search_queries(UNDERSTOOD, settings, running=True, chosen=CHOSEN)
    assert rest == plain
    assert last.text == "How tall is the tower? I like feet. Not miles."
    assert (last.weight, last.context_weight) == (0.25, 0.0)
    assert last.stage_weights == plain[0].stage_weights


@pytest.mark.parametrize(
    ("passage", "answer", "shown"),
    [
        ("Kelp grows. It is farmed.", "Kelp grows. [1] It is farmed. [1]", True),
        ("Kelp grows. It is farmed.", "kelp GROWS [12], it is\nfarmed!", True),
        ("Kelp grows. It is farmed.", "Kelp grows. [1]", False),
        ("Kelp grows. It is farmed.", "It is farmed. Kelp grows.", False),
        ("Kelp grows. It is farmed.", "Kelp grows. Fast! It is farmed.", False),
        ("Kelp", "Kelpies live here.", False),
        ("Cite [3] here", "Cite here.", True),
        ("🦦", "🦦", False),
        ("", "anything", False),
        ("Kelp", "", False),
        ("عقد الإيجار", "ينتهي عقد الإيجار.", True),
    ],
)
def test_shown(passage: str, answer: str, shown: bool) -> None:
    assert shown_ids({"p": passage}, [answer]) == (["p"] if shown else [])


def test_a_passage_over_two_answers_is_not_shown() -> None:
    assert shown_ids({"p": "one two"}, ["one", "two"]) == []
    assert shown_ids({"p": "one two", "q": "two"}, []) == []
    assert shown_ids({"b": "two", "a": "one"}, ["one two"]) == ["b", "a"]


_words = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(st.lists(_words, min_size=1, max_size=12), st.text(max_size=40), st.text(max_size=40))
def test_whole_passage_is_shown_and_one_more_word_is_not(
    words: list[str], before: str, after: str
) -> None:
    text = " ".join(words)
    answer = f"{before} . {text} [7] . {after}"
    assert shown_ids({"p": text}, [answer]) == ["p"]
    assert shown_ids({"p": f"{text} neverseenword"}, [answer]) == []
    assert shown_ids({"p": f"neverseenword {text}"}, [answer]) == []
