"""Which model teaches: the answerer, the remote endpoint, or any GGUF file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import UsageError
from assistant.knowledge.prompts import VERSION
from assistant.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.models.store import ModelStore

# Tokens of one call: the fixed beginning, a passage and what is written about it.
_CONTEXT = 2_048


def teaching_model(
    settings: Settings, models: ModelStore, wanted: str, slots: int
) -> tuple[BaseChatModel, str]:
    """The model that writes, and the name that its entries carry.

    Args:
        wanted: "answerer", "remote", a catalogue name, or a path that ends in `.gguf`.
        slots: calls that will be made at once.

    Raises:
        ModelMissingError, UnknownNameError: there are no such weights.
        UsageError: no remote endpoint is set.
    """
    if wanted == "remote":
        from assistant.models.remote import remote_chat

        if not settings.models.remote_url:
            raise UsageError(
                "no remote endpoint is set", remedy="set models.remote_url and models.remote_model"
            )
        # It may be another machine's GPU or a paid service: the settings name it, nothing else.
        return remote_chat(settings.models), f"{settings.models.remote_model}/{VERSION}"
    from assistant.models.gguf import GGUFChat

    name = settings.models.answerer if wanted == "answerer" else wanted
    model = GGUFChat(
        model_path=str(models.path(name)),
        n_ctx=_CONTEXT,
        n_threads=settings.models.threads,
        parallel=slots,
    )
    return model, f"{Path(name).stem if name.endswith('.gguf') else name}/{VERSION}"
