"""Hard negatives: what two rankings over a corpus bring, and what must not be among them."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.distillation.encoding import encode
from assistant.distillation.mining import Asked, Corpus, Negatives, cloze, line, main
from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.retrieval import K1, B, Bm25, Found, Searcher
from assistant.distillation.sources import SOURCES
from assistant.distillation.students import load_model, load_tokenizer
from tests.fast.assistant.distillation import tiny

PASSAGES = [
    "the mill stands in the garden",
    "the harbour",
    "a tower and a mill and a mill",
    "the school at the bridge",
]


def bm25(query: str, passage: str) -> float:
    """Okapi BM25 as its formula reads."""
    texts = [text.split() for text in PASSAGES]
    average = sum(map(len, texts)) / len(texts)
    total, words = 0.0, passage.split()
    for word in set(query.split()):
        held = sum(word in text for text in texts)
        count = words.count(word)
        idf = math.log(1 + (len(texts) - held + 0.5) / (held + 0.5))
        norm = count + K1 * (1 - B + B * len(words) / average)
        total += idf * count * (K1 + 1) / norm
    return total


@pytest.mark.parametrize("query", ["mill", "the mill", "the the tower", "nothing of it", ""])
def test_lexical_scores_are_bm25(query: str) -> None:
    found = Bm25(PASSAGES, torch.device("cpu")).scores([query, "harbour"])
    assert found.shape == (2, 4)
    assert found[0].tolist() == pytest.approx([bm25(query, p) for p in PASSAGES], abs=1e-5)


def test_vectors_come_back_in_the_order_of_the_texts(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path / "encoder")
    model, tokenizer = load_model(folder, "embed").eval(), load_tokenizer(folder)
    table = TokenTable(tokenizer, 256)
    together = encode(model, table, PASSAGES, 256)
    apart = torch.cat([encode(model, table, [text], 256) for text in PASSAGES])
    assert torch.allclose(together, apart, atol=1e-5)
    assert together.norm(dim=1).tolist() == pytest.approx([1] * 4, abs=1e-5)
    assert encode(model, table, [], 256).shape == (0, 32)


def test_what_was_found_has_the_query_s_own_passage_and_scores_between_0_and_1(
    tmp_path: Path,
) -> None:
    searcher = Searcher.over(PASSAGES, tiny.encoder(tmp_path / "encoder"), depth=2)
    [found] = searcher.search([("mill in the garden", 1)])
    assert len(found.dense) == len(found.lexical) == 2
    assert found.lexical[0] == 0
    assert set(found.fused) == {1, *found.dense, *found.lexical}
    assert all(0 <= score <= 1 for score in found.fused.values())
    more = searcher.extended([*PASSAGES, "the garden in the mill in the garden"])
    [found] = more.search([("mill in the garden", 1)])
    assert found.lexical[0] == 4


def test_a_passage_with_the_answer_is_no_negative() -> None:
    negatives = Negatives(PASSAGES)
    asked = Asked("q", "where ?", 1, PASSAGES[1], ("Mill",))
    assert [n for n in range(4) if negatives.allowed(asked, n)] == [3]
    # parts of words are no answers
    asked = Asked("q", "where ?", 1, PASSAGES[1], ("mil", "to"))
    assert [n for n in range(4) if negatives.allowed(asked, n)] == [0, 2, 3]


@settings(max_examples=60, deadline=None)
@given(
    dense=st.permutations(range(4)),
    lexical=st.permutations(range(4)),
    own=st.integers(0, 3),
    count=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_mixed_negatives_are_distinct_allowed_and_as_many_as_there_are(
    dense: list[int], lexical: list[int], own: int, count: int, seed: int
) -> None:
    found = Found(dense, lexical, dict.fromkeys(range(4), 0.5))
    asked = Asked("q", "where ?", own, PASSAGES[own])
    chosen = Negatives(PASSAGES).mixed(asked, found, count, random.Random(seed))
    assert len(chosen) == len(set(chosen)) == min(count, 3)
    assert own not in chosen
    assert chosen[0] == next(n for n in dense if n != own)


def test_the_answer_stands_above_all_in_the_teacher_s_scores() -> None:
    found = Found([0, 1], [2, 1], {0: 0.9, 1: 0.2, 2: 0.7})
    made = line(Asked("q", "where ?", 1, PASSAGES[1]), PASSAGES, [0, 2], found)
    assert made["scores"] == [1.1, 0.9, 0.7]
    assert made["fused"] == [0.2, 0.9, 0.7]
    assert made["negatives"] == [PASSAGES[0], PASSAGES[2]]


def test_a_sentence_asks_for_the_rest_of_its_passage() -> None:
    first, second = "A" + "a" * 50 + ".", "B" + "b" * 50 + "."
    passage = f"Title\n{first} {second} C."
    [made] = cloze([passage, "Title\ntoo short."], 2, random.Random(0))
    assert {made.query, made.positive.removeprefix("Title\n")} in (
        {first, f"{second} C."},
        {second, f"{first} C."},
    )
    assert made.own == 0


def test_passages_stand_once_whatever_asks_for_them(tmp_path: Path) -> None:
    corpus = Corpus()
    corpus.read(tiny.squad(tmp_path / "a.jsonl", 20))
    corpus.read(tmp_path / "a.jsonl")
    assert len(set(corpus.passages)) == len(corpus.passages) <= 20
    assert len(corpus.asked) == 2 * 15  # every fourth has no answer


def test_what_is_mined_is_a_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.encoder(tmp_path / "encoder")
    tiny.squad(tmp_path / "train.jsonl", 60)
    tiny.squad(tmp_path / "held.jsonl", 20, seed=1)
    out = tmp_path / "ranking.jsonl"
    arguments = ["--encoder", tmp_path / "encoder", "--questions", tmp_path / "train.jsonl"]
    arguments += ["--out", out, "--most", 30, "--cloze", 5, "--negatives", 3]
    arguments += ["--held-out", tmp_path / "held.jsonl", "--candidates", 6]
    assert main([str(argument) for argument in arguments]) == 0
    source = SOURCES.get("ranking")(path="x", together=True)
    training = list(source.examples(out))
    held_out = list(source.examples(tmp_path / "held-out-ranking.jsonl"))
    assert len(training) >= 30 and len(held_out) == 15
    for example in training:
        assert len(example.passages) <= 4
        assert max(example.scores) == example.scores[example.relevant[0]]
    for example in held_out:
        assert list(example.fused) == sorted(example.fused, reverse=True)
    rows = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    own = {row["positive"][0] for row in rows}
    assert all(row["positive"][0] not in row["negatives"] for row in rows) and own
    assert "queries over" in capsys.readouterr().err
    assert main(["--encoder", "x", "--questions", str(tmp_path / "no"), "--out", str(out)]) != 0
    assert "what to do" in capsys.readouterr().err
