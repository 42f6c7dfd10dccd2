"""Text of others that cannot act as a turn of the conversation with a language model."""

from __future__ import annotations

import re

# The turn marks of the chat templates in use: ChatML and Phi, DeepSeek (wide bars), Gemma, Llama,
# Mistral.
_CONTROL = re.compile(
    r"<[|｜]|<(?=/?(?:s|start_of_turn|end_of_turn|bos|eos|pad|unk)>)|<<(?=/?SYS>>)|"
    r"\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
)


def as_data(text: str) -> str:
    """Text that cannot end its turn and begin another one.

    Chat templates mark turns by special words such as `<|im_end|>`; a document that contains one
    would otherwise speak as the system. A space inside makes them ordinary text.
    """
    return _CONTROL.sub(lambda match: f"{match.group()[0]} {match.group()[1:]}", text)
