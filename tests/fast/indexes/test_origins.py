"""Where passages stood before: by their text and its language."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.chunking import Chunker
from indexes.documents import Block, Document, content_hash, document_id
from indexes.origins import rows_before
from indexes.staged_store import StagedStore
from indexes.store import PassageStore


def _store(path: Path, texts: list[str]) -> PassageStore:
    store = StagedStore(path)
    for number, text in enumerate(texts):
        uri = f"{path.name}/{number}"
        block = Block(0, len(text), kind="passage")
        document = Document(
            document_id(uri), uri, document_id(uri), text, (block,), fingerprint=content_hash(text)
        )
        store.add(document, Chunker().split(document), source="memory:")
    store.commit()
    store.close()
    return PassageStore(path)


_texts = st.lists(st.sampled_from(["kelp", "otter", "lease", "lyon", "bridge"]), max_size=6)


@settings(max_examples=30, deadline=None)
@given(_texts, _texts)
def test_a_row_leads_to_the_same_text_or_nowhere(old: list[str], new: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        before = _store(Path(folder) / "old", old)
        after = _store(Path(folder) / "new", new)
        origin = rows_before(before, after)
        assert len(origin) == len(new)
        for row, was in enumerate(origin.tolist()):
            assert (old[was] == new[row]) if was >= 0 else (new[row] not in old)


def test_the_same_words_in_another_language_are_another_passage(tmp_path: Path) -> None:
    english = "The lease of the flat in the old town ends on the last day of March next year."
    store = _store(tmp_path / "a", [english])
    other = _store(tmp_path / "b", [english])
    assert rows_before(store, other).tolist() == [0]
    db = sqlite3.connect(tmp_path / "b")
    db.execute("UPDATE documents SET language = 'fr'")
    db.commit()
    assert rows_before(store, PassageStore(tmp_path / "b")).tolist() == [-1]


@settings(max_examples=20, deadline=None)
@given(_texts, st.sets(st.integers(0, 5), max_size=4))
def test_texts_of_some_rows_are_those_of_all(texts: list[str], rows: set[int]) -> None:
    wanted = sorted(row for row in rows if row < len(texts))
    with tempfile.TemporaryDirectory() as folder:
        store = _store(Path(folder) / "store", texts)
        assert list(store.texts(np.array(wanted, dtype=np.int64))) == [texts[row] for row in wanted]
        assert [passage.text for passage in store.passages()] == texts


def test_few_rows_of_many_are_fetched_one_by_one(tmp_path: Path) -> None:
    texts = [f"note {number}" for number in range(50)]
    store = _store(tmp_path / "store", texts)
    assert list(store.texts(np.array([3, 41]))) == ["note 3", "note 41"]
