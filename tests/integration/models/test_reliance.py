"""The reliance dial on real weights, in both runtimes; TorchChat against the public suite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests

from assistant.answering.evidence import select_evidence
from assistant.answering.prompts import answer_messages, own_messages
from assistant.cli.main import run
from assistant.errors import ModelRuntimeError
from assistant.models.gguf import GGUFChat
from assistant.models.torch_chat import TorchChat
from assistant.models.torch_runtime import TorchRuntime
from tests.conftest import weights
from tests.fast.assistant.helpers import passage

pytestmark = pytest.mark.integration

QUESTION = "What is the capital of France?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The GGUF file unpacked once: loading it takes twenty seconds."""
    loaded = TorchRuntime(weights("tiny-answerer")).load()
    folder = tmp_path_factory.mktemp("unpacked")
    loaded.model.save_pretrained(str(folder))
    loaded.tokenizer.save_pretrained(str(folder))
    return folder


def prompts() -> tuple[list[Any], list[Any]]:
    found = [passage(1, "The capital of France is Lyon.", title="Notes")]
    evidence = select_evidence(QUESTION, found, None, budget=100)
    with_ = answer_messages(QUESTION, evidence, found, short=True, leaning=True)
    return with_, own_messages(QUESTION, short=True)


class TestTorchIntegration(ChatModelIntegrationTests):
    path = "set by the fixture"

    @pytest.fixture(autouse=True)
    def _folder(self, folder: Path) -> None:
        type(self).path = str(folder)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return TorchChat

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model_path": self.path, "n_ctx": 2048, "max_tokens": 40}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False


@pytest.fixture(scope="module")
def gguf() -> Iterator[GGUFChat]:
    made = GGUFChat(model_path=str(weights("tiny-answerer")), n_ctx=1024, max_tokens=12)
    yield made
    made.close()


def test_the_middle_is_plain_decoding_in_the_gguf_runtime(gguf: GGUFChat) -> None:
    with_, without = prompts()
    middle = gguf.invoke(with_, reliance=0.5, without=without)
    assert str(middle.content).strip() == str(gguf.invoke(with_).content).strip()


def test_the_gguf_dial_leaves_the_documents(gguf: GGUFChat) -> None:
    with_, without = prompts()
    answers = [gguf.invoke(with_, reliance=at, without=without).content for at in (0.0, 1.0)]
    assert "Lyon" in answers[0] or "Lyon" in str(gguf.invoke(with_).content)
    assert answers[0] != answers[1]
    streamed = gguf.stream(with_, reliance=1.0, without=without)
    assert "".join(str(chunk.content) for chunk in streamed) == answers[1]


def test_a_weighed_prompt_that_is_too_long_is_an_error_in_words(gguf: GGUFChat) -> None:
    long = [HumanMessage("word " * 3000)]
    with pytest.raises(ModelRuntimeError, match="context holds"):
        gguf.invoke(long, reliance=0.5, without=[HumanMessage("Hello")])
    assert gguf.invoke("Hello", max_tokens=2).content is not None


def test_both_runtimes_tell_nearly_the_same_probabilities(gguf: GGUFChat, folder: Path) -> None:
    torch_chat = TorchChat(model_path=str(folder), dtype="float32", max_tokens=1)
    with_, _ = prompts()

    def first(model: BaseChatModel) -> dict[str, float]:
        answer = model.invoke(with_, logprobs=True, top_logprobs=3, max_tokens=1)
        (entry,) = answer.response_metadata["logprobs"]["content"]
        return {one["token"]: one["logprob"] for one in entry["top_logprobs"]}

    ours, theirs = first(torch_chat), first(gguf)
    best = max(theirs, key=theirs.__getitem__)
    assert best == max(ours, key=ours.__getitem__)
    assert ours[best] == pytest.approx(theirs[best], abs=0.3)  # 8-bit activations there


def test_the_command_reports_the_dial(
    folder: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [("France", "Lyon"), ("Germany", "Turin"), ("Japan", "Lima"), ("Italy", "Kyoto")]
    rows = [
        {
            "edit": f"The capital of {land} is {city}",
            "questions": [
                f"What is the capital of {land}?",
                f"Which city is the capital of {land}?",
                f"What is the name of the capital of {land}?",
            ],
        }
        for land, city in names
    ]
    file = tmp_path / "edits.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    arguments = ["--home", str(home), "eval", "reliance", str(file), "--half", "all"]
    arguments += ["--reader", f"torch:{folder}", "--limit", "2", "--json"]
    kept = tmp_path / "rows.jsonl"
    assert run([*arguments, "--rows", str(kept)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["dial"]) == {"0.0", "0.25", "0.5", "0.75", "1.0", "auto"}
    lines = kept.read_text("utf-8").splitlines()
    assert len(lines) == 2 * found["facts"] > 0
    assert run([*arguments, "--constants"]) == 0
    constants = json.loads(capsys.readouterr().out)["constants"]
    assert len(constants) == 8
    arguments[arguments.index("--reader") + 1] = "answerer"
    arguments[arguments.index("--limit") + 1] = "1"
    assert run(["--set", f"models.answerer={weights('tiny-answerer')}", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["facts"] == 1
