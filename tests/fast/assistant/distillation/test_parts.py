"""Sources, disjointness, plans, averages, spans: the parts around the loop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.distillation.averaging import Averager
from assistant.distillation.batch_plan import plan_batches
from assistant.distillation.disjoint import overlap, require_disjoint
from assistant.distillation.examples import SpanExample
from assistant.distillation.recipe import Average, Curriculum, Loop
from assistant.distillation.sources import collect
from assistant.distillation.sources.squad import place_of
from assistant.distillation.spans.asking import Asked
from assistant.distillation.spans.decoding import best_spans
from assistant.distillation.spans.measures import at_threshold, best_threshold
from assistant.distillation.spans.windows import WindowOptions, make_windows
from assistant.distillation.students import load_tokenizer
from assistant.errors import ReadError, UsageError
from tests.fast.assistant.distillation import tiny

# --- sources ---------------------------------------------------------------------------------


def test_of_several_occurrences_the_one_near_the_questions_words_is_taken() -> None:
    far = "x " * 80
    passage = f"In 1910 the mill burnt down. {far} The school was opened in 1910 by the mayor."
    assert place_of("1910", passage, "When was the school opened?") == passage.rindex("1910")
    assert place_of("art", "a smart part of art", "?") == "a smart part of art".rindex("art")
    assert place_of("nowhere", passage, "?") == -1


def test_a_recipe_collects_limits_weighs_and_leaves_out_repeats(tmp_path: Path) -> None:
    recipe = tiny.read(
        tiny.span_recipe(
            tmp_path,
            data=[
                {"source": "squad", "path": ["train.jsonl", "held.jsonl"], "limit": 20, "seed": 3},
                {"source": "squad", "path": "train.jsonl", "weight": 0.5},
            ],
        ),
        tmp_path,
    )
    found = collect(recipe, recipe.data)
    again = collect(recipe, recipe.data)
    assert found.hash == again.hash
    assert len({e.text_hash for e in found.examples}) == len(found.examples)
    assert found.counts["repeated, left out"] > 10
    assert {e.weight for e in found.examples} == {1.0, 0.5}
    assert all(
        not e.answerable or e.passage[e.start : e.end] == e.answers[0] for e in found.examples
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "cannot be read"),
        ("[1]", "line 1: not a JSON object"),
        ('{"passage": "a"}', "line 1: KeyError"),
        ('{"passage": "a", "question": "b", "answers": 3}', "line 1"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    recipe = tiny.read(tiny.span_recipe(tmp_path), tmp_path)
    (tmp_path / "train.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ReadError, match=says):
        collect(recipe, recipe.data)


def test_an_answer_that_is_not_in_its_passage(tmp_path: Path) -> None:
    row = {"passage": "a b c", "question": "what?", "answers": ["z"], "answerable": True}
    recipe = tiny.span_recipe(tmp_path)
    (tmp_path / "train.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(UsageError, match="no example"):
        collect(tiny.read(recipe, tmp_path), tiny.read(recipe, tmp_path).data)
    recipe["data"][0]["on_missing"] = "null"
    [kept] = collect(tiny.read(recipe, tmp_path), tiny.read(recipe, tmp_path).data).examples
    assert not kept.answerable


def test_examples_of_two_kinds_do_not_mix(tmp_path: Path) -> None:
    tiny.causal_recipe(tmp_path)
    recipe = tiny.span_recipe(
        tmp_path,
        data=[
            {"source": "squad", "path": "train.jsonl"},
            {"source": "examples", "path": "train-c.jsonl"},
        ],
    )
    with pytest.raises(UsageError, match="two kinds"):
        collect(tiny.read(recipe, tmp_path), tiny.read(recipe, tmp_path).data)


# --- disjoint --------------------------------------------------------------------------------


def example(passage: str, question: str) -> SpanExample:
    return SpanExample("e1", question, "", passage, -1, -1)


def test_copies_are_found_whatever_their_punctuation() -> None:
    reporting = [("The mill burnt down in 1910.", "When did the mill burn down?")]
    assert overlap([example("the mill burnt down,  in 1910", "x")], reporting).passages == ("e1",)
    assert overlap([example("y", "when did the MILL burn down")], reporting).questions == ("e1",)
    assert not overlap([example("The mill burnt down in 1911.", "Why?")], [("a", "why")])


def test_a_recipe_refuses_what_it_reports_on(tmp_path: Path) -> None:
    recipe = tiny.read(tiny.span_recipe(tmp_path, reporting=["train.jsonl"]), tmp_path)
    data = collect(recipe, recipe.data)
    with pytest.raises(UsageError, match=r"share \d+ passages"):
        require_disjoint(data.examples, [tmp_path / "train.jsonl"])


# --- plans -----------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=80),
    size=st.integers(1, 9),
    tokens=st.booleans(),
    epochs=st.integers(1, 3),
    accumulate=st.integers(1, 3),
    seed=st.integers(0, 5),
)
def test_a_plan_visits_every_unit_once_an_epoch(
    lengths, size, tokens, epochs, accumulate, seed
) -> None:
    loop = Loop(
        epochs=epochs,
        batch_size=None if tokens else size,
        batch_tokens=size * 20 if tokens else None,
        accumulate=accumulate,
        seed=seed,
    )
    array = np.array(lengths)
    plan = plan_batches(array, np.zeros(len(array)), loop)
    again = plan_batches(array, np.zeros(len(array)), loop)
    assert all(np.array_equal(a, b) for a, b in zip(plan, again, strict=True))
    assert len(plan) % accumulate == 0
    if tokens:
        assert all(len(b) == 1 or array[b].max() * len(b) <= size * 20 for b in plan)
    if accumulate == 1:
        seen = np.bincount(np.concatenate(plan), minlength=len(array))
        assert (seen == epochs).all()


def test_easy_to_hard_begins_with_the_easy_ones() -> None:
    difficulty = np.arange(1000.0)
    loop = Loop(steps=400, batch_size=10)
    plan = plan_batches(
        np.full(1000, 5), difficulty, loop, Curriculum(order="easy-to-hard", start=0.1, until=0.5)
    )
    means = [difficulty[np.concatenate(plan[at : at + 50])].mean() for at in range(0, 400, 50)]
    assert difficulty[np.concatenate(plan[:10])].max() < 100  # the easiest tenth
    assert means[0] < means[1] < means[3]
    assert means[-1] == pytest.approx(500, abs=40)


# --- averages --------------------------------------------------------------------------------


def test_averages_by_hand() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    swa = Averager(model, Average(kind="swa", start=0.5, every=2))
    ema = Averager(model, Average(kind="ema", decay=0.5))
    start = float(model.weight.detach())
    expected = start
    for step, value in enumerate([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], start=1):
        torch.nn.init.constant_(model.weight, value)
        swa.update(step, step / 6)
        ema.update(step, step / 6)
        decay = min(0.5, step / (9 + step))
        expected = decay * expected + (1 - decay) * value
    assert float(swa.mean["weight"]) == pytest.approx((8 + 32) / 2)  # steps 4 and 6
    assert float(ema.mean["weight"]) == pytest.approx(expected, rel=1e-5)
    with swa.applied():
        assert float(model.weight) == 20
    assert float(model.weight) == 32


# --- spans -----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_best_spans_are_those_of_trying_all(data) -> None:
    length, most = data.draw(st.integers(2, 12)), data.draw(st.integers(1, 5))
    numbers = st.lists(st.integers(-50, 50), min_size=length, max_size=length)
    start, end = data.draw(numbers), data.draw(numbers)
    allowed = [True, *data.draw(st.lists(st.booleans(), min_size=length - 1, max_size=length - 1))]
    every = sorted(
        (
            start[i] + end[j] - start[0] - end[0]
            for i in range(1, length)
            for j in range(i, min(length, i + most))
            if allowed[i] and allowed[j]
        ),
        reverse=True,
    )
    found = best_spans(
        torch.tensor([start]).float(),
        torch.tensor([end]).float(),
        torch.tensor([allowed]),
        n_best=4,
        max_tokens=most,
    )
    scores = [score for score in found.score[0].tolist() if score > -1e9]
    assert scores == [float(score) for score in every[:4]]
    for begin, last, score in zip(found.begin[0], found.last[0], scores, strict=False):
        assert start[begin] + end[last] - start[0] - end[0] == score


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(tiny.encoder(tmp_path_factory.mktemp("encoder")))


@settings(max_examples=30, deadline=None)
@given(
    words=st.lists(st.sampled_from(tiny.WORDS[:20]), min_size=1, max_size=120),
    place=st.tuples(st.integers(0, 119), st.integers(1, 4)),
    stride=st.integers(0, 20),
)
def test_an_answer_is_found_again_in_every_window_that_holds_it(
    tokenizer, words, place, stride
) -> None:
    passage = " ".join(words)
    begin = place[0] % len(words)
    answer = words[begin : begin + place[1]]
    start = len(" ".join(words[:begin])) + (begin > 0)
    end = start + len(" ".join(answer))
    layout = WindowOptions(max_length=133 + stride, stride=stride)
    windows = make_windows(tokenizer, [Asked("where does mara live ?", "mill", passage)], layout)
    assert (windows.lengths <= layout.max_length).all()
    covered = set()
    hits = 0
    for window in range(len(windows)):
        first, last = windows.token_span(window, start, end)
        if first:
            assert windows.characters(window, first, last) == (start, end)
            hits += 1
        base, top = windows.bounds[window], windows.bounds[window + 1]
        covered |= set(windows.starts[base:top].tolist())
    starts = [len(" ".join(words[:at])) + (at > 0) for at in range(len(words))]
    assert set(starts) <= covered  # no word of the passage is in no window
    assert hits >= (1 if len(answer) <= stride + 1 else 0)


def test_no_room_for_a_passage_is_refused(tokenizer) -> None:
    with pytest.raises(UsageError, match="leaves no room"):
        make_windows(tokenizer, [Asked("a", "", "b")], WindowOptions(140, 64))


def test_thresholds_by_hand() -> None:
    judged = [
        {"score": 3.0, "answerable": True, "em": 1.0, "f1": 1.0},
        {"score": 2.0, "answerable": True, "em": 0.0, "f1": 0.5},
        {"score": 1.0, "answerable": False, "em": 0.0, "f1": 0.0},
        {"score": 0.0, "answerable": True, "em": 0.0, "f1": 0.2},
        {"score": -1.0, "answerable": False, "em": 0.0, "f1": 0.0},
    ]
    assert best_threshold(judged) == 1.5
    found = at_threshold(judged, 1.5)
    assert found["f1"] == pytest.approx((1 + 0.5 + 1 + 0 + 1) / 5)
    assert found["has_answer_f1"] == pytest.approx(1.5 / 3)
    assert found["no_answer_recall"] == 1.0
    assert found["no_answer_precision"] == pytest.approx(2 / 3)
    assert best_threshold([{**j, "answerable": False} for j in judged]) > 3
    assert best_threshold([{**j, "answerable": True, "f1": 1.0} for j in judged]) < -1
