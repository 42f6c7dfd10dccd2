"""Answers of models kept by their prompt and parameters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from assistant.errors import StorageError
from assistant.models.answer_cache import AnswerCache


class NumberedChat(BaseChatModel):
    """Says how often it was asked."""

    temperature: float = 0.0
    calls: int = 0

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.calls += 1
        message = AIMessage(f"answer {self.calls}", response_metadata={"finish_reason": "stop"})
        return ChatResult(generations=[ChatGeneration(message=message)])

    @property
    def _llm_type(self) -> str:
        return "numbered"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"temperature": self.temperature}


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[AnswerCache]:
    opened = AnswerCache(tmp_path / "cache" / "answers.sqlite")
    yield opened
    opened.close()


def _kept(text: str) -> list[ChatGeneration]:
    return [ChatGeneration(message=AIMessage(text))]


def test_miss_then_hit(cache: AnswerCache) -> None:
    assert cache.lookup("prompt", "model") is None
    cache.update("prompt", "model", _kept("🦦 نعم\n"))
    (generation,) = cache.lookup("prompt", "model") or []
    assert generation.text == "🦦 نعم\n"
    assert (cache.hits, cache.misses) == (1, 1)
    cache.update("prompt", "model", _kept("new"))
    assert (cache.lookup("prompt", "model") or [])[0].text == "new"
    cache.clear()
    assert cache.lookup("prompt", "model") is None


def test_key_is_prompt_and_parameters(cache: AnswerCache) -> None:
    cache.update("prompt", "model", _kept("one"))
    for prompt, model in [("prompt ", "model"), ("prompt", "model2"), ("model", "prompt")]:
        assert cache.lookup(prompt, model) is None


def test_chat_model_is_asked_once_for_a_prompt(tmp_path: Path, cache: AnswerCache) -> None:
    model = NumberedChat(cache=cache)
    first = model.invoke("What is kelp?")
    assert model.invoke("What is kelp?").content == first.content == "answer 1"
    assert model.calls == 1
    assert model.invoke("What is kelp? ").content == "answer 2"
    assert model.invoke("What is kelp?", stop=["x"]).content == "answer 3"
    warmer = NumberedChat(cache=cache, temperature=0.7)
    warmer.invoke("What is kelp?")
    assert warmer.calls == 1
    again = NumberedChat(cache=AnswerCache(cache.path))
    repeated = again.invoke("What is kelp?")
    assert (repeated.content, again.calls) == ("answer 1", 0)
    assert repeated.response_metadata == {"finish_reason": "stop"}


def test_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match="cannot be opened") as caught:
        AnswerCache(tmp_path / "answers.sqlite")
    assert "only a cache" in caught.value.remedy


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError):
        AnswerCache(tmp_path / "file" / "answers.sqlite")


def test_file_damaged_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    cache = AnswerCache(path)
    for number in range(40):
        cache.update(f"prompt {number}", "model", _kept("x" * 500))
    cache.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    damaged = AnswerCache(path)
    with pytest.raises(StorageError):
        for number in range(40):
            damaged.lookup(f"prompt {number}", "model")
    damaged.close()


def test_answer_that_cannot_be_read_is_an_error_in_words(cache: AnswerCache) -> None:
    cache.update("prompt", "model", _kept("one"))
    cache._database.execute("UPDATE answers SET value = '{\"type\": '")
    with pytest.raises(StorageError):
        cache.lookup("prompt", "model")


def test_two_threads(cache: AnswerCache) -> None:
    other = AnswerCache(cache.path)
    failures: list[BaseException] = []

    def work(own: AnswerCache) -> None:
        try:
            for number in range(10):
                own.update(f"prompt {number}", "model", _kept(f"answer {number}"))
                assert (own.lookup(f"prompt {number}", "model") or [])[0].text == f"answer {number}"
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(own,)) for own in (cache, cache, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert failures == []
    assert (cache.hits, cache.misses, other.hits) == (20, 0, 10)
