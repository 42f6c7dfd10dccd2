"""The typed operations, as data: what they may contain, and from JSON to an operation.

A language model may only emit these. Nothing in them is executed: names are names, an expression
is read by `assistant.thoughts.calculate`, and everything is bounded in length.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Union

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from assistant.errors import GraphError, UnknownNameError
from assistant.thoughts.calculate import MAX_EXPRESSION
from assistant.thoughts.filters import Test
from assistant.thoughts.matching import MAX_PATTERNS, Words
from assistant.thoughts.model import MAX_LABEL, EvidenceKind
from assistant.thoughts.operation_fields import (
    NOT_OFFERED,
    FactId,
    Filled,
    IsoDate,
    Limit,
    Name,
    OptionalName,
    OptionalText,
    OptionalVariable,
    Term,
    Text,
    Variable,
    printable,
)

MAX_JSON = 20_000  # characters
MAX_PATH_LENGTH = 6


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Thing(_Strict):
    """One end of a fact, by name."""

    name: Name
    kind: Literal["entity", "value"] = "entity"
    type: Annotated[str, StringConstraints(max_length=40)] = ""


class Quoted(_Strict):
    """Where it is said: in a passage (`source` is its id), by a tool or a person.

    In a passage, `quote` is found and its place follows; or `start` and `end` say where it is.
    """

    source: Filled
    quote: OptionalText = ""
    kind: EvidenceKind = Field("passage", json_schema_extra=NOT_OFFERED)
    start: int = Field(0, ge=0, json_schema_extra=NOT_OFFERED)
    end: int = Field(0, ge=0, json_schema_extra=NOT_OFFERED)


class AddFact(_Strict):
    """Say that something is so. Missing nodes are made; an equal fact gets the evidence."""

    op: Literal["add_fact"]
    subject: Thing
    relation: Name
    object: Thing
    evidence: list[Quoted] = Field(min_length=1, max_length=20)
    negated: bool = False
    hedged: bool = False
    valid_from: IsoDate = ""
    valid_to: IsoDate = ""
    confidence: float = Field(1.0, ge=0, le=1, allow_inf_nan=False, json_schema_extra=NOT_OFFERED)


class MergeEntities(_Strict):
    """Two nodes are the same thing; `drop`'s facts and names go to `keep`."""

    op: Literal["merge_entities"]
    keep: Name
    drop: Name


class Retract(_Strict):
    """A fact no longer counts."""

    op: Literal["retract"]
    fact: FactId
    reason: Text


class PatternTerms(_Strict):
    subject: Term
    relation: Term
    object: Term


class FilterTerms(_Strict):
    variable: Variable
    test: Test
    value: Term


class _Asking(_Strict):
    """Facts of which a source says that they are not, or only may be, so do not count, unless
    asked for."""

    negated: bool = Field(False, json_schema_extra=NOT_OFFERED)
    hedged: bool = Field(False, json_schema_extra=NOT_OFFERED)


class _Patterns(_Asking):
    patterns: list[PatternTerms] = Field(min_length=1, max_length=MAX_PATTERNS)
    filters: list[FilterTerms] = Field(default=[], max_length=8)
    words: Words = Field("exact", json_schema_extra=NOT_OFFERED)


class Match(_Patterns):
    """What the variables may stand for, so that all patterns are facts."""

    op: Literal["match"]
    limit: Limit = Field(100, json_schema_extra=NOT_OFFERED)


class Count(_Patterns):
    """How many solutions there are, or different values of one variable."""

    op: Literal["count"]
    of: OptionalVariable = ""


class Neighbours(_Asking):
    """The facts around a node."""

    op: Literal["neighbours"]
    node: Name
    direction: Literal["out", "in", "both"] = "both"
    relation: OptionalName = ""
    words: Words = Field("exact", json_schema_extra=NOT_OFFERED)
    limit: Limit = Field(50, json_schema_extra=NOT_OFFERED)


class Path(_Asking):
    """The shortest ways from one node to another."""

    op: Literal["path"]
    start: Name
    goal: Name
    max_length: int = Field(4, ge=1, le=MAX_PATH_LENGTH)
    directed: bool = False
    limit: int = Field(3, ge=1, le=20)


class Compare(_Asking):
    """Two things by what a relation says of them, or two values directly."""

    op: Literal["compare"]
    left: Name
    right: Name
    relation: OptionalName = ""


class Calculate(_Strict):
    """Arithmetic with numbers, units and dates."""

    op: Literal["calculate"]
    expression: Annotated[
        str, StringConstraints(min_length=1, max_length=MAX_EXPRESSION), AfterValidator(printable)
    ]


class Search(_Strict):
    """Look for passages: the query for one open slot."""

    op: Literal["search"]
    query: Annotated[Filled, StringConstraints(max_length=MAX_LABEL)]


class Answer(_Strict):
    """The answer with the facts it follows from; or what is missing."""

    op: Literal["answer"]
    text: OptionalText = ""
    facts: list[FactId] = Field(default=[], max_length=20)
    missing: Annotated[str, StringConstraints(max_length=MAX_LABEL), AfterValidator(printable)] = ""


Operation = Annotated[
    Union[  # noqa: UP007 - pydantic reads it at run time
        AddFact,
        MergeEntities,
        Retract,
        Match,
        Neighbours,
        Path,
        Count,
        Compare,
        Calculate,
        Search,
        Answer,
    ],
    Field(discriminator="op"),
]
_ADAPTER: TypeAdapter[Operation] = TypeAdapter(Operation)
MODELS: dict[str, type[_Strict]] = {
    "add_fact": AddFact,
    "merge_entities": MergeEntities,
    "retract": Retract,
    "match": Match,
    "neighbours": Neighbours,
    "path": Path,
    "count": Count,
    "compare": Compare,
    "calculate": Calculate,
    "search": Search,
    "answer": Answer,
}


def parse_operation(source: str | bytes | dict[str, Any]) -> Operation:
    """One operation, from JSON or the value read from it.

    Raises:
        UnknownNameError: there is no operation of that name.
        GraphError: no JSON object, or its fields are not those of the operation.
    """
    value = _read(source) if isinstance(source, str | bytes) else source
    if not isinstance(value, dict):
        raise GraphError("an operation is a JSON object", remedy='such as {"op": "search", …}')
    name = value.get("op")
    if not isinstance(name, str) or name not in MODELS:
        raise UnknownNameError("operation", str(name)[:40], MODELS)
    try:
        return _ADAPTER.validate_python(value)
    except (ValidationError, RecursionError) as error:
        raise GraphError(f"{name} is not valid: {_first(error)}", remedy="see its schema") from None


def _first(error: Exception) -> str:
    """The first thing that is wrong, briefly: the input can be of any length."""
    if not isinstance(error, ValidationError):
        return "nested too deep"
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part)[:40] for part in found["loc"][1:])
    return f"{place}: {found['msg'][:200]}" if place else found["msg"][:200]


def _read(text: str | bytes) -> Any:
    if len(text) > MAX_JSON:
        raise GraphError(
            f"an operation of {len(text):,} characters", remedy=f"at most {MAX_JSON:,}"
        )
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_twice)
    except (ValueError, RecursionError) as error:
        raise GraphError(f"an operation that is no JSON: {str(error)[:120]}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return value
