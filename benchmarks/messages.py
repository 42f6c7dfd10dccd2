"""Vectors of follow-ups on closed collections of conversations: nearest passages alone.

    python -m benchmarks.messages COLLECTION … [--export DIR] [--passages minilm-3]

COLLECTION are folders in BEIR's layout whose `queries.jsonl` has `history`, and `resolved` where
people rewrote the questions. Each passage has one vector of MiniLM, or of another embedder of
its space (title and text); each judged message that something was said before is searched for by

raw            MiniLM's vector of the message as it was typed
leaning        the same, with half of the last answer's vector added: the rules' way
untrained      the encoder of messages without its adapter: MiniLM reads the conversation
conversation   the encoder of messages: the shipped one, or what a run exported (`--export`)
human          MiniLM's vector of the question as a person rewrote it: headroom, never an input

Prints nDCG@10 over all passages, and (−) without those that the conversation has shown; p of the
paired randomisation test of each against `leaning`, uncorrected; and the processor time of a
message, over that of MiniLM for the message alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant.distillation.message_encoder import MessageEncoder
from assistant.distillation.students import load_model, load_tokenizer
from assistant.models.shipped import CONVERSATION, shipped
from assistant.models.store import ModelStore
from assistant.settings import default_home
from assistant.understanding.types import last_answer
from benchmarks.encoding import timed
from eval.collections import read_rows
from eval.ikat.conversations import ClosedTurn, load_conversations
from eval.measures import by_query
from eval.significance import paired_randomisation
from indexes.encoders import FloatArray
from indexes.encoders.dense import SentenceTransformerEncoder
from indexes.queries import Query
from indexes.ranker import query_vectors

MEASURE = "nDCG@10"
AGAINST = "leaning"
LEANING = 0.5
_KEPT = 100  # passages of a ranking

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages with their vectors (P, D)."""

    ids: list[str]
    texts: list[str]
    vectors: FloatArray


@dataclass(frozen=True, slots=True)
class Measured:
    """One way: its values by turn, with shown passages and without, and its processor seconds."""

    shown_in: Values
    shown_out: Values
    seconds: float


def measured(
    corpus: Corpus,
    turns: Sequence[ClosedTurn],
    qrels: Mapping[str, Mapping[str, int]],
    encode: Callable[[ClosedTurn], FloatArray],
) -> Measured:
    """Rank all passages for every turn."""
    run: dict[str, dict[str, float]] = {}
    unshown: dict[str, dict[str, float]] = {}
    spent = 0.0
    for turn in turns:
        vector, _, seconds = timed(partial(encode, turn))
        spent += seconds
        scores = corpus.vectors @ vector
        said = {text.strip() for text in turn.said}
        order = np.argsort(-scores, kind="stable").tolist()
        run[turn.id] = {corpus.ids[p]: float(scores[p]) for p in order[:_KEPT]}
        new = [place for place in order if corpus.texts[place] not in said][:_KEPT]
        unshown[turn.id] = {corpus.ids[p]: float(scores[p]) for p in new}
    judged = {turn.id: qrels[turn.id] for turn in turns}
    values = [by_query(one, judged, [MEASURE])[MEASURE] for one in (run, unshown)]
    return Measured(values[0], values[1], spent / len(turns))


def table(name: str, found: Mapping[str, Measured]) -> str:
    """A collection's rows as Markdown."""
    raw, leaning = found["raw"], found[AGAINST]
    turns = list(raw.shown_in)
    lines = [
        f"\n{name}: {len(turns)} follow-ups\n",
        f"| vector | {MEASURE} | p | {MEASURE} − | p | time |",
        "|---|---|---|---|---|---|",
    ]
    for way, one in found.items():
        cells = [way]
        for ours, theirs in ((one.shown_in, leaning.shown_in), (one.shown_out, leaning.shown_out)):
            values = [ours[turn] for turn in turns]
            p = paired_randomisation(values, [theirs[turn] for turn in turns])
            cells += [f"{np.mean(values):.3f}", "" if way == AGAINST else f"{p:.4f}"]
        lines.append("| " + " | ".join([*cells, f"{one.seconds / raw.seconds:.1f}"]) + " |")
    return "\n".join(lines)


def _ways(
    encoder: SentenceTransformerEncoder, trained: MessageEncoder, untrained: MessageEncoder
) -> dict[str, Callable[[ClosedTurn], FloatArray]]:
    def leaning(turn: ClosedTurn) -> FloatArray:
        context = last_answer(turn.history)
        query = Query(turn.text, context=context, context_weight=LEANING)
        vectors: FloatArray = query_vectors([query], encoder)
        found: FloatArray = vectors[0]
        return found

    return {
        "raw": lambda turn: encoder.encode([turn.text])[0],
        "leaning": leaning,
        "untrained": lambda turn: untrained.encode(turn.text, turn.history),
        "conversation": lambda turn: trained.encode(turn.text, turn.history),
        "human": lambda turn: encoder.encode([turn.resolved or turn.text])[0],
    }


def main(
    collections: Annotated[list[Path], typer.Argument(help="folders in BEIR's layout")],
    export: Annotated[Path | None, typer.Option(help="what a run exported")] = None,
    models: Annotated[Path | None, typer.Option(help="where models are")] = None,
    only: Annotated[str, typer.Option(help="turns whose id begins so")] = "",
    passages: Annotated[str, typer.Option(help="what encodes the passages")] = "minilm",
) -> None:
    """Print a table for each collection."""
    report: Callable[[str], None] = print
    store = ModelStore(models or default_home() / "models")
    base = store.path("minilm")
    encode_passages = SentenceTransformerEncoder(store.path(passages), device="cpu").encode
    encoder = SentenceTransformerEncoder(base, device="cpu")
    trained = MessageEncoder.load(export or shipped(CONVERSATION), base=base)
    plain = load_model(base, "conversation"), load_tokenizer(base)
    untrained = MessageEncoder(*plain, space=encoder.fingerprint)
    for folder in collections:
        collection, turns = load_conversations(folder, only=only)
        rows = list(read_rows(folder / "corpus.jsonl", ("_id", "text")))
        texts = [f"{row.get('title', '')} {row['text']}".strip() for row in rows]
        corpus = Corpus(
            [str(row["_id"]) for row in rows],
            [str(row["text"]).strip() for row in rows],
            encode_passages(texts),
        )
        ways = _ways(encoder, trained, untrained)
        if not any(turn.resolved for turn in turns):
            del ways["human"]
        found = {
            way: measured(corpus, turns, collection.qrels, encode) for way, encode in ways.items()
        }
        report(table(collection.name, found))


if __name__ == "__main__":
    typer.run(main)
