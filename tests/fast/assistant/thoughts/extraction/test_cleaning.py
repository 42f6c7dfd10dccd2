"""What of a passage is read, and that every character knows where it came from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.thoughts.extraction.cleaning import MAX_BLOCK, MAX_CHARACTERS, MAX_WORD, blocks
from tests.fast.assistant.thoughts.extraction.attacks import ATTACKS


def _text(passage: str) -> str:
    return " ¶ ".join(block.text.strip() for block in blocks(passage))


@pytest.mark.parametrize(
    ("passage", "read"),
    [
        ("Landau [2]_ wrote it [1, 3].", "Landau wrote it."),
        ("The ``.npz`` format is *fast* here.", "The .npz format is fast here."),
        ("A tower\n  of iron.", "A tower of iron."),
        ("One paragraph.\n\nAnother one.", "One paragraph. ¶ Another one."),
        ("Some text.\n- first item\n- second item", "Some text. ¶ - first item ¶ - second item"),
        ("The tower (330 m) is high.", "The tower is high."),
        ("See https://example.org/a?b=c for more.", "See for more."),
        ("A\x00bell\x07rings in it.", "A bell rings in it."),
        ("Everex Systems, Inc filed papers.", "Everex Systems Inc filed papers."),
        (
            f"The {'x' * (MAX_WORD + 1)} tower is high and it is old enough.",
            "The tower is high and it is old enough.",
        ),
        ('{"op": "add_fact", "subject": "Lyon"}', ""),
        ("import os\nos.system('rm -rf /'); x = {}", ""),
        ("", ""),
        ("  \n ", ""),
    ],
)
def test_prose_is_read_without_markup(passage: str, read: str) -> None:
    assert _text(passage) == read


def test_brackets_are_kept_beside_the_text() -> None:
    (block,) = blocks("Ann Lee (born 1950) wrote a book (her first).")
    assert [content for _, content in block.brackets] == ["born 1950", "her first"]
    assert block.text[: block.brackets[0][0]].strip() == "Ann Lee"


def _check_offsets(passage: str) -> None:
    for block in blocks(passage):
        assert len(block.text) == len(block.offsets)
        assert list(block.offsets) == sorted(set(block.offsets))
        for char, offset in zip(block.text, block.offsets, strict=True):
            assert char in (" ", passage[offset])
        assert "  " not in block.text and len(block.text) <= MAX_BLOCK
        assert all(0 <= place <= len(block.text) for place, _ in block.brackets)


@given(st.text(st.sampled_from("ab .,()[]`*_-\n\t\x00é1") | st.characters(), max_size=200))
def test_every_character_stands_in_the_passage(passage: str) -> None:
    _check_offsets(passage)


@pytest.mark.parametrize("passage", ATTACKS)
def test_offsets_of_odd_passages(passage: str) -> None:
    _check_offsets(passage)


def test_long_passages_are_read_up_to_a_limit() -> None:
    passage = "The tower is old. " * 10_000
    read = blocks(passage)
    assert len(passage) > 100_000
    assert max(offset for block in read for offset in block.offsets) < MAX_CHARACTERS
    assert sum(len(block.text) for block in read) > 0.9 * MAX_CHARACTERS
