"""The public LangChain suites, on real weights."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests, EmbeddingsIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests, EmbeddingsUnitTests

from assistant.models.embeddings import EncoderEmbeddings
from assistant.models.gguf import GGUFChat
from indexes.encoders.dense import SentenceTransformerEncoder
from tests.conftest import weights

pytestmark = pytest.mark.integration


class _GGUF:
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return GGUFChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model_path": str(weights("tiny-answerer")), "n_ctx": 2048}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return True


class TestGGUFUnit(_GGUF, ChatModelUnitTests):
    pass


class TestGGUFIntegration(_GGUF, ChatModelIntegrationTests):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        # Room for two strings at their limit: this model repeats itself until it is stopped.
        return {**super().chat_model_params, "max_tokens": 500}


class _MiniLM:
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return EncoderEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"encoder": SentenceTransformerEncoder(weights("embedder"))}


class TestMiniLMUnit(_MiniLM, EmbeddingsUnitTests):
    pass


class TestMiniLMIntegration(_MiniLM, EmbeddingsIntegrationTests):
    pass
