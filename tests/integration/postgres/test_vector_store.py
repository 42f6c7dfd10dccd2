"""The LangChain vector store on a real server, by LangChain's own suite and beyond it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_tests.integration_tests.vectorstores import VectorStoreIntegrationTests

from indexes.errors import UsageError
from indexes.postgres.address import Address
from indexes.postgres.vector_store import PostgresVectorStore

pytestmark = pytest.mark.integration


class TestLangChainsOwnSuite(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, address: Address) -> Iterator[PostgresVectorStore]:  # type: ignore[override]
        store = PostgresVectorStore(address, "suite", self.get_embeddings())
        try:
            yield store
        finally:
            store.close()


EMBEDDING = DeterministicFakeEmbedding(size=16)


@pytest.fixture
def store(address: Address) -> Iterator[PostgresVectorStore]:
    made = PostgresVectorStore(address, "mine", EMBEDDING)
    yield made
    made.close()


def test_scores_are_cosines(store: PostgresVectorStore) -> None:
    texts = [f"text {number}" for number in range(30)]
    store.add_texts(texts)
    found = store.similarity_search_with_score("text 3", k=30)
    vectors = np.array(EMBEDDING.embed_documents(texts))
    asked = np.array(EMBEDDING.embed_query("text 3"))
    cosines = vectors @ asked / np.linalg.norm(vectors, axis=1) / np.linalg.norm(asked)
    assert [score for _, score in found] == pytest.approx(sorted(cosines, reverse=True), abs=2e-3)
    assert found[0][0].page_content == "text 3"


@pytest.mark.parametrize("graph", [False, True])
def test_filters_are_inside_the_search(store: PostgresVectorStore, graph: bool) -> None:
    store.add_texts(
        [f"text {number}" for number in range(500)],
        [{"group": number % 100, "at": {"page": number}} for number in range(500)],
    )
    if graph:
        store.build_graph()
    found = store.similarity_search("text 3", k=10, filter={"group": 7})
    assert len(found) == 5 and all(document.metadata["group"] == 7 for document in found)
    (one,) = store.similarity_search("anything", filter={"at": {"page": 9}})
    assert one.page_content == "text 9"
    assert store.similarity_search("text", filter={"group": "7"}) == []


def test_diversity(store: PostgresVectorStore) -> None:
    store.add_texts(["same", "same", "same", "other"], ids=["1", "2", "3", "4"])
    found = store.max_marginal_relevance_search("same", k=2, lambda_mult=0.3)
    assert [document.page_content for document in found] == ["same", "other"]


def test_collections_do_not_see_each_other(address: Address, store: PostgresVectorStore) -> None:
    other = PostgresVectorStore.from_texts(["b"], EMBEDDING, address=address, name="other")
    store.add_texts(["a"])
    assert [d.page_content for d in other.similarity_search("a", k=5)] == ["b"]
    other.drop()
    assert [d.page_content for d in store.similarity_search("a", k=5)] == ["a"]
    other.close()


def test_odd_input(address: Address, store: PostgresVectorStore) -> None:
    (name,) = store.add_texts(["a\x00b \ud800"], [{"k\x00": "v\x00", "n": [1, {"x": None}]}])
    (found,) = store.get_by_ids([name, "none"])
    assert found.page_content == "a\ufffdb \ufffd"
    assert found.metadata == {"k\ufffd": "v\ufffd", "n": [1, {"x": None}]}
    assert store.add_texts([]) == []
    assert store.similarity_search("a", k=0) == []
    with pytest.raises(UsageError, match="one length"):
        store.add_texts(["a"], [{}, {}])
    with pytest.raises(UsageError, match="JSON"):
        store.add_texts(["a"], [{"x": object()}])
    with pytest.raises(UsageError, match="mapping"):
        store.similarity_search("a", filter=lambda document: True)  # type: ignore[arg-type]


def test_vectors_of_another_length_are_refused(
    address: Address, store: PostgresVectorStore
) -> None:
    longer: Embeddings = DeterministicFakeEmbedding(size=17)
    with pytest.raises(UsageError, match="16 dimensions, not 17"):
        PostgresVectorStore(address, "mine", longer)
