"""Decoding in torch: batches, two caches at once, streaming; on a tiny model with random weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_tests.unit_tests import ChatModelUnitTests

from assistant.answering.evidence import select_evidence
from assistant.answering.readers import ModelReader
from assistant.answering.reliance import mixed
from assistant.errors import ModelCorruptError, ModelMissingError, ModelRuntimeError
from assistant.models.streamed_text import TextUntil
from assistant.models.torch_chat import TorchChat
from assistant.models.torch_decoding import decode, likeliest
from assistant.models.torch_runtime import Session, TorchRuntime, Weights, prompt_tokens
from tests.fast.assistant.helpers import passages
from tests.fast.models.tiny_llama import write_tiny_llama

PROMPTS = [[5, 6, 7, 8], [5, 6, 9], [5, 6, 7, 8, 10, 11]]
ALONE = [[5, 20], [5, 21, 22, 23], [24]]
NEVER: frozenset[int] = frozenset()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def weights(folder: Path) -> Weights:
    return TorchRuntime(folder, dtype="float32", device="cpu").load()


@torch.inference_mode()
def straight(weights: Weights, tokens: Sequence[int]) -> np.ndarray:
    """Log-probabilities of the next token without cache, batch or padding."""
    logits = weights.model(torch.tensor([list(tokens)])).logits[0, -1]
    return torch.log_softmax(logits, -1).numpy()


def test_a_batch_with_its_cache_is_as_each_prompt_alone(weights: Weights) -> None:
    session = Session(weights.model, PROMPTS)
    grown = [list(prompt) for prompt in PROMPTS]
    for step in range(3):
        for row, prompt in enumerate(grown):
            assert session.logprobs()[row] == pytest.approx(straight(weights, prompt), abs=1e-4)
        following = [30 + step, 40 + step, 50 + step]
        session.advance(following, of=[0, 1, 2])
        for prompt, token in zip(grown, following, strict=True):
            prompt.append(token)


def test_rows_may_part_and_end(weights: Weights) -> None:
    session = Session(weights.model, PROMPTS)
    session.advance([12, 13, 14], of=[2, 0, 2])
    wanted = [[*PROMPTS[2], 12], [*PROMPTS[0], 13], [*PROMPTS[2], 14]]
    for row, prompt in enumerate(wanted):
        assert session.logprobs()[row] == pytest.approx(straight(weights, prompt), abs=1e-4)
    session.advance([15], of=[1])
    assert session.logprobs()[0] == pytest.approx(straight(weights, [*wanted[1], 15]), abs=1e-4)


def written(weights: Weights, at: Sequence[float | str], k: float) -> list[list[int]]:
    """Every prompt at every place of the dial, weighed token by token."""
    reading, own = Session(weights.model, PROMPTS), Session(weights.model, ALONE)
    rows = [place for place in range(len(PROMPTS)) for _ in at]
    texts: list[list[int]] = [[] for _ in rows]

    def pick(row: int, known: np.ndarray, alone: np.ndarray | None) -> int:
        assert alone is not None
        return mixed(alone, known, at[row % len(at)], k=k).best  # type: ignore[arg-type]

    for tokens in decode(reading, own, pick, rows=rows, most=6, stops=NEVER):
        for text, token in zip(texts, tokens, strict=True):
            assert token is not None
            text.append(token)
    return texts


def plain(weights: Weights, prompt: Sequence[int]) -> list[int]:
    tokens = list(prompt)
    for _ in range(6):
        tokens.append(int(straight(weights, tokens).argmax()))
    return tokens[len(prompt) :]


def test_the_dials_ends_and_middle(weights: Weights) -> None:
    texts = written(weights, [0.0, 0.5, 1.0], np.inf)
    for place, (prompt, alone) in enumerate(zip(PROMPTS, ALONE, strict=True)):
        documents, middle, model = texts[3 * place : 3 * place + 3]
        assert model == plain(weights, alone)  # as if nothing had been read
        assert middle == plain(weights, prompt)  # as ever
        assert documents not in (middle, model)


def test_shared_rows_are_as_rows_alone(weights: Weights) -> None:
    places = [0.0, 0.3, 0.5, 0.5, 1.0, "auto"]
    together = written(weights, places, 1.0)
    apart = [written(weights, [at], 1.0) for at in places]
    assert together == [apart[at][row] for row in range(len(PROMPTS)) for at in range(len(places))]


def test_a_row_that_ends_leaves_the_others_alone(weights: Weights) -> None:
    session = Session(weights.model, PROMPTS)
    script = {0: [1, 2, 99], 1: [99], 2: [3, 4, 5, 6]}
    taken: dict[int, int] = dict.fromkeys(script, 0)

    def pick(row: int, known: np.ndarray, alone: np.ndarray | None) -> int:
        taken[row] += 1
        return script[row][taken[row] - 1]

    steps = list(decode(session, None, pick, rows=[0, 1, 2], most=4, stops=frozenset([99])))
    assert steps == [[1, None, 3], [2, None, 4], [None, None, 5], [None, None, 6]]
    assert session.logprobs()[0] == pytest.approx(
        straight(weights, [*PROMPTS[2], 3, 4, 5]), abs=1e-4
    )


def test_likeliest_come_best_first() -> None:
    assert likeliest(np.log([0.1, 0.5, 0.15, 0.25]), 3) == [1, 3, 2]
    assert likeliest(np.log([0.1, 0.9]), 5) == [1, 0]


# -- the chat model -----------------------------------------------------------------------------


class TestTinyUnit(ChatModelUnitTests):
    @pytest.fixture(autouse=True)
    def _folder(self, folder: Path) -> None:
        type(self).path = str(folder)

    path = "set by the fixture"

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return TorchChat

    @property
    def chat_model_params(self) -> dict[str, object]:
        return {"model_path": self.path}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False


@pytest.fixture(scope="module")
def chat(folder: Path) -> TorchChat:
    return TorchChat(model_path=str(folder), dtype="float32", device="cpu", max_tokens=12)


MESSAGES = [SystemMessage("Rules"), HumanMessage("Passages: kelp. Question: how?")]
WITHOUT = [HumanMessage("Question: how?")]


def test_it_streams_what_it_writes(chat: TorchChat) -> None:
    whole = chat.invoke(MESSAGES)
    chunks = list(chat.stream(MESSAGES))
    assert "".join(str(chunk.content) for chunk in chunks) == whole.content
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] == 12
    assert whole.response_metadata["finish_reason"] == "length"


def test_the_dial_through_the_chat_model(chat: TorchChat, weights: Weights) -> None:
    middle = chat.invoke(MESSAGES, reliance=0.5, without=WITHOUT)
    assert middle.content == chat.invoke(MESSAGES).content
    tokens = prompt_tokens(weights.tokenizer, MESSAGES), prompt_tokens(weights.tokenizer, WITHOUT)
    for at in (0.0, 1.0, "auto"):
        reading, own = (list(prompt) for prompt in tokens)
        for _ in range(12):
            found = mixed(straight(weights, own), straight(weights, reading), at)  # type: ignore[arg-type]
            reading.append(found.best)
            own.append(found.best)
        text = weights.tokenizer.decode(reading[len(tokens[0]) :], skip_special_tokens=True)
        assert chat.invoke(MESSAGES, reliance=at, without=WITHOUT).content == text


def test_the_reader_turns_the_dial(chat: TorchChat) -> None:
    evidence = select_evidence("kelp otters", passages(), None, budget=200)

    def text(share: float | None) -> str:
        reader = ModelReader(chat, "answerer", max_tokens=12, reliance=share)
        return "".join(map(str, reader.write("What is kelp?", evidence, passages())))

    assert text(0.0) != text(1.0)
    assert text(0.5) != text(None)  # another prompt: it may answer from what it knows


def test_sampling_repeats_itself_by_seed(chat: TorchChat) -> None:
    options = {"temperature": 1.0, "seed": 3}
    assert chat.invoke("Hi", **options).content == chat.invoke("Hi", **options).content
    assert (
        chat.invoke("Hi", **options).content != chat.invoke("Hi", temperature=1.0, seed=4).content
    )


def test_log_probabilities_are_those_of_the_tokens(chat: TorchChat, weights: Weights) -> None:
    answer = chat.invoke(MESSAGES, logprobs=True, top_logprobs=3, max_tokens=2)
    told = answer.response_metadata["logprobs"]["content"]
    assert len(told) == 2
    first = straight(weights, prompt_tokens(weights.tokenizer, MESSAGES))
    assert told[0]["logprob"] == pytest.approx(float(first.max()), abs=1e-4)
    assert [one["logprob"] for one in told[0]["top_logprobs"]] == pytest.approx(
        sorted(first.tolist(), reverse=True)[:3], abs=1e-4
    )


def test_stop_texts_end_the_answer(chat: TorchChat) -> None:
    text = str(chat.invoke(MESSAGES).content)
    stop = text[3:5]
    cut = chat.invoke(MESSAGES, stop=[stop])
    assert cut.content == text[: text.index(stop)]
    assert cut.response_metadata["finish_reason"] == "stop"


def test_wrong_calls_are_refused_in_words(chat: TorchChat, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelRuntimeError, match="temprature"):
        chat.invoke("Hi", temprature=1.0)
    small = TorchChat(model_path=str(folder), n_ctx=16)
    with pytest.raises(ModelRuntimeError, match="context holds 16") as caught:
        small.invoke("word " * 30)
    assert "context_tokens" in caught.value.remedy
    with pytest.raises(ModelMissingError):
        TorchChat(model_path=str(tmp_path / "none")).load()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelCorruptError):
        TorchChat(model_path=str(tmp_path / "empty")).load()
    with pytest.raises(ModelRuntimeError, match="float16"):
        TorchChat(model_path=str(folder), dtype="float16").load()


def test_an_adapter_changes_the_answer(folder: Path, tmp_path: Path, weights: Weights) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
    config = LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    torch.manual_seed(1)
    get_peft_model(base, config).save_pretrained(str(tmp_path / "adapter"))
    named = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text("utf-8"))
    assert named["base_model_name_or_path"] == str(folder)
    by_itself = TorchRuntime(tmp_path / "adapter", dtype="float32", device="cpu").load()
    on_top = TorchRuntime(folder, tmp_path / "adapter", dtype="float32", device="cpu").load()
    adapted = [Session(w.model, [PROMPTS[0]]).logprobs()[0] for w in (by_itself, on_top)]
    assert adapted[0] == pytest.approx(adapted[1], abs=1e-5)
    assert adapted[0] != pytest.approx(straight(weights, PROMPTS[0]), abs=1e-2)


# -- streamed text ------------------------------------------------------------------------------


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=3), max_size=2))
def test_streamed_text_is_the_text_up_to_the_stop(text: str, stops: list[str]) -> None:
    tokenizer = _Bytes()
    until = TextUntil(tokenizer, stops)
    told = ""
    for token in text.encode():
        told += until.add(token)
        if until.stopped:
            break
    told += until.rest()
    ends = [text.index(stop) for stop in stops if stop in text]
    assert told == text[: min(ends)] if ends else told == text


class _Bytes:
    """A tokenizer whose tokens are bytes."""

    def decode(self, tokens: list[int], skip_special_tokens: bool = True) -> str:
        return bytes(tokens).decode("utf-8", "replace")
