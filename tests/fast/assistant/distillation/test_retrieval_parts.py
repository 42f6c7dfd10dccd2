"""Layouts, measures, the time limit, and the recipes of the retrieval models."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assistant.distillation as package
from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.ranking.measures import ndcg, order_of, reciprocal_rank
from assistant.distillation.recipe_file import load_recipe
from assistant.distillation.run import run_recipe
from assistant.distillation.students import load_tokenizer
from assistant.distillation.tasks import pair
from assistant.distillation.training_arguments import rate_at
from assistant.errors import UsageError
from tests.fast.assistant.distillation import tiny

RECIPES = Path(str(package.__file__)).parent / "recipes"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> TokenTable:
    folder = tiny.encoder(tmp_path_factory.mktemp("layout") / "encoder")
    return TokenTable(load_tokenizer(folder), 40)


def test_a_pair_is_query_then_passage(table: TokenTable) -> None:
    table.add(["mara ?", "tom lives", "mill"])
    batch = table.pairs([("mara ?", "tom lives"), ("mill", "mill")], 40)
    ids = batch["input_ids"].tolist()
    sep, cls = table.sep, table.cls
    assert ids[0][0] == cls and ids[0][3] == sep and ids[0][6] == sep
    assert batch["token_type_ids"][0].tolist() == [0, 0, 0, 0, 1, 1, 1, 0]
    assert batch["attention_mask"].sum(1).tolist() == [7, 5]
    assert table.pair_length("mara ?", "tom lives", 40) == 7


@settings(max_examples=40, deadline=None)
@given(query=st.integers(0, 120), passage=st.integers(0, 120), most=st.integers(100, 140))
def test_lengths_are_those_of_the_batch(query: int, passage: int, most: int, table) -> None:
    wide = TokenTable(table._tokenizer, 140)
    pair = ("mill " * query, "tom " * passage)
    wide.add(pair)
    batch = wide.pairs([pair], most)
    length = wide.pair_length(*pair, most)
    assert int(batch["attention_mask"].sum()) == length <= most
    assert batch["input_ids"].shape[1] % 8 == 0
    assert int((batch["input_ids"][0] == wide.sep).sum()) == 2


def test_measures_by_hand() -> None:
    assert order_of([0.1, 0.9, 0.9]) == [1, 2, 0]
    assert reciprocal_rank([2, 0, 1], {1}) == pytest.approx(1 / 3)
    assert reciprocal_rank([2, 0, 1], {1}, depth=2) == 0
    # ranks 2 and 3 of two relevant ones: (1/log2 3 + 1/2) over (1 + 1/log2 3)
    assert ndcg([0, 1, 2], {1, 2}) == pytest.approx((0.63093 + 0.5) / 1.63093, abs=1e-4)
    assert ndcg([0], {0}) == 1


def test_a_blend_is_what_the_search_makes_of_it() -> None:
    from indexes.refining.reranking import blended

    assert pair.blended is blended
    fused, scores = [0.9, 0.4, 0.1], [-3.0, 8.0, 0.5]
    # 0.7 × (1, 3/8, 0) + 0.3 × (0, 1, 3.5/11)
    assert blended(fused, scores, 0.3) == pytest.approx([0.7, 0.5625, 0.3 * 3.5 / 11])
    assert blended([1, 1], [2, 2], 0.5) == [1, 1]


def test_the_rate_rises_until_the_warmup_s_end_and_falls_to_nothing() -> None:
    linear = [rate_at(part, "linear", 0.1) for part in (0, 0.05, 0.1, 0.55, 1)]
    assert linear == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert rate_at(0.55, "cosine", 0.1) == pytest.approx(0.5)
    assert rate_at(0.9, "constant", 0.1) == 1
    assert rate_at(0.0, "linear", 0.0) == 1


def test_a_run_ends_when_its_time_is_over(tmp_path: Path) -> None:
    loop = {"steps": 100_000, "max_seconds": 0.5, "checkpoint_every": 100_000, "log_every": 1}
    recipe = tiny.pair_recipe(tmp_path, loop=loop)
    folder = run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
    rows = folder.table("curves.csv")
    assert 1 <= len(rows) < 100_000
    assert float(rows[-1]["learning_rate"]) < 0.003
    assert (folder.path / "export" / "model.safetensors").is_file()


def test_the_recipe_of_the_reranker_runs(tmp_path: Path) -> None:
    tiny.pair_recipe(tmp_path)
    changes = {
        "student.model": str(tmp_path / "encoder"),
        "task.exits": "[1, 2]",
        "task.max_length": "120",
        "data.0.path": str(tmp_path / "ranking.jsonl"),
        "held_out.0.path": str(tmp_path / "held-r.jsonl"),
        "loop.batch_tokens": "300",
    }
    recipe = load_recipe(RECIPES / "reranker.yaml", changes)
    assert (run_recipe(recipe, tmp_path / "runs").path / "evaluation.json").is_file()


def test_the_recipe_of_the_embedder_runs(tmp_path: Path) -> None:
    tiny.embed_recipe(tmp_path)
    changes = {
        "student.model": str(tmp_path / "encoder"),
        "student.layers": "[1]",
        "teacher.path": str(tmp_path / "encoder"),
        "data.0.path": str(tmp_path / "train.jsonl"),
        "held_out.0.path": str(tmp_path / "held.jsonl"),
        "loop.epochs": "1",
        "loop.batch_size": "8",
    }
    recipe = load_recipe(RECIPES / "embedder.yaml", changes)
    assert (run_recipe(recipe, tmp_path / "runs").path / "evaluation.json").is_file()


def test_another_tokenizer_s_teacher_is_refused(tmp_path: Path) -> None:
    tiny.decoder(tmp_path / "decoder")
    for recipe in (tiny.pair_recipe(tmp_path), tiny.embed_recipe(tmp_path)):
        tiny.squad(tmp_path / "train.jsonl")
        tiny.squad(tmp_path / "held.jsonl", 12, seed=1)
        recipe["teacher"] = {"kind": "model", "path": "./decoder"}
        with pytest.raises(UsageError, match="another tokenizer"):
            run_recipe(tiny.read(recipe, tmp_path), tmp_path / "runs")
