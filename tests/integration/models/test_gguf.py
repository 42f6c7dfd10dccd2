"""What the product needs of the GGUF runtime beyond the public suite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from assistant.errors import ModelCorruptError, ModelMissingError, ModelRuntimeError
from assistant.models.gguf import GGUFChat
from tests.conftest import weights

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def model() -> Iterator[GGUFChat]:
    made = GGUFChat(model_path=str(weights("tiny-answerer")), n_ctx=1024, max_tokens=24)
    yield made
    made.close()


def test_temperature_zero_repeats_itself(model: GGUFChat) -> None:
    assert (
        model.invoke("Name three colours.").content == model.invoke("Name three colours.").content
    )


def test_closing_the_stream_stops_the_model(model: GGUFChat) -> None:
    stream = model.stream("Count from one to one hundred.", max_tokens=600)
    next(stream)
    stream.close()
    # The runtime has one slot: were it still writing, this would wait for 600 tokens' end.
    assert model.invoke("Hello", max_tokens=2).usage_metadata["output_tokens"] <= 2


def test_stream_may_be_closed_by_another_thread(model: GGUFChat) -> None:
    stream = model.stream("Count from one to one hundred.", max_tokens=200)
    next(stream)
    closer = threading.Thread(target=stream.close)
    closer.start()
    closer.join()
    assert model.invoke("Hello", max_tokens=2).content is not None


def test_output_obeys_the_schema(model: GGUFChat) -> None:
    class Colour(BaseModel):
        name: str = Field(max_length=12)
        warm: bool

    found = model.with_structured_output(Colour).invoke("Red is a warm colour.", max_tokens=60)
    assert isinstance(found, Colour)


def test_log_probabilities(model: GGUFChat) -> None:
    chunks = list(model.stream("Hello", logprobs=True, top_logprobs=5, max_tokens=3))
    first = next(
        c.response_metadata["logprobs"] for c in chunks if "logprobs" in c.response_metadata
    )
    alternatives = first["content"][0]["top_logprobs"]
    assert len(alternatives) == 5
    assert all(a["logprob"] <= 0 for a in alternatives)


def test_too_long_prompt_is_an_error_in_words(model: GGUFChat) -> None:
    with pytest.raises(ModelRuntimeError, match="context holds") as caught:
        model.invoke("word " * 3000)
    assert "context_tokens" in caught.value.remedy
    assert model.invoke("Hello", max_tokens=2).content is not None


def test_unknown_option_is_refused(model: GGUFChat) -> None:
    with pytest.raises(ModelRuntimeError, match="temprature"):
        model.invoke("Hello", temprature=0.5)


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        GGUFChat(model_path=str(tmp_path / "none.gguf")).load()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(weights("tiny-answerer").read_bytes()[:100_000])
    with pytest.raises(ModelCorruptError):
        GGUFChat(model_path=str(cut)).load()


def test_the_loopback_server_asks_for_the_key(model: GGUFChat) -> None:
    import httpx

    address, key = (model.load(), model.endpoint)[1]
    assert address.startswith("http://127.0.0.1:")
    assert httpx.get(f"{address}/v1/models").status_code == 401
    allowed = httpx.get(f"{address}/v1/models", headers={"Authorization": f"Bearer {key}"})
    assert allowed.status_code == 200
