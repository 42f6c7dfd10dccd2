"""The one exception tree of the project.

Every error that a person can meet is a `KnowledgeAssistantError`: a message that says what is
wrong and a `remedy` that says what to do next. The command line turns them into exit statuses,
the page into a notice; neither shows a stack trace.

    KnowledgeAssistantError
    ├── UsageError                 wrong option, unknown name (exit status 2)
    │   └── UnknownNameError       …and the nearest name that exists
    ├── ReadError                  one document cannot be read; reading goes on with the others
    │   ├── ProtectedDocumentError
    │   └── OversizedDocumentError
    ├── IndexingError
    │   ├── IndexNotFoundError
    │   ├── IndexLockedError
    │   ├── IndexCorruptError
    │   └── IndexFormatError
    ├── ModelError
    │   ├── ModelMissingError
    │   ├── ModelCorruptError
    │   ├── ModelFetchError
    │   └── ModelRuntimeError
    ├── TrainingError              a training run cannot go on; its last checkpoint is kept
    ├── GraphError                 a change or operation that does not fit the graph of thoughts
    ├── BudgetSpentError           a question's model calls or seconds are used up
    └── StorageError               home folder not writable, disk full, database damaged
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class KnowledgeAssistantError(Exception):
    """Base of every error of the project.

    Args:
        message: what is wrong, one sentence, naming the thing.
        remedy: what the person can do next; may be empty.
    """

    exit_status = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} ({self.remedy})" if self.remedy else self.message


class UsageError(KnowledgeAssistantError):
    """The request itself is wrong: an unknown option, an empty question, a value out of range."""

    exit_status = 2


class UnknownNameError(UsageError):
    """A name that does not exist; the message carries the nearest one that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, remedy: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names) or 'none'}"
        super().__init__(f"unknown {kind} '{name}'", remedy=f"{hint} {remedy}".strip())
        self.name = name
        self.nearest = near[0] if near else None


class ReadError(KnowledgeAssistantError):
    """One document cannot be read. Sources report it and go on with the next."""


class ProtectedDocumentError(ReadError):
    """The document asks for a password."""


class OversizedDocumentError(ReadError):
    """The document is, or unpacks to, more than the limit."""


class IndexingError(KnowledgeAssistantError):
    """Something about an index as a whole."""


class IndexNotFoundError(IndexingError):
    """No index of that name in the home folder."""

    exit_status = 2


class IndexLockedError(IndexingError):
    """Another process is writing this index."""


class IndexCorruptError(IndexingError):
    """A file of the index is missing or damaged."""


class IndexFormatError(IndexingError):
    """The index was written by another version of the format."""


class ModelError(KnowledgeAssistantError):
    """Something about model weights or a model runtime."""


class ModelMissingError(ModelError):
    """The weights are not installed."""


class ModelCorruptError(ModelError):
    """The weights do not match their checksum."""


class ModelFetchError(ModelError):
    """The weights could not be fetched."""


class ModelRuntimeError(ModelError):
    """The runtime is missing, or the model failed while it ran."""


class TrainingError(KnowledgeAssistantError):
    """A training run cannot go on; what it kept until then is whole."""


class GraphError(KnowledgeAssistantError):
    """A change or an operation does not fit the graph of thoughts; nothing was changed."""


class BudgetSpentError(KnowledgeAssistantError):
    """The model calls or seconds that one question may cost are used up."""


class StorageError(KnowledgeAssistantError):
    """The disk is full, a folder is not writable, a database is damaged."""
