"""The vector store: LangChain's public suite, filters, saving and loading."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from indexes.dense.kinds import DenseChoice
from indexes.dense.vector_store import FaissVectorStore
from indexes.errors import IndexCorruptError, IndexNotFoundError, UsageError

EMBEDDING = DeterministicFakeEmbedding(size=16)


class TestFaissVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self) -> Generator[VectorStore, None, None]:
        yield FaissVectorStore(self.get_embeddings())


class TestSavedFaissVectorStore(VectorStoreIntegrationTests):
    """The same suite on a store that has been saved, emptied and loaded."""

    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Generator[VectorStore, None, None]:
        store = FaissVectorStore.from_texts(["one", "two"], self.get_embeddings())
        store.save(tmp_path)
        store.delete()
        store.save(tmp_path)
        yield FaissVectorStore.load(tmp_path, self.get_embeddings())


def _notes(count: int) -> list[Document]:
    return [
        Document(page_content=f"note {n}", metadata={"folder": "ab"[n % 2], "n": n}, id=str(n))
        for n in range(count)
    ]


def _brute_force(documents: list[Document], query: str, k: int) -> list[str | None]:
    vectors = np.array(EMBEDDING.embed_documents([d.page_content for d in documents]))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.argsort(-(vectors @ np.array(EMBEDDING.embed_query(query))), kind="stable")
    return [documents[i].id for i in order[:k]]


def _ids(documents: list[Document]) -> list[str | None]:
    return [document.id for document in documents]


@pytest.mark.parametrize(
    "wanted", [{"folder": "a"}, {"folder": ["a", "c"], "n": range(0)}, {"n": [3, 4, 5]}, {"x": 1}]
)
def test_mapping_filters_inside_the_search(wanted: dict[str, object]) -> None:
    store = FaissVectorStore(EMBEDDING)
    store.add_documents(_notes(60))
    kept = [
        d
        for d in _notes(60)
        if all(
            k in d.metadata and d.metadata[k] in (v if isinstance(v, list) else [v])
            for k, v in wanted.items()
        )
    ]
    found = store.similarity_search("question", k=20, filter=wanted)
    assert _ids(found) == (_brute_force(kept, "question", 20) if kept else [])


def test_a_function_filters_too_and_scores_are_cosines() -> None:
    store = FaissVectorStore(EMBEDDING)
    store.add_documents(_notes(30))
    found = store.similarity_search_with_score("note 7", k=3, filter=lambda d: d.metadata["n"] > 5)
    assert found[0][0].id == "7"
    assert found[0][1] == pytest.approx(1.0)
    relevance = store.similarity_search_with_relevance_scores("note 7", k=30)
    assert all(0 <= score <= 1 for _, score in relevance)


@pytest.mark.parametrize("choice", [None, DenseChoice(kind="ivf", probes=1000)])
def test_saved_added_deleted_and_saved_again(tmp_path: Path, choice: DenseChoice | None) -> None:
    notes = _notes(200)
    store = FaissVectorStore(EMBEDDING, choice=choice)
    store.add_documents(notes[:150])
    store.save(tmp_path)
    store = FaissVectorStore.load(tmp_path, EMBEDDING, choice=choice)
    store.add_documents(notes[150:])
    store.delete([str(n) for n in range(0, 200, 3)])
    left = [note for n, note in enumerate(notes) if n % 3]
    expected = _brute_force(left, "question", 25)
    assert _ids(store.similarity_search("question", k=25)) == expected
    store.save(tmp_path)
    again = FaissVectorStore.load(tmp_path, EMBEDDING, choice=choice)
    for own in (store, again):
        assert len(own) == len(left)
        assert _ids(own.similarity_search("question", k=25)) == expected
        assert own.get_by_ids(["1", "0"]) == [notes[1]]
    assert len([path for path in tmp_path.glob("g*") if path.is_dir()]) == 1


def test_a_caller_cannot_change_what_is_stored() -> None:
    store = FaissVectorStore(EMBEDDING)
    note = Document(page_content="kelp", metadata={"tags": ["sea"]}, id="1")
    store.add_documents([note])
    note.metadata["tags"].append("changed")
    store.get_by_ids(["1"])[0].metadata["tags"].append("changed")
    assert store.get_by_ids(["1"])[0].metadata == {"tags": ["sea"]}


def test_diverse_hits_are_not_the_same_text_twice() -> None:
    store = FaissVectorStore(EMBEDDING)
    store.add_texts(["otter", "otter", "otter", "kelp"])
    found = store.max_marginal_relevance_search("otter", k=2, lambda_mult=0.3)
    assert [document.page_content for document in found] == ["otter", "kelp"]


def test_wrong_use_is_refused(tmp_path: Path) -> None:
    store = FaissVectorStore.from_texts(["one"], EMBEDDING, ids=["1"])
    with pytest.raises(UsageError, match="2 ids for 1"):
        store.add_documents([Document(page_content="x")], ids=["1", "2"])
    with pytest.raises(UsageError, match="1 ids for 2"):
        store.add_texts(["x", "y"], ids=["1"])
    with pytest.raises(IndexNotFoundError):
        FaissVectorStore.load(tmp_path, EMBEDDING)
    store.save(tmp_path / "s")
    other = FaissVectorStore.load(tmp_path / "s", DeterministicFakeEmbedding(size=8))
    with pytest.raises(UsageError, match="8 dimensions for a store of 16"):
        other.add_texts(["two"])
    store.add_documents([Document(page_content="x", metadata={"what": object()})])
    with pytest.raises(UsageError, match="cannot be saved"):
        store.save(tmp_path / "s")
    assert len(FaissVectorStore.load(tmp_path / "s", EMBEDDING)) == 1


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    FaissVectorStore.from_texts(["one", "two"], EMBEDDING).save(tmp_path)
    documents = next(tmp_path.glob("g*/documents.jsonl"))
    whole = documents.read_text()
    for damaged in (whole[:-20], whole.splitlines()[0]):
        documents.write_text(damaged)
        with pytest.raises(IndexCorruptError):
            FaissVectorStore.load(tmp_path, EMBEDDING)
    documents.unlink()
    with pytest.raises(IndexCorruptError, match="missing"):
        FaissVectorStore.load(tmp_path, EMBEDDING)
