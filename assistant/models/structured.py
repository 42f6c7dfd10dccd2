"""JSON under a schema: what a small model may write, and from its text to the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel

from assistant.errors import ModelRuntimeError

Value = dict[str, Any] | BaseModel
Chat = Runnable[LanguageModelInput, Any]


# Keywords that say already what a string may be.
_BOUNDS = frozenset(("maxLength", "enum", "const", "pattern", "format"))


def bounded(schema: Any, limit: int) -> Any:
    """The schema with `maxLength` for every string that nothing in it bounds."""
    if isinstance(schema, list):
        return [bounded(item, limit) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: bounded(value, limit) for key, value in schema.items()}
    # A *property* that is called "type" has a schema there, not a word.
    if copy.get("type") == "string" and not _BOUNDS & copy.keys():
        copy["maxLength"] = max(limit, copy.get("minLength", 0))
    return copy


def parsed(model: Chat, schema: dict[str, Any] | type) -> Runnable[LanguageModelInput, Value]:
    """`model`, then the value.

    Raises (when it is invoked):
        ModelRuntimeError: the output was cut off, or does not fit what the schema cannot say.
    """
    return model | RunnableLambda(_parser(schema))


def parsed_beside_raw(
    model: Chat, schema: dict[str, Any] | type
) -> Runnable[LanguageModelInput, Value]:
    """`model`, then its message as it is, the value, and the error where there is none."""
    parse = _parser(schema)

    def both(message: BaseMessage) -> dict[str, Any] | BaseModel:
        try:
            return {"raw": message, "parsed": parse(message), "parsing_error": None}
        except ModelRuntimeError as error:
            return {"raw": message, "parsed": None, "parsing_error": error}

    return model | RunnableLambda(both)


def _parser(schema: dict[str, Any] | type) -> Callable[[BaseMessage], Value]:
    parser: Any = (
        PydanticOutputParser(pydantic_object=schema)  # type: ignore[type-var]
        if isinstance(schema, type) and is_basemodel_subclass(schema)
        else JsonOutputParser()
    )

    def parse(message: BaseMessage) -> Value:
        # The lenient parser would close the brackets of a text that was cut off, and lose silently.
        if message.response_metadata.get("finish_reason") == "length":
            raise ModelRuntimeError(
                "the model's structured output was cut off at the token limit",
                remedy="raise max_tokens, or bound the schema's strings and lists",
            )
        try:
            value: Value = parser.invoke(message)
        except ValueError as error:
            raise ModelRuntimeError(
                f"the model's output does not fit the schema: {error}",
                remedy="say in the schema what a value may be: enum, pattern, minimum",
            ) from error
        return value

    return parse
