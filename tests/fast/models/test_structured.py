"""Bounds of strings in a JSON schema."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assistant.models.structured import bounded

_WORDS = st.sampled_from(["string", "integer", "object", "array", "type", "a"])
_KEYS = st.sampled_from(["type", "properties", "items", "anyOf", "maxLength", "enum", "a", "$defs"])
_SCHEMAS = st.recursive(
    _WORDS | st.integers(0, 9) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


def test_only_unbounded_strings_change() -> None:
    schema = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "short": {"type": "string", "maxLength": 3},
            "word": {"type": "string", "enum": ["a", "b"]},
            "long": {"type": "string", "minLength": 50},
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "many": {"type": "array", "items": {"$ref": "#/$defs/T"}},
        },
        "$defs": {"T": {"type": "string"}},
    }
    made = bounded(schema, 20)
    properties = made["properties"]
    assert properties["type"] == {"type": "string", "maxLength": 20}
    assert properties["short"]["maxLength"] == 3
    assert "maxLength" not in properties["word"]
    assert properties["long"]["maxLength"] == 50
    assert properties["maybe"]["anyOf"][0]["maxLength"] == 20
    assert made["$defs"]["T"]["maxLength"] == 20
    assert "maxLength" not in made


@given(_SCHEMAS)
def test_nothing_but_limits_is_added(schema: Any) -> None:
    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(item) for item in value]
        if isinstance(value, dict):
            return {k: without(v) for k, v in value.items() if k != "maxLength"}
        return value

    once = bounded(schema, 7)
    assert without(once) == without(schema)
    assert bounded(once, 7) == once
