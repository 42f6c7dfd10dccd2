"""JSON schema of the operations, for constrained decoding by a small local model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from assistant.errors import UnknownNameError, UsageError
from assistant.models.structured import bounded
from assistant.thoughts.operations import MODELS

# Small models run away inside free strings and lists, and a grammar grows with their bounds.
MAX_STRING = 120
MAX_QUOTE = 300
MAX_ITEMS = 4

# What a grammar needs; all else is for people.
_KEPT = frozenset(
    """type properties required additionalProperties items enum const minItems maxItems
    minLength maxLength minimum maximum""".split()
)


def operation_schema(names: Iterable[str]) -> dict[str, Any]:
    """A JSON schema that exactly the named operations fit: no references, every property required,
    every string and list bounded, `op` first.

    Raises:
        UsageError: no name, or an unknown one.
    """
    chosen = list(dict.fromkeys(names))
    if not chosen:
        raise UsageError("no operation is named", remedy=f"name some of {', '.join(MODELS)}")
    schemas = []
    for name in chosen:
        if name not in MODELS:
            raise UnknownNameError("operation", name, MODELS)
        schema = MODELS[name].model_json_schema()
        schemas.append(bounded(_plain(schema, schema.get("$defs", {})), MAX_STRING))
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _plain(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _plain(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    plain = {key: value for key, value in schema.items() if key in _KEPT}
    pattern = schema.get("pattern", "")
    if pattern.startswith("^") and pattern.endswith("$"):  # others are no grammar
        plain["pattern"] = pattern
        plain.pop("maxLength", None)
    if "properties" in schema:
        offered = {
            name: _property(name, value, definitions)
            for name, value in schema["properties"].items()
            if value.get("offered", True)
        }
        plain["properties"] = {k: offered[k] for k in sorted(offered, key=lambda k: k != "op")}
        plain["required"] = list(plain["properties"])
        plain["additionalProperties"] = False
    if "items" in schema:
        plain["items"] = _plain(schema["items"], definitions)
        plain["maxItems"] = min(MAX_ITEMS, schema.get("maxItems", MAX_ITEMS))
    return plain


def _property(name: str, schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    plain = _plain(schema, definitions)
    if plain.get("maxLength"):
        limit = MAX_QUOTE if name in ("quote", "text") else MAX_STRING
        plain["maxLength"] = min(plain["maxLength"], limit)
    return plain
