"""A question's words as `assistant.thoughts.question` takes them, from the parser's."""

from __future__ import annotations

from assistant.errors import ModelMissingError
from assistant.thoughts.question import MAX_QUESTION, Token
from assistant.understanding.parser import Parser


def question_tokens(parser: Parser, text: str) -> list[Token]:
    """The tokens of a text; none where the parser's weights are not installed or the text is too
    long for a question."""
    if len(text) > MAX_QUESTION:
        return []
    try:
        # Half of a surrogate pair is no character; as long as one it keeps the offsets.
        (parsed,) = parser.parse([text.encode("utf-8", "replace").decode("utf-8")])
    except ModelMissingError:
        return []
    return [
        Token(
            word.text,
            word.lemma_.casefold(),
            word.pos_,
            word.dep_,
            word.head.i,
            word.idx,
            word.idx + len(word.text),
            word.ent_type_.lower(),
        )
        for word in parsed
    ]
