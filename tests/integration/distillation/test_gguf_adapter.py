"""An adapter trained in torch gives the same next words in the GGUF runtime."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from assistant.distillation.gguf_adapter import write_gguf_adapter
from assistant.distillation.recipe_models import Adapter, Student
from assistant.distillation.students import converted, load_model, load_tokenizer, shaped
from tests.conftest import weights

pytestmark = pytest.mark.integration

PROMPTS = ("The capital of France is", "Water boils at a temperature of")


def top_logprobs(server, prompt: str, count: int) -> dict[int, float]:
    answer = server.handle_completions(
        {"prompt": prompt, "max_tokens": 1, "logprobs": count, "temperature": 0}
    )
    [first] = answer["choices"][0]["logprobs"]["content"]
    return {entry["id"]: entry["logprob"] for entry in first["top_logprobs"]}


def start(file: Path, adapter: Path | None):
    xllamacpp = pytest.importorskip("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(file)
    parameters.n_ctx = 256
    parameters.verbosity = -1
    if adapter is not None:
        info = xllamacpp.CommonAdapterLoraInfo()
        info.path = str(adapter)
        info.scale = 1.0
        parameters.lora_adapters = [info]
    return xllamacpp.Server(parameters)


def distance(ours: torch.Tensor, theirs: dict[int, float]) -> float:
    """KL over the runtime's likeliest tokens."""
    return sum(math.exp(p) * (p - float(ours[token])) for token, p in theirs.items())


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> tuple[Path, Path]:
    """The GGUF file, and the same weights for torch."""
    pytest.importorskip("gguf")
    file = weights("smollm2-135m")
    file = next(file.glob("*.gguf")) if file.is_dir() else file
    return file, converted(file, tmp_path_factory.mktemp("converted"))


@pytest.mark.parametrize(
    ("targets", "scale"),
    [
        (Adapter().targets, 0.15),
        (("q_proj", "k_proj"), 0.6),  # the ones whose rows have another order in GGUF
    ],
)
def test_gguf_adapter_equals_torch(tmp_path: Path, base, targets, scale: float) -> None:
    file, folder = base
    tokenizer = load_tokenizer(folder)
    torch.manual_seed(0)
    adapter = Adapter(rank=8, alpha=16, targets=targets)
    model = shaped(load_model(folder, "causal"), Student(model=str(folder), adapter=adapter)).eval()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zero at first: an adapter that changes nothing would prove nothing
            torch.nn.init.normal_(parameter, std=scale)
    model.save_pretrained(tmp_path / "adapter")
    written = write_gguf_adapter(
        tmp_path / "adapter", model.get_base_model().config, tmp_path / "adapter.gguf"
    )

    def torch_logprobs() -> list[torch.Tensor]:
        with torch.no_grad():
            return [
                model(**tokenizer(prompt, return_tensors="pt")).logits[0, -1].log_softmax(-1)
                for prompt in PROMPTS
            ]

    adapted = torch_logprobs()
    with model.disable_adapter():
        plain = torch_logprobs()
    server = start(file, written)
    for prompt, ours, other in zip(PROMPTS, adapted, plain, strict=True):
        theirs = top_logprobs(server, prompt, 200)
        near, far = distance(ours, theirs), distance(other, theirs)
        assert far > 0.3, "the adapter does too little to prove anything"
        assert near < 0.05, (prompt, near, far)
