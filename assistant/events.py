"""The events of a turn: the one stream that page, command line, evaluation and replay read.

`Assistant.ask` yields these frozen dataclasses in order. Each can be written as one JSON line
(`to_json`) and read back (`from_json`); a stored answer is the list of its events. An event
carries everything a reader needs to show it, passages' text included, so that an old answer can
be shown after its documents have changed.
"""

from __future__ import annotations

import dataclasses
import json
import types
from dataclasses import dataclass, field
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

from assistant.errors import KnowledgeAssistantError, UsageError
from assistant.options import AS_SET, TurnOptions
from assistant.thoughts.changes import Batch
from indexes.filters import EVERYTHING, Filter

SentenceStatus = Literal["supported", "unsupported", "dropped"]
# "assistant" is the assistant itself: a reply that no document was asked for.
ReaderKind = Literal["answerer", "small", "remote", "extractive", "assistant"]


@dataclass(frozen=True, slots=True)
class StageScore:
    """Where one retrieval stage ranked a passage (rank counts from 1) and with which score."""

    stage: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class PreparedEntry:
    """A prepared question with its answer, or a statement, that a passage was found through.

    `question` and `answer` are empty for a statement, which is `text`. `score` in [0, 1] says how
    well it fits what was asked; `tier` is "generated" or "approved".
    """

    entry_id: str
    text: str
    question: str
    answer: str
    tier: str
    score: float


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage as it was when it was found. `number` is what citations [n] refer to."""

    number: int
    passage_id: str
    document_id: str
    title: str
    uri: str
    text: str
    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]
    score: float
    stages: tuple[StageScore, ...]
    # Each query's part of the score, in the order of `QueriesWritten.queries`.
    shares: tuple[float, ...] = ()
    prepared: tuple[PreparedEntry, ...] = ()
    # Of a file that was attached to the conversation, not of the index.
    attached: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """A claim that passage `number` supports a sentence.

    `start`/`end` are character offsets of the supporting sentence in the *document*;
    `support` is in [0, 1]; `by_model` is False where the citation was added by the check.
    """

    number: int
    passage_id: str
    start: int
    end: int
    quote: str
    support: float
    by_model: bool


@dataclass(frozen=True, slots=True)
class TurnStarted:
    turn_id: str
    conversation_id: str
    question: str
    index: str
    at: str  # ISO 8601, UTC
    where: Filter = EVERYTHING  # which documents are asked; empty: all
    options: TurnOptions = AS_SET  # what the person chose in place of the settings
    version_of: str = ""  # the turn that this one was asked in place of
    without_facts: tuple[str, ...] = ()  # ids of facts that the person took away for this question


@dataclass(frozen=True, slots=True)
class QueriesWritten:
    """How the message was understood and what is searched for.

    `aspects` say what each query stands for ("question", "as asked", "part", "likely answer",
    "person"), `weights` its share of the fusion. `carried` are the words taken over from earlier
    messages; `way` is what understood it ("rules", "distilled", "small", "model", or "person" where
    they wrote it themselves), `fallback` why the model's output was not used.
    """

    standalone: str
    queries: tuple[str, ...]
    carried: tuple[str, ...]
    reason: str
    aspects: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    act: str = "question"
    way: str = "rules"
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class UsedStatement:
    """One of the person's statements; `score` is the similarity that it was chosen by."""

    statement_id: str
    text: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class StatementsChosen:
    """What is known of the person and matters here, of `considered` statements; often nothing.

    `used_in` names what they enter: "query", "ranking", "answer". `left_out` are ids of statements
    that the person switched off for this question.
    """

    statements: tuple[UsedStatement, ...]
    considered: int
    used_in: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """Best first. `stages` names the retrievers that took part ("lexical", "dense", "sparse");
    `missing_stages` those that are not encoded yet.

    Where thinking changes what is read, a second one follows with `after` = "thinking"; it counts.
    """

    passages: tuple[FoundPassage, ...]
    stages: tuple[str, ...]
    missing_stages: tuple[str, ...]
    seconds: float
    after: str = "retrieval"


@dataclass(frozen=True, slots=True)
class PassagesRanked:
    """The ranking below what is read, for evaluation: ids and fused scores, best first."""

    passage_ids: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EvidenceSelected:
    """The passages' sentences that the reader is shown, and how many were left out for length."""

    passage_ids: tuple[str, ...]
    sentences: int
    omitted: int
    tokens: int


