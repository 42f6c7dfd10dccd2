"""A remote endpoint, tested on a real one: the GGUF runtime's own OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from assistant.errors import ModelRuntimeError, UsageError
from assistant.models.gguf import GGUFChat
from assistant.models.remote import _chat_class, remote_chat
from assistant.settings import ModelSettings
from tests.conftest import weights

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def served() -> Iterator[GGUFChat]:
    model = GGUFChat(model_path=str(weights("tiny-answerer")), n_ctx=2048)
    model.load()
    yield model
    model.close()


def _settings(served: GGUFChat, **changes: str) -> ModelSettings:
    address, key = served.endpoint
    values = {"remote_url": f"{address}/v1", "remote_key": key, "remote_model": "served"}
    return ModelSettings.model_validate({**values, **changes})


class TestRemoteUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return _chat_class()

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"base_url": "http://127.0.0.1:9/v1", "api_key": "none", "model": "served"}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False


class TestRemote(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def _endpoint(self, served: GGUFChat) -> None:
        type(self).served = served

    served: GGUFChat

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return _chat_class()

    @property
    def chat_model_params(self) -> dict[str, Any]:
        address, key = self.served.endpoint
        return {
            "base_url": f"{address}/v1",
            "api_key": key,
            "model": "served",
            "stream_usage": True,
            "max_tokens": 32,  # the tiny model would go on to the end of its context
        }

    @pytest.fixture
    def model(self, request: Any, served: GGUFChat) -> BaseChatModel:
        type(self).served = served
        extra = getattr(request, "param", None) or {}
        return self.chat_model_class(**{**self.chat_model_params, **extra})

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False


def test_streams(served: GGUFChat) -> None:
    chunks = list(remote_chat(_settings(served), max_tokens=8).stream("Say hello"))
    assert len(chunks) > 1


def test_wrong_key(served: GGUFChat) -> None:
    with pytest.raises(ModelRuntimeError, match="refused the key") as caught:
        remote_chat(_settings(served, remote_key="wrong")).invoke("Say hello")
    assert "remote_key" in caught.value.remedy


def test_wrong_path(served: GGUFChat) -> None:
    address, _ = served.endpoint
    with pytest.raises(ModelRuntimeError) as caught:
        remote_chat(_settings(served, remote_url=f"{address}/nowhere")).invoke("Say hello")
    assert caught.value.remedy


def test_nobody_there(served: GGUFChat) -> None:
    settings = _settings(served, remote_url="http://127.0.0.1:9/v1")
    with pytest.raises(ModelRuntimeError, match="cannot be reached"):
        list(remote_chat(settings).stream("Say hello"))


def test_not_set() -> None:
    with pytest.raises(UsageError, match="not set"):
        remote_chat(ModelSettings())  # type: ignore[call-arg]
