"""What the product needs of the GGUF runtime beyond the public suite."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
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


def test_cancel_while_the_prompt_is_read(model: GGUFChat) -> None:
    long = GGUFChat(model_path=model.model_path, n_ctx=4096, max_tokens=8)
    request = long._request([HumanMessage("A dog sat on the mat. " * 300)], None, {})
    cancelled = threading.Event()
    seen: list[dict[str, Any]] = []

    class CancelAtFirstBatch(queue.SimpleQueue):  # type: ignore[type-arg]
        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            if item is None:
                return
            seen.append(json.loads(item))
            if seen[-1].get("prompt_progress", {}).get("processed"):
                cancelled.set()

    long._runtime._generate(request, CancelAtFirstBatch(), cancelled)
    # Were it only possible at the first token, the whole prompt would have been read by then.
    progress = seen[-1]["prompt_progress"]
    assert progress["processed"] < progress["total"] / 2
    assert long.invoke("Hello", max_tokens=2).usage_metadata["output_tokens"] <= 2
    long.close()


def test_another_question_while_a_stream_pauses(model: GGUFChat) -> None:
    stream = model.stream("Count from one to ten.", max_tokens=20)
    first = next(stream)
    assert model.invoke("Hello", max_tokens=2).content is not None  # must not wait for the reader
    rest = "".join(str(chunk.content) for chunk in stream)
    again = model.invoke("Count from one to ten.", max_tokens=20).content
    assert f"{first.content}{rest}" == again


def test_questions_at_once(model: GGUFChat) -> None:
    questions = [f"Say the number {n}." for n in range(6)]
    alone = [model.invoke(question, max_tokens=8).content for question in questions]
    together = model.batch(list(questions), max_tokens=8)
    assert [answer.content for answer in together] == alone


def test_the_fixed_beginning_is_read_once(model: GGUFChat) -> None:
    rules = SystemMessage("Answer in one word. Be polite, be exact, do not repeat yourself.")
    model.invoke("Something else entirely", max_tokens=1)
    first = model.invoke([rules, HumanMessage("What is red?")], max_tokens=1).usage_metadata
    second = model.invoke([rules, HumanMessage("What is blue?")], max_tokens=1).usage_metadata
    cached = second["input_token_details"]["cache_read"]
    assert cached > first["input_token_details"]["cache_read"]
    assert cached >= model.count_tokens(str(rules.content))


def test_weights_can_be_freed_at_once_and_loaded_again(model: GGUFChat) -> None:
    again = GGUFChat(model_path=model.model_path, n_ctx=256)
    for _ in range(5):
        again.load()
        again.close()  # once waited for ever when it came right after loading
    assert again.invoke("Hello", max_tokens=1).content is not None
    again.close()


def test_a_process_that_is_interrupted_ends(model: GGUFChat) -> None:
    code = (
        "import sys, signal, os; from assistant.models.gguf import GGUFChat;"
        # a shell starts what it leaves in the background with interrupts switched off
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "m = GGUFChat(model_path=sys.argv[1], n_ctx=2048, max_tokens=None);"
        "s = m.stream('Write a long story.');"
        "[next(s) for _ in range(5)]; os.kill(os.getpid(), signal.SIGINT); next(s)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, model.model_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode in (130, -signal.SIGINT)  # and not an abort of the runtime


def test_the_runtime_writes_nothing_on_the_terminal(model: GGUFChat) -> None:
    code = (
        "import sys; from assistant.models.gguf import GGUFChat;"
        "m = GGUFChat(model_path=sys.argv[1], n_ctx=256); m.invoke('Hello', max_tokens=2)"
    )
    command = [sys.executable, "-c", code, model.model_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_stop_and_seed(model: GGUFChat) -> None:
    text = str(model.invoke("Count: one, two, three, four", stop=["three"]).content)
    assert "three" not in text
    options = {"temperature": 1.5, "seed": 7}
    question = "Invent a name for a cat."
    assert model.invoke(question, **options).content == model.invoke(question, **options).content
    other = {**options, "seed": 8}
    assert model.invoke(question, **options).content != model.invoke(question, **other).content


def test_tokens_are_the_models_own(model: GGUFChat) -> None:
    ids = model.get_token_ids("Hello there, world")
    assert len(ids) == model.count_tokens("Hello there, world") == 4
    assert model.get_num_tokens("") == 0


def test_count_is_an_estimate_where_the_tokenizer_is_out_of_reach(
    model: GGUFChat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = type(model._runtime)
    monkeypatch.setattr(runtime, "endpoint", ("http://127.0.0.1:9", "key"))
    assert model.count_tokens("x" * 400) == 100
    assert "estimates" in caplog.text


def test_output_obeys_the_schema(model: GGUFChat) -> None:
    class Colour(BaseModel):
        name: str = Field(max_length=12)
        warm: bool

    found = model.with_structured_output(Colour).invoke("Red is a warm colour.", max_tokens=60)
    assert isinstance(found, Colour)
    asked = model.with_structured_output(Colour, include_raw=True)
    both = asked.invoke("Red is a warm colour.", max_tokens=60)
    assert both["parsed"] == found
    assert Colour.model_validate_json(both["raw"].content) == found


def test_output_that_was_cut_off_is_an_error(model: GGUFChat) -> None:
    class Story(BaseModel):
        text: str = Field(min_length=400)

    with pytest.raises(ModelRuntimeError, match="cut off"):
        model.with_structured_output(Story).invoke("Tell a story.", max_tokens=20)
    both = model.with_structured_output(Story, include_raw=True)
    result = both.invoke("Tell a story.", max_tokens=20)
    assert result["parsed"] is None
    assert isinstance(result["parsing_error"], ModelRuntimeError)
    with pytest.raises(ModelRuntimeError, match="no option"):
        model.with_structured_output(Story, stric=True)


def test_log_probabilities(model: GGUFChat) -> None:
    chunks = list(model.stream("Hello", logprobs=True, top_logprobs=5, max_tokens=3))
    first = next(
        c.response_metadata["logprobs"] for c in chunks if "logprobs" in c.response_metadata
    )
    alternatives = first["content"][0]["top_logprobs"]
    assert len(alternatives) == 5
    assert all(a["logprob"] <= 0 for a in alternatives)
    whole = model.invoke("Hello", logprobs=True, top_logprobs=5, max_tokens=3)
    assert len(whole.response_metadata["logprobs"]["content"]) == 3


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
