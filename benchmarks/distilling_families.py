"""What `benchmarks.distilling` compares: families of recipes that differ in one part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.distilling_pairs import write_candidates
from benchmarks.distilling_reader import write_answerable, write_peer, write_reader
from benchmarks.distilling_words import write_words

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Data:
    """JSON lines to train on, to measure on, and a folder for what is made on the way."""

    train: Path
    held_out: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Budget:
    """What every run of a table has: its steps, and what it multiplies in (`loop.precision`)."""

    steps: int
    precision: str = "auto"

    def __str__(self) -> str:
        where = "" if self.precision == "auto" else f" in {self.precision}"
        return f"{self.steps} steps{where}"


@dataclass(frozen=True, slots=True)
class Family:
    """Variants of one recipe; the first is the plain loss that the others are compared with.

    Attributes:
        about: student, teacher and what is measured, for the table's heading.
        measure: a name of the run's evaluation.json.
        base: the recipe without its variant.
        variants: by name, sections that are replaced; `teacher` and `loop` are changed key by
            key. Several generations share the steps.
        prepare: makes the files that the recipes name beside the data.
    """

    about: str
    measure: str
    base: Callable[[Data], Values]
    variants: Mapping[str, Values]
    prepare: Callable[[Data], None] = lambda _: None

    def recipe(self, variant: str, data: Data, budget: Budget, seed: int) -> Values:
        """The recipe of a variant, as plain data."""
        made = self.base(data)
        changes = dict(self.variants[variant])
        loop, teacher = ({**made[s], **changes.pop(s, {})} for s in ("loop", "teacher"))
        each = max(1, budget.steps // loop.get("generations", 1))
        every = {"steps": each, "seed": seed, "log_every": each, "checkpoint_every": each}
        return {
            **made,
            **changes,
            "name": "compared",
            "teacher": teacher,
            "loop": {**loop, **every, "precision": budget.precision},
        }


def losses(*names: str, **weights: float) -> list[Values]:
    """Losses at their defaults; `universal_logit=1.5` gives one a weight."""
    given = {name.replace("_", "-"): weight for name, weight in weights.items()}
    return [{"name": n, **({"weight": given[n]} if n in given else {})} for n in names]


def _embed(data: Data) -> Values:
    source = {"source": "texts", "sentences": 0, "title": False}
    return {
        "task": {"name": "embed", "max_length": 64},
        "student": {
            "model": "minilm",
            "layers": [0, 4, 5],
            "frozen": ["*word_embeddings*"],
            "dropout": 0.0,
        },
        "teacher": {"kind": "model", "path": "minilm"},
        "data": [{**source, "path": str(data.train)}],
        "held_out": [{**source, "path": str(data.held_out), "limit": 300}],
        "loop": {"batch_size": 16, "learning_rate": 3e-4, "warmup": 0.1},
    }


_PEER_SEED, _PEER_STEPS = 99, 100  # its seed is none of the comparison's


def _span_files(data: Data) -> tuple[Path, Path, Path, Path]:
    """The reader, its peer, and answerable questions to train and to measure on."""
    names = "reader", "peer", "answerable-train.jsonl", "answerable-held-out.jsonl"
    reader, peer, train, held_out = (data.folder / name for name in names)
    return reader, peer, train, held_out


def _prepare_span(data: Data) -> None:
    reader, peer, train, held_out = _span_files(data)
    write_reader(reader)
    write_answerable(data.train, train)
    write_answerable(data.held_out, held_out)
    plain = FAMILIES["span"].recipe("cross-entropy", data, Budget(_PEER_STEPS), _PEER_SEED)
    write_peer(plain, peer)


def _span(data: Data) -> Values:
    reader, peer, train, held_out = map(str, _span_files(data))
    source = {"source": "squad", "title": False}
    return {
        "task": {"name": "span", "max_length": 256, "stride": 64},
        "student": {
            "model": reader,
            "layers": [0, 4, 5],
            "frozen": ["*word_embeddings*"],
            "dropout": 0.0,
        },
        "teacher": {"kind": "model", "path": reader, "paths": [reader, peer]},
        "data": [{**source, "path": train}],
        "held_out": [{**source, "path": held_out, "limit": 300}],
        "loop": {"batch_size": 8, "learning_rate": 3e-4, "warmup": 0.1},
    }


def _pair_files(data: Data) -> tuple[Path, Path, Path]:
    """The reranker, and candidates to train and to measure on."""
    names = "reranker", "candidates-train.jsonl", "candidates-held-out.jsonl"
    reranker, train, held_out = (data.folder / name for name in names)
    return reranker, train, held_out


def _pair(data: Data) -> Values:
    reranker, train, held_out = map(str, _pair_files(data))
    return {
        "task": {"name": "pair", "max_length": 192},
        "student": {
            "model": reranker,
            "layers": [0, 1, 2],  # which have a score: a head on others learns nothing so soon
            "frozen": ["*word_embeddings*"],
            "dropout": 0.0,
        },
        "teacher": {"kind": "data"},
        "data": [{"source": "ranking", "path": train}],
        "held_out": [{"source": "ranking", "path": held_out, "together": True}],
        "loop": {"batch_size": 4, "learning_rate": 2e-4, "warmup": 0.1},
    }


def _causal(data: Data) -> Values:
    source = {"source": "wording"}
    return {
        "task": {"name": "causal", "max_length": 256},
        "student": {
            "model": str(data.folder / "words-base"),
            "adapter": {"rank": 8, "alpha": 16},
        },
        "teacher": {"kind": "model", "path": str(data.folder / "words-teacher")},
        "data": [{**source, "path": str(data.folder / "words-train.jsonl")}],
        "held_out": [{**source, "path": str(data.folder / "words-held-out.jsonl")}],
        "loop": {"batch_size": 4, "learning_rate": 2e-4, "warmup": 0.1},
    }


def _beside(name: str, **sections: Any) -> Values:
    """A loss that needs the teacher, beside the right answers."""
    return {"losses": losses("cross-entropy", name), **sections}


_ALONE = {"kind": "none"}
_PLAIN = {"losses": losses("cross-entropy"), "teacher": _ALONE}
_MOMENTUM = {"kind": "momentum", "decay": 0.9}
_TUNE = {"part": "adapter", "targets": ["query", "value"]}
_TUNED = {"part": "adapter", "targets": ["q_proj", "v_proj"]}
_EMA = {"average": {"kind": "ema", "decay": 0.9}}
_WRITES = {"sampling": {"kind": "on-policy", "max_tokens": 24}}

FAMILIES: Mapping[str, Family] = {
    "embed": Family(
        "three layers of MiniLM learn MiniLM's vectors, MRR@10",
        "mrr",
        _embed,
        {
            "cosine": {"losses": losses("cosine")},
            "+ rkd-distance": {"losses": losses("cosine", "rkd-distance")},
            "+ rkd-angle": {"losses": losses("cosine", "rkd-angle")},
            "+ forward-kl": {"losses": losses("cosine", "forward-kl")},
            "+ universal-logit": {
                "losses": losses("cosine", "universal-logit", universal_logit=1.5)
            },
            "+ wasserstein": {"losses": losses("cosine", "wasserstein")},
            "+ wasserstein-global": {"losses": losses("cosine", "wasserstein-global")},
            "+ token-gram": {"losses": losses("cosine", "token-gram")},
            "+ matryoshka": {"losses": losses("cosine", "matryoshka")},
            "+ forward-kl, teacher: adapter tuned": {
                "losses": losses("cosine", "forward-kl"),
                "teacher": {"tune": _TUNE},
            },
            "+ average: ema": {"losses": losses("cosine"), "loop": _EMA},
        },
    ),
    "embed-alone": Family(
        "three layers of MiniLM learn from pairs without a teacher, MRR@10",
        "mrr",
        _embed,
        {
            "cross-entropy": _PLAIN,
            "+ forward-kl, teacher: momentum": _beside("forward-kl", teacher=_MOMENTUM),
            "+ average: ema": {**_PLAIN, "loop": _EMA},
        },
    ),
    "span": Family(
        "three layers of the reader find its answers again, F1 over answerable questions",
        "forced_f1",
        _span,
        {
            "cross-entropy": _PLAIN,
            "+ forward-kl": _beside("forward-kl"),
            "+ reverse-kl": _beside("reverse-kl"),
            "+ jsd": _beside("jsd"),
            "+ skew-forward-kl": _beside("skew-forward-kl"),
            "+ skew-reverse-kl": _beside("skew-reverse-kl"),
            "+ easy-hard": _beside("easy-hard"),
            "+ token-difficulty": _beside("token-difficulty"),
            "+ universal-logit": {
                "losses": losses("cross-entropy", "universal-logit", universal_logit=1.5)
            },
            "+ forward-kl, teacher: adapter tuned": _beside("forward-kl", teacher={"tune": _TUNE}),
            "+ forward-kl, teacher: classroom": _beside(
                "forward-kl", teacher={"kind": "classroom"}
            ),
            "+ forward-kl, half by disagreement": _beside(
                "forward-kl", curriculum={"order": "disagreement", "share": 0.5}
            ),
            "+ forward-kl, domains weighed": _beside(
                "forward-kl", curriculum={"domains": {"every": 50, "sample": 16}}
            ),
            "+ forward-kl, teacher: momentum": _beside("forward-kl", teacher=_MOMENTUM),
            "+ forward-kl, two generations": _beside(
                "forward-kl", teacher=_ALONE, loop={"generations": 2}
            ),
            "+ average: ema": {**_PLAIN, "loop": _EMA},
        },
        _prepare_span,
    ),
    "pair": Family(
        "half of the reranker learns the scores of the whole, MRR@10 of a search's first ten",
        "mrr_after",
        _pair,
        {
            "cross-entropy": _PLAIN,
            "+ margin-mse": _beside("margin-mse"),
            "+ forward-kl": _beside("forward-kl"),
            "+ jsd": _beside("jsd"),
            "margin-mse alone": {"losses": losses("margin-mse")},
        },
        lambda data: write_candidates(data.train, data.held_out, *_pair_files(data)),
    ),
    "causal": Family(
        "an adapter for SmolLM2-135M learns to word answers as the shipped one, loss a token",
        "loss",
        _causal,
        {
            "cross-entropy": _PLAIN,
            "+ forward-kl": _beside("forward-kl"),
            "+ reverse-kl": _beside("reverse-kl"),
            "+ universal-logit": {
                "losses": losses("cross-entropy", "universal-logit", universal_logit=1.5)
            },
            "+ forward-kl, teacher: adapter tuned": _beside("forward-kl", teacher={"tune": _TUNED}),
            "reverse-kl, student writes": {"losses": losses("reverse-kl"), **_WRITES},
            "reverse-kl, student writes, teacher: prompt tuned": {
                "losses": losses("reverse-kl"),
                "teacher": {"tune": {"part": "prompt", "length": 4}},
                **_WRITES,
            },
            "policy-gradient, student writes": {"losses": losses("policy-gradient"), **_WRITES},
        },
        lambda data: write_words(data.train, data.held_out, data.folder),
    ),
}
