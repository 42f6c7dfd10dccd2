"""How fast weights run on this machine: measured on request, the latest kept with its date.

Encoders and the parser: passages of about a hundred words a second. Models that write: seconds to
the first token after a prompt of a few hundred tokens, and tokens a second from there on. What the
machine does besides slows both, so a figure is one of this moment.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.models.shipped import SMALL_EMBEDDER
from assistant.models.store import ModelStore
from assistant.models.threads import threads_for
from assistant.settings import ModelSettings
from indexes.files import storage_errors, write_atomically
from indexes.progress import OnProgress, Progress

FILE = "models-speed.json"
_SECONDS = 6.0  # of measuring
_BATCH = 16
_TOKENS = 64
_CONTEXT = 2048
_SENTENCES = (
    "The harbour of the town was dug by hand in the spring of that year and has silted up since.",
    "Every second boat brings salt, rope and glass, and takes wool and dried fish in return.",
    "A clerk keeps the list of arrivals, writes down the draught and counts the barrels.",
    "In winter the ice reaches the lower quay, and carts are driven over it to the island.",
    "What the storm of 1838 broke was built anew in granite, two feet higher than before.",
    "The pilot lives in the white house above the slip and is called by a bell.",
)
_QUESTION = "Tell in your own words and at some length what happens in this harbour over a year."


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured. `at` is ISO 8601, UTC; what does not apply is None.

    Attributes:
        passages_per_second: of encoders and the parser.
        first_token: seconds from the call to the first token, the weights being loaded.
        prompt_tokens: how long the prompt was before it.
        tokens_per_second: after the first token.
        load_seconds: until the weights were ready.
        threads: CPU threads that were allowed.
    """

    name: str
    role: str
    at: str
    threads: int
    load_seconds: float
    passages_per_second: float | None = None
    first_token: float | None = None
    prompt_tokens: int | None = None
    tokens_per_second: float | None = None


def measurable(store: ModelStore) -> list[str]:
    """Names of the installed weights, and of the embedder that comes with the program."""
    names = [status.name for status in store.status() if status.state == "installed"]
    return [*names, SMALL_EMBEDDER] if "minilm" in names else names


def measure(
    store: ModelStore,
    settings: ModelSettings,
    name: str,
    *,
    seconds: float | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> Speed:
    """Load weights anew and measure them for about `seconds` (6 by default).

    Raises:
        ModelMissingError, ModelCorruptError, UnknownNameError: as `ModelStore.path`.
        ModelRuntimeError: what runs them is not installed.
        UsageError: the role has nothing to measure.
    """
    seconds = _SECONDS if seconds is None else seconds
    role = role_of(store, name)
    path = store.path(name)
    if settings.threads and role in ("embedder", "sparse"):
        import torch

        torch.set_num_threads(settings.threads)
    began = time.monotonic()
    tell = _telling(name, seconds, on_progress)
    if role in ("answerer", "tiny-answerer"):
        values = _writing(path, settings, began, seconds, tell)
    else:
        encode = _encoding(role, path, settings)
        encode(_passages(0, 2))  # the first call sets things up
        values = {"load_seconds": time.monotonic() - began}
        values["passages_per_second"] = _rate(encode, seconds, tell)
    rounded = {key: round(value, 3) for key, value in values.items()}
    return Speed(
        name=name,
        role=role,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        threads=threads_for(settings.threads),
        **rounded,  # type: ignore[arg-type]
    )


def role_of(store: ModelStore, name: str) -> str:
    """The role of weights by their name.

    Raises:
        UsageError: they are not in the list of models.
    """
    if name == SMALL_EMBEDDER:
        return "embedder"
    for status in store.status():
        if status.name == name:
            return status.role
    raise UsageError(f"'{name}' is not in the list of models", remedy="assistant models list")


def speeds(home: Path) -> dict[str, Speed]:
    """What was measured last, by name; a damaged file counts as empty."""
    try:
        rows = json.loads((home / FILE).read_text(encoding="utf-8"))
        return {row["name"]: Speed(**row) for row in rows}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def keep_speed(home: Path, speed: Speed) -> None:
    """Keep a measurement in place of the one before.

    Raises:
        StorageError: the disk is full or not writable.
    """
    kept = {**speeds(home), speed.name: speed}
    data = json.dumps([dataclasses.asdict(one) for one in kept.values()], indent=1)
    with storage_errors(home):
        write_atomically(home / FILE, data.encode())


Tell = Callable[[float], None]


def _telling(name: str, seconds: float, on_progress: OnProgress) -> Tell:
    def tell(spent: float) -> None:
        total = max(1, round(seconds))
        done = min(total, int(spent))
        on_progress(Progress(f"measure {name}", done, total, "seconds", 0.0))

    tell(0.0)
    return tell


def _passages(start: int, count: int) -> list[str]:
    """Texts of about a hundred words, no two alike, so that no cache can help."""
    size = len(_SENTENCES)
    return [
        f"{number}. " + " ".join(_SENTENCES[(number + place) % size] for place in range(size))
        for number in range(start, start + count)
    ]


def _rate(encode: Callable[[Sequence[str]], Any], seconds: float, tell: Tell) -> float:
    done, began = 0, time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        encode(_passages(100 + done, _BATCH))
        done += _BATCH
        tell(time.monotonic() - began)
    return done / max(spent, time.monotonic() - began, 1e-9)


def _encoding(role: str, path: Path, settings: ModelSettings) -> Callable[[Sequence[str]], Any]:
    if role == "embedder":
        from indexes.encoders.dense import SentenceTransformerEncoder

        return SentenceTransformerEncoder(path, backend=settings.backend, int8=settings.int8).encode
    if role == "sparse":
        from indexes.encoders.sparse import SpladeEncoder

        return SpladeEncoder(path).encode
    if role == "parser":
        from assistant.understanding.parser import load_parser

        parser = load_parser(path, all_cores=True)
        return lambda texts: list(parser.pipe(texts))
    raise UsageError(f"there is nothing to measure of the role '{role}'")


def _writing(
    path: Path, settings: ModelSettings, began: float, seconds: float, tell: Tell
) -> Mapping[str, float]:
    from langchain_core.messages import HumanMessage

    from assistant.models.gguf import GGUFChat

    model = GGUFChat(model_path=str(path), n_ctx=_CONTEXT, n_threads=settings.threads)
    model.invoke([HumanMessage("Say yes.")], max_tokens=1)
    loaded = time.monotonic() - began
    # Another beginning than any prompt before: what was read once is not read again.
    text = f"{time.time_ns()} " + " ".join(_passages(0, 3)) + f"\n\n{_QUESTION}"
    start = time.monotonic()
    first = last = 0.0
    usage: Mapping[str, Any] = {}
    pieces = 0
    for chunk in model.stream([HumanMessage(text)], max_tokens=_TOKENS, temperature=0.0):
        if chunk.text:
            last = time.monotonic()
            first = first or last
            pieces += 1
            tell(last - first)
            if last - first > seconds:
                break  # a slow machine: what was written until here is enough to tell
        usage = getattr(chunk, "usage_metadata", None) or usage
    # Each piece is a token but for letters of several; the runtime's own count comes at the end.
    written = int(usage.get("output_tokens", pieces))
    spent = last - first
    return {
        "load_seconds": loaded,
        "first_token": first - start if first else 0.0,
        **({"prompt_tokens": int(usage["input_tokens"])} if "input_tokens" in usage else {}),
        "tokens_per_second": (written - 1) / spent if spent > 0 else 0.0,
    }
