"""The trained cross-encoder as a reranker, with a tiny encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from assistant.distillation.ranking.layout import TokenTable
from assistant.distillation.ranking.scorer import PairScorer
from assistant.distillation.run import run_recipe
from assistant.errors import ModelMissingError
from assistant.models.reranker import DistilledReranker
from indexes.documents import Passage
from tests.fast.assistant.distillation import tiny

QUERY = "where does mara live ?"
TEXTS = [f"{n} lives at the {p} ." for n, p in zip(tiny.NAMES, tiny.PLACES, strict=True)]
TEXTS[3] = " ".join(TEXTS)  # another length
TEXTS[5] = "tom"


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pair")
    loop = {"steps": 60, "learning_rate": 0.01, "log_every": 30}
    recipe = tiny.read(tiny.pair_recipe(folder, loop=loop), folder)
    return run_recipe(recipe, folder / "runs").path / "export", folder / "encoder"


def plain(export: tuple[Path, Path], texts: list[str]) -> np.ndarray:
    """(E, N): each pair by itself, through transformers' own forward pass."""
    from assistant.distillation.exported import load_exported

    model, tokenizer, _ = load_exported(export[0], base=export[1])
    table = TokenTable(tokenizer, 120)
    table.add([QUERY, *texts])
    with torch.inference_mode():
        found = [model(**table.pairs([(QUERY, text)], 120))[:, 0].numpy() for text in texts]
    return np.stack(found, axis=1)


def test_without_exits_scores_are_the_last_layers(export) -> None:
    found = PairScorer.load(export[0], base=export[1], kept=1.0, half=False).scores(QUERY, TEXTS)
    assert found == pytest.approx(plain(export, TEXTS)[-1], abs=1e-4)


def test_the_best_of_the_early_exit_are_read_to_the_end(export) -> None:
    found = PairScorer.load(export[0], base=export[1], kept=0.5, half=False).scores(QUERY, TEXTS)
    early, late = plain(export, TEXTS)
    going = sorted(range(8), key=lambda place: -early[place])[:4]
    rest = [place for place in range(8) if place not in going]
    assert found[going] == pytest.approx(late[going], abs=1e-4)
    assert found[rest].max() <= found[going].min() + 1e-6
    # below that they keep the early exit's order and distances
    assert found[rest] - found[rest].max() == pytest.approx(
        early[rest] - early[rest].max(), abs=1e-4
    )


def test_half_precision_moves_scores_little(export) -> None:
    found = PairScorer.load(export[0], base=export[1], kept=1.0, half=True).scores(QUERY, TEXTS)
    assert found == pytest.approx(plain(export, TEXTS)[-1], abs=0.1)


def test_one_passage_and_none(export) -> None:
    scorer = PairScorer.load(export[0], base=export[1], kept=0.1, half=False)
    assert scorer.scores(QUERY, TEXTS[:1]) == pytest.approx(plain(export, TEXTS[:1])[-1], abs=1e-4)
    assert scorer.scores(QUERY, []).shape == (0,)
    assert np.isfinite(scorer.scores("", ["", "mara"])).all()


def test_texts_longer_than_the_model_reads_are_cut(export) -> None:
    scorer = PairScorer.load(export[0], base=export[1])
    long = "harbour " * 400
    assert np.isfinite(scorer.scores(long, [long, "mill"])).all()


def test_the_reranker_prefers_what_answers_and_needs_no_tokenizer_of_its_own(
    export, tmp_path: Path
) -> None:
    import shutil

    bare = tmp_path / "reranker"
    shutil.copytree(export[0], bare)
    for file in bare.glob("tokenizer*"):
        file.unlink()
    (bare / "local.json").unlink()
    reranker = DistilledReranker(lambda: bare, lambda: export[1])
    texts = ["tom lives at the mill .", "mara lives at the harbour .", "ada lives at the tower ."]
    passages = [Passage(str(n), "d", text, 0, len(text)) for n, text in enumerate(texts)]
    assert int(reranker.scores(QUERY, passages).argmax()) == 1


def test_weights_that_are_not_there_are_named_when_asked_for(tmp_path: Path) -> None:
    reranker = DistilledReranker(lambda: tmp_path, lambda: tmp_path)
    with pytest.raises(ModelMissingError):
        reranker.scores("q", [Passage("1", "d", "text", 0, 4)])
