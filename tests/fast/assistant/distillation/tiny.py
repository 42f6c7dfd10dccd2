"""Models and data small enough that a whole run takes a second: real parts, random weights."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from assistant.distillation.loop import Step
from assistant.distillation.run import run_recipe
from assistant.distillation.run_folder import RunFolder
from assistant.distillation.terms import LossInput

NAMES = ["mara", "tom", "ada", "joss", "lena", "piet", "rosa", "karl"]
PLACES = ["harbour", "mill", "tower", "garden", "station", "bakery", "school", "bridge"]
WORDS = [*NAMES, *PLACES, "lives", "at", "the", "where", "does", "live", "who", ".", "?", "in", "a"]


def encoder(folder: Path, *, seed: int = 0) -> Path:
    """A BERT of two layers with a word piece vocabulary."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def decoder(folder: Path, *, seed: int = 0, layers: int = 2, letters: bool = False) -> Path:
    """A Llama of two layers, one token for each word, or for each letter."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    known = sorted(set("".join(WORDS))) if letters else WORDS
    vocabulary = ["<pad>", "<s>", "</s>", "<unk>", "\n", *known]
    raw = Tokenizer(models.WordLevel({w: i for i, w in enumerate(vocabulary)}, unk_token="<unk>"))
    if letters:
        raw.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    else:
        raw.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
    )
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=True,
    )
    folder.mkdir(parents=True, exist_ok=True)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def squad(file: Path, count: int = 40, *, seed: int = 0) -> Path:
    """Questions about two people and their places; every fourth has no answer."""
    draw = random.Random(seed)
    lines = []
    for number in range(count):
        (one, other, absent), places = draw.sample(NAMES, 3), draw.sample(PLACES, 2)
        passage = f"{one} lives at the {places[0]} . {other} lives at the {places[1]} ."
        answerable = number % 4 != 3
        lines.append(
            {
                "_id": f"q{seed}-{number}",
                "title": "",
                "passage": passage,
                "question": f"where does {one if answerable else absent} live ?",
                "answers": [places[0]] if answerable else [],
                "answerable": answerable,
            }
        )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def completions(file: Path, count: int = 40, *, seed: int = 0) -> Path:
    """The same as prompts with completions; two questions for each passage."""
    draw = random.Random(seed)
    lines = []
    for number in range(count // 2):
        people, places = draw.sample(NAMES, 2), draw.sample(PLACES, 2)
        pairs = list(zip(people, places, strict=True))
        prefix = " . ".join(f"{who} lives at the {place}" for who, place in pairs) + " . "
        for who, place in pairs:
            lines.append(
                {
                    "id": f"c{seed}-{number}-{who}",
                    "prefix": prefix,
                    "prompt": f"where does {who} live ? ",
                    "completion": f"at the {place} .",
                    "difficulty": number,
                }
            )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def span_recipe(folder: Path, **changes: Any) -> dict[str, Any]:
    """A span recipe over `encoder` and `squad`, made where they are missing."""
    if not (folder / "encoder").exists():
        encoder(folder / "encoder")
        squad(folder / "train.jsonl")
        squad(folder / "held.jsonl", 12, seed=1)
    recipe = {
        "name": "tiny",
        "task": {"name": "span", "max_length": 200, "stride": 16},
        "student": {"model": "./encoder"},
        "data": [{"source": "squad", "path": "train.jsonl"}],
        "held_out": [{"source": "squad", "path": "held.jsonl"}],
        "losses": [{"name": "cross-entropy"}],
        "loop": {
            "steps": 6,
            "batch_size": 8,
            "learning_rate": 0.003,
            "log_every": 1,
            "checkpoint_every": 3,
        },
    }
    return merged(recipe, changes)


def causal_recipe(folder: Path, **changes: Any) -> dict[str, Any]:
    """A causal recipe over `decoder` and `completions`, made where they are missing."""
    if not (folder / "decoder").exists():
        decoder(folder / "decoder")
        completions(folder / "train-c.jsonl")
        completions(folder / "held-c.jsonl", 8, seed=1)
    recipe = {
        "name": "tiny-causal",
        "task": "causal",
        "student": {"model": "./decoder"},
        "data": [{"source": "examples", "path": "train-c.jsonl"}],
        "held_out": [{"source": "examples", "path": "held-c.jsonl"}],
        "losses": [{"name": "cross-entropy"}],
        "loop": {
            "steps": 6,
            "batch_size": 4,
            "learning_rate": 0.003,
            "log_every": 1,
            "checkpoint_every": 3,
        },
    }
    return merged(recipe, changes)


def ranking(file: Path, count: int = 40, *, seed: int = 0) -> Path:
    """Queries with four candidates; the one about the harbour answers."""
    draw = random.Random(seed)
    lines = []
    for number in range(count):
        people, places = draw.sample(NAMES, 4), ["harbour", *draw.sample(PLACES[1:], 3)]
        texts = [f"{who} lives at the {at} ." for who, at in zip(people, places, strict=True)]
        lines.append(
            {
                "id": f"r{seed}-{number}",
                "query": f"where does {people[0]} live ?",
                "positive": texts[:1],
                "negatives": texts[1:],
                "scores": [1.2, 0.5, 0.3, 0.0],
                "fused": [draw.random() for _ in texts],
            }
        )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def pair_recipe(folder: Path, **changes: Any) -> dict[str, Any]:
    """A recipe of a cross-encoder with two exits, its data made where they are missing."""
    if not (folder / "encoder").exists():
        encoder(folder / "encoder")
        ranking(folder / "ranking.jsonl")
        ranking(folder / "held-r.jsonl", 10, seed=1)
    recipe = {
        "name": "tiny-pair",
        "task": {"name": "pair", "max_length": 120, "exits": [1, 2]},
        "student": {"model": "./encoder", "frozen": ["*word_embeddings*"]},
        "teacher": {"kind": "data"},
        "data": [{"source": "ranking", "path": "ranking.jsonl", "score_scale": 6}],
        "held_out": [{"source": "ranking", "path": "held-r.jsonl", "together": True}],
        "losses": [{"name": "cross-entropy"}, {"name": "forward-kl", "weight": 0.2}],
        "loop": {
            "steps": 6,
            "batch_size": 8,
            "learning_rate": 0.003,
            "log_every": 1,
            "checkpoint_every": 3,
        },
    }
    return merged(recipe, changes)


def embed_recipe(folder: Path, **changes: Any) -> dict[str, Any]:
    """A recipe that halves `encoder`, with its pairs of texts."""
    if not (folder / "encoder").exists():
        encoder(folder / "encoder")
        squad(folder / "train.jsonl")
        squad(folder / "held.jsonl", 12, seed=1)
    recipe = {
        "name": "tiny-embed",
        "task": {"name": "embed", "max_length": 64},
        "student": {"model": "./encoder", "layers": [1], "frozen": ["*word_embeddings*"]},
        "teacher": {"kind": "model", "path": "./encoder"},
        "data": [{"source": "texts", "path": "train.jsonl"}],
        "held_out": [{"source": "texts", "path": "held.jsonl", "sentences": 0}],
        "losses": [
            {"name": "cosine"},
            {"name": "rkd-distance"},
            {"name": "rkd-angle", "group": 5},
            {"name": "forward-kl"},
        ],
        "loop": {
            "steps": 6,
            "batch_size": 8,
            "learning_rate": 0.003,
            "log_every": 1,
            "checkpoint_every": 3,
        },
    }
    return merged(recipe, changes)


def conversations(file: Path, count: int = 40, *, seed: int = 0) -> Path:
    """Two statements and a question that means the place of the later one."""
    draw = random.Random(seed)
    lines = []
    for number in range(count):
        people, places = draw.sample(NAMES, 2), draw.sample(PLACES, 2)
        said = [f"{who} lives at the {at} ." for who, at in zip(people, places, strict=True)]
        lines.append(
            {
                "_id": f"v{seed}-{number}",
                "history": [
                    {"role": "user", "content": said[0]},
                    {"role": "assistant", "content": said[1]},
                ],
                "text": "who lives there ?",
                "resolved": f"who lives at the {places[1]} ?",
                "domain": f"d{number % 5}",
            }
        )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def tag_recipe(folder: Path, **changes: Any) -> dict[str, Any]:
    """A recipe of a tagger with an adapter over `encoder`, its data made where they are missing."""
    if not (folder / "encoder").exists():
        encoder(folder / "encoder")
        conversations(folder / "said.jsonl")
        conversations(folder / "held-v.jsonl", 10, seed=1)
    recipe = {
        "name": "tiny-tag",
        "task": {"name": "tag", "max_length": 120, "positive_weight": 2},
        "student": {
            "model": "./encoder",
            "adapter": {"rank": 8, "alpha": 16, "targets": ["query", "key", "value", "dense"]},
        },
        "data": [{"source": "conversations", "path": "said.jsonl"}],
        "held_out": [{"source": "conversations", "path": "held-v.jsonl"}],
        "losses": [{"name": "cross-entropy"}],
        "loop": {
            "steps": 6,
            "batch_size": 8,
            "learning_rate": 0.01,
            "log_every": 1,
            "checkpoint_every": 3,
        },
    }
    return merged(recipe, changes)


def vectors(student: Tensor, teacher: Tensor) -> LossInput:
    """Vectors of a student and a teacher, (S, …) each, with rows that say nothing."""
    count = len(student)
    return LossInput(
        logits=torch.zeros(count, 2),
        targets=torch.zeros(count, dtype=torch.int64),
        teacher=None,
        weights=torch.ones(count),
        sequences=torch.arange(count),
        sampled=torch.zeros(count, dtype=torch.bool),
        representations=student,
        teacher_representations=teacher,
    )


def merged(recipe: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`loop={"steps": 9}` changes one key of a section, other values replace it."""
    for key, value in changes.items():
        old = recipe.get(key)
        recipe[key] = (
            {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return recipe


def read(recipe: dict[str, Any], folder: Path) -> Any:
    """The recipe as if it stood in a file of that folder."""
    import yaml

    from assistant.distillation.recipe_file import read_recipe

    return read_recipe(yaml.safe_dump(recipe), folder)


def cut_and_gone_on_with(recipe: Any, folder: Path, *, at: int) -> tuple[RunFolder, RunFolder]:
    """A run that nothing interrupts, and one of the same recipe that ends at a step and resumes."""

    class StopError(Exception):
        pass

    def stop(generation: int, step: Step) -> None:
        if step.step == at:
            raise StopError

    whole = run_recipe(recipe, folder / "whole")
    with pytest.raises(StopError):
        run_recipe(recipe, folder / "cut", on_step=stop)
    return whole, run_recipe(recipe, folder / "cut", resume=True)