@dataclass(frozen=True, slots=True)
class StepDecided:
    """A decision of the pipeline, with its reason in words."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class GraphChanged:
    """The graph of thoughts of this question changed; all of them together are its log."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class ThinkingDone:
    """What came of thinking, and what it cost.

    `support` are ids of the facts that settle the question's slots, `missing` the slots that stayed
    open, in words; `searched` the queries beyond the question's own. `calls` and `tokens` are a
    model's while thinking, without the answer.
    """

    effort: str
    kind: str
    rounds: int
    calls: int
    tokens: int
    seconds: float
    support: tuple[str, ...]
    missing: tuple[str, ...]
    searched: tuple[str, ...]
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """The next piece of the answer as the reader writes it, before the check."""

    text: str


@dataclass(frozen=True, slots=True)
class SentenceChecked:
    """A finished sentence with its citations; `text` has no citation marks.

    `original` is what was checked, where `text` is its translation.
    """

    position: int
    text: str
    status: SentenceStatus
    support: float
    citations: tuple[Citation, ...]
    original: str = ""


@dataclass(frozen=True, slots=True)
class AnswerDone:
    """The end of a turn that went well.

    `text` is the checked answer with its citation marks [n]. When `abstained`, `text` says so,
    `missing` names what the documents do not say, `closest` are numbers of passages near it.
    `quoted` is True where the sentences are the documents' own words. `seconds` is by step.
    """

    text: str
    sentences: tuple[SentenceChecked, ...]
    reader: ReaderKind
    quoted: bool
    abstained: bool
    missing: str
    closest: tuple[int, ...]
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TurnStopped:
    """The person stopped the answer; `text` is what had been written."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn ended with an error, in words; `exit_status` is the command line's."""

    message: str
    remedy: str
    exit_status: int = 1


Event = Union[  # noqa: UP007 - evaluated at run time to build the registry
    TurnStarted,
    QueriesWritten,
    StatementsChosen,
    PassagesFound,
    PassagesRanked,
    EvidenceSelected,
    StepDecided,
    GraphChanged,
    ThinkingDone,
    Token,
    SentenceChecked,
    AnswerDone,
    TurnStopped,
    TurnFailed,
]

_BATCH = TypeAdapter(Batch)
_TYPES: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}


def found_by(
    passage: FoundPassage, written: QueriesWritten | None, *, beyond: str = "person"
) -> str:
    """What the query stands for that gave the passage the most of its score.

    Empty where that was not recorded.

    Args:
        beyond: what a query after those written stands for: the person's statements, or thinking.
    """
    if written is None or not written.aspects or not passage.shares:
        return ""
    best = max(range(len(passage.shares)), key=passage.shares.__getitem__)
    return written.aspects[best] if best < len(written.aspects) else beyond


def to_dict(event: Event) -> dict[str, Any]:
    """The event as plain values, its kind under "event"."""
    return {"event": type(event).__name__, **dataclasses.asdict(event)}


def to_json(event: Event) -> str:
    """The event as one line of JSON."""
    return json.dumps(to_dict(event), ensure_ascii=False)


def from_json(line: str) -> Event:
    """Read back what `to_json` wrote.

    Raises:
        UsageError: not JSON, an unknown kind, or fields that do not fit.
    """
    try:
        values = json.loads(line)
        kind = _TYPES[values.pop("event")]
        event: Event = _build(kind, values)
    except (ValueError, KeyError, TypeError, AttributeError, KnowledgeAssistantError) as error:
        raise UsageError(f"not an event: {line[:80]!r}") from error
    return event


def _build(kind: type[Any], values: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    names = {f.name for f in dataclasses.fields(kind)}
    if unknown := set(values) - names:
        raise TypeError(f"{kind.__name__} has no {sorted(unknown)}")
    return kind(**{name: _restore(hints[name], value) for name, value in values.items()})


def _restore(hint: Any, value: Any) -> Any:
    """JSON has lists and objects only; turn them back into tuples and dataclasses."""
    if value is None:
        return None
    if get_origin(hint) is tuple:
        return tuple(_restore(get_args(hint)[0], item) for item in value)
    if hint is Batch:
        return _BATCH.validate_python(value)
    if get_origin(hint) in (Union, types.UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not types.NoneType)
        return _restore(inner, value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value)
    return value
