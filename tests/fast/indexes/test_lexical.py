"""Lexical search: what it promises of queries, of carrying rows over and of damaged files."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import bm25s
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.carried import Carried
from indexes.errors import IndexCorruptError
from indexes.lexical.bm25 import K1, B
from indexes.lexical.bm25s_engine import Bm25
from indexes.lexical.index import LexicalIndex
from indexes.lexical.phrases import quoted
from indexes.lexical.tokens import words

WORDS = (
    "the cat cats running run café cafe E0308 v2.13.0 GPT-4 GPT 4 my_name getName 東京都 東 ภาษาไทย "
    "die Häuser Haus to be or not A/b.c naïve"
).split()
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
LANGUAGES = st.sampled_from(["en", "de", "pt-BR", "zh", ""])
ROWS = st.lists(st.tuples(TEXTS, LANGUAGES), max_size=8)


def make(folder: Path, *texts: str, languages: list[str] | None = None) -> LexicalIndex:
    LexicalIndex.build(texts, folder, languages=languages)
    return LexicalIndex.open(folder)


def rows(index: LexicalIndex, query: str, **options) -> list[int]:
    return index.search(query, 100, **options).rows.tolist()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@given(ROWS, ROWS, st.data())
@settings(max_examples=60, deadline=None)
def test_carried_equals_fresh(old, new, data) -> None:
    """Any rows of the old index, in any order, between any new ones: the same files."""
    kept = data.draw(st.lists(st.sampled_from(range(len(old))), unique=True)) if old else []
    order = data.draw(
        st.permutations([("old", row) for row in kept] + [("new", row) for row in range(len(new))])
    )
    items = [old[row] if kind == "old" else new[row] for kind, row in order]
    added = [new[row] for kind, row in order if kind == "new"]
    origin = np.array([row if kind == "old" else -1 for kind, row in order], dtype=np.int64)
    with TemporaryDirectory() as place:
        before, fresh, carried = (Path(place) / name for name in ("before", "fresh", "carried"))
        LexicalIndex.build(*_columns(old, before))
        LexicalIndex.build(*_columns(items, fresh))
        texts, _, _, codes = _columns(added, carried)
        LexicalIndex.build(texts, carried, Carried(before, origin), codes)
        assert contents(carried) == contents(fresh)


def _columns(items, folder):
    return [text for text, _ in items], folder, None, [code for _, code in items]


@given(
    st.lists(st.lists(st.integers(0, 8), max_size=12), min_size=1, max_size=12).filter(
        lambda passages: any(passages)
    )
)
def test_scores_equal_those_of_bm25s_to_the_bit(passages: list[list[int]]) -> None:
    vocabulary = {str(number): number for number in range(9)}
    theirs = bm25s.BM25(k1=K1, b=B, method="lucene")
    theirs.index((passages, vocabulary), create_empty_token=False, show_progress=False)
    flat = np.concatenate([np.array(p, dtype=np.int32) for p in passages])
    starts = np.cumsum([0, *map(len, passages)])
    matrix = sp.csr_matrix(
        (np.ones(len(flat), dtype=np.int32), flat, starts), shape=(len(passages), 9)
    )
    ours = Bm25.empty().build_index_from_ids(range(9), matrix)
    for name in ("data", "indices", "indptr"):
        assert ours[name].tolist() == theirs.scores[name].tolist(), name


@given(ROWS.filter(bool), TEXTS, st.integers(1, 5), st.data())
@settings(max_examples=60, deadline=None)
def test_a_filter_gives_the_best_of_what_it_allows(items, query, depth, data) -> None:
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(items), max_size=len(items))))
    with TemporaryDirectory() as place:
        LexicalIndex.build(*_columns(items, Path(place)))
        index = LexicalIndex.open(Path(place))
        everything = index.search(query, len(items))
        expected = [
            (row, score)
            for row, score in zip(everything.rows, everything.scores, strict=True)
            if allowed[row]
        ][:depth]
        found = index.search(query, depth, allowed)
    assert list(zip(found.rows, found.scores, strict=True)) == expected


@given(ROWS.filter(bool), st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_phrases_are_where_a_scan_finds_them(items, phrase) -> None:
    sought = words(" ".join(phrase))

    def holds(text: str) -> bool:
        own = words(text)
        return any(own[i : i + len(sought)] == sought for i in range(len(own)))

    expected = [row for row, (text, _) in enumerate(items) if holds(text)]
    with TemporaryDirectory() as place:
        LexicalIndex.build(*_columns(items, Path(place)))
        index = LexicalIndex.open(Path(place))
        query = f'"{" ".join(phrase)}"'
        mask = index.phrase_rows(query)
        assert mask is not None
        assert np.flatnonzero(mask).tolist() == expected
        assert sorted(rows(index, query)) == expected


@pytest.mark.parametrize(
    ("identifier", "near"),
    [
        ("E0308", "E0309 and 0308 and E 0308"),
        ("ERR_CONN_RESET", "err conn reset conn reset err"),
        ("v2.13.0", "v2 13 13 v2 v2.13.1"),
        ("GPT-4", "GPT 4 GPT GPT 4"),
        ("AC-130J", "AC 130J 130J AC AC-130"),
        ("/etc/app/conf.d", "etc app conf d etc/app conf"),
        ("me@home.org", "me home org home org me"),
        ("maxRowCount", "max row count max row count"),
        ("max_row_count", "max row count max row count"),
        ("--dry-run", "dry run run dry"),
    ],
)
def test_the_passage_with_the_identifier_comes_first(
    tmp_path: Path, identifier: str, near: str
) -> None:
    long = f"{'Much else is said here before and after. ' * 20} {identifier}, {'as told ' * 40}"
    others = ["Nothing of the kind."] * 5
    index = make(tmp_path, near, *others, long, near.upper())
    assert rows(index, identifier)[0] == 6
    assert rows(index, f"{identifier}?")[0] == 6


def test_parts_find_a_name_and_a_name_its_parts(tmp_path: Path) -> None:
    index = make(tmp_path, "def parse_user_names(): ...", "UserNameError", "nothing")
    assert sorted(rows(index, "user name")) == [0, 1]


def test_words_are_stemmed_by_the_language_of_their_passage(tmp_path: Path) -> None:
    index = make(
        tmp_path, "Die Häuser stehen leer", "Many houses", "maisons", languages=["de", "en", "fr"]
    )
    assert rows(index, "Haus") == [0]
    assert rows(index, "house") == [1]
    assert rows(index, "maison") == [2]
    assert rows(index, "die") == []  # a German stop word; no English passage has it


def test_text_without_spaces(tmp_path: Path) -> None:
    index = make(tmp_path, "東京都は日本の首都です。", "京都は古い都市です。", "ภาษาไทยง่าย", "水")
    assert rows(index, "首都") == [0]
    assert rows(index, "京都")[0] == 1  # the shorter passage; 東京都 has the pair too
    assert rows(index, "ไทย") == [2]
    assert rows(index, "水") == [3]
    assert rows(index, "「東京都」") == [0]


def test_accents_help_but_do_not_hinder(tmp_path: Path) -> None:
    index = make(tmp_path, "the cafe", "the café", "tea")
    assert sorted(rows(index, "cafe")) == [0, 1]
    assert rows(index, "café") == [1, 0]
    assert rows(index, "cafe\u0301") == [1, 0]
    assert rows(index, '"café"') == [1]


def test_phrases(tmp_path: Path) -> None:
    index = make(
        tmp_path,
        "To be, or not to be: that is the question.",
        "The question is not to be or to be.",
        "To be sure, the red car and the blue car.",
        "A blue and red car.",
    )
    assert rows(index, '"to be or not to be"') == [0]  # stop words only
    assert rows(index, "“red car”") == [3, 2]
    assert rows(index, 'car "blue car" "to be"') == [2]
    assert rows(index, 'car "car blue"') == []
    assert not index.phrase_rows('car "no such"').any()
    assert sorted(rows(index, '"blue car" question', require_phrases=False)) == [0, 1, 2, 3]
    assert index.phrase_rows("red car") is None
    assert sorted(rows(index, 'a lone " red')) == [2, 3]


def test_what_counts_as_a_phrase() -> None:
    found = quoted('say "Red Car" and «le chat», (“x y”), „eins zwei“.')
    assert found == [("red", "car"), ("le", "chat"), ("x", "y"), ("eins", "zwei")]
    assert quoted('a 5" disk and a 3" disk') == []
    assert quoted('one lone " mark, and "" and "…"') == []


def test_matches_share_the_score(tmp_path: Path) -> None:
    index = make(tmp_path, "cats running", "cats", "the dog")
    assert index.terms("the running cats fly") == ["run", "cat"]
    (found,) = index.matches('a running "cats"', [0])
    assert {name for name, _, _ in found} == {"run", "cat", "“cats”"}
    total = index.search('a running "cats"', 1).scores[0]
    assert sum(weight * score for _, weight, score in found) == pytest.approx(total)
    parts = {name: weight * score for name, weight, score in found}
    assert parts["run"] > parts["cat"]  # two passages have cats
    assert index.matches("running", [1, 0])[0] == []


def test_ties_go_to_the_lower_row(tmp_path: Path) -> None:
    assert rows(make(tmp_path, "x1 cat", "cat x2", "cat x3"), "cat") == [0, 1, 2]


def test_what_was_deleted_leaves_no_token(tmp_path: Path) -> None:
    LexicalIndex.build(["open words", "secretword and hidden_name"], tmp_path / "old")
    origin = np.array([0], dtype=np.int64)
    LexicalIndex.build([], tmp_path / "new", Carried(tmp_path / "old", origin))
    assert any(b"secretword" in data for data in contents(tmp_path / "old").values())
    for name, data in contents(tmp_path / "new").items():
        assert b"secret" not in data and b"hidden" not in data, name
    assert rows(LexicalIndex.open(tmp_path / "new"), "open") == [0]


@pytest.mark.parametrize("texts", [[], [""], ["the of", "!!"]])
def test_nothing_to_find(tmp_path: Path, texts: list[str]) -> None:
    index = make(tmp_path, *texts)
    assert index.size == len(texts)
    assert rows(index, "anything E0308") == []
    assert rows(index, '"any thing"') == []
    assert index.terms("anything") == []


def test_texts_must_match_the_new_rows(tmp_path: Path) -> None:
    LexicalIndex.build(["a b"], tmp_path / "old")
    carried = Carried(tmp_path / "old", np.array([0, -1], dtype=np.int64))
    with pytest.raises(ValueError, match="1 new rows"):
        LexicalIndex.build([], tmp_path / "new", carried)
    with pytest.raises(ValueError, match="languages"):
        LexicalIndex.build(["a"], tmp_path / "new", languages=["en", "de"])


def test_damaged_files_are_named(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    make(whole, "the cat", "E0308 東京都")
    for name in sorted(contents(whole)):
        if name == "vocab.index.json":
            continue  # written by bm25s, not read
        for damage in ("missing", "short", "empty"):
            folder = tmp_path / f"{name}-{damage}"
            shutil.copytree(whole, folder)
            path = folder / name
            if damage == "missing":
                path.unlink()
            else:
                data = path.read_bytes()
                path.write_bytes(data[: len(data) - 1] if damage == "short" else b"")
            with pytest.raises(IndexCorruptError) as caught:
                LexicalIndex.open(folder)
            assert caught.value.remedy, (name, damage)
    carried = Carried(tmp_path / "tokens.npy-missing", np.array([0], dtype=np.int64))
    with pytest.raises(IndexCorruptError):
        LexicalIndex.build([], tmp_path / "new", carried)


def test_stop_words_of_one_language_do_not_lead_to_passages_of_another(tmp_path: Path) -> None:
    texts = ["the cost of the lease", "kelp in the sea", "el mar the la nave", "the costs"]
    LexicalIndex.build(texts, tmp_path / "i", None, ["en", "en", "es", "en"])
    found = LexicalIndex.open(tmp_path / "i").search("what is the cost of it", 10)
    assert sorted(found.rows.tolist()) == [0, 3]
