"""Where examples come from, each source registered by the name that recipes use."""

from assistant.distillation.sources import (
    conversations,
    example_lines,
    ranking,
    reading,
    squad,
    texts,
    utterances,
)
from assistant.distillation.sources.base import SOURCES, Collected, DataSource, collect

__all__ = [
    "SOURCES",
    "Collected",
    "DataSource",
    "collect",
    "conversations",
    "example_lines",
    "ranking",
    "reading",
    "squad",
    "texts",
    "utterances",
]
