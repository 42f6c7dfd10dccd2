"""What a shipped model was trained on is known by hashes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.distillation.trained_on import FILE, trained_on, write_hashes
from assistant.errors import ModelCorruptError

TEXTS = st.lists(st.text(min_size=1, max_size=40).map(lambda t: f"w{t}"), max_size=12)


@given(TEXTS, TEXTS)
def test_exactly_the_passages_of_the_training_are_known(
    tmp_path_factory: pytest.TempPathFactory, seen: list[str], other: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("hashes")
    write_hashes(seen, folder)
    assert trained_on(seen, folder) == seen
    found = trained_on(other, folder)
    words = {" ".join(t.lower().split()) for t in seen}
    assert all(t in found for t in other if " ".join(t.lower().split()) in words)


def test_punctuation_does_not_hide_a_copy(tmp_path: Path) -> None:
    assert write_hashes(["The otter sleeps.", "the otter, sleeps"], tmp_path) == 1
    assert trained_on(["The  OTTER sleeps!", "The otter swims."], tmp_path) == [
        "The  OTTER sleeps!"
    ]


def test_a_model_without_hashes_knows_nothing(tmp_path: Path) -> None:
    assert trained_on(["anything"], tmp_path) == []


def test_a_cut_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    write_hashes(["one"], tmp_path)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:5])
    with pytest.raises(ModelCorruptError):
        trained_on(["one"], tmp_path)
