"""What the home folder keeps of one person, each part opened at first use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.memory.conversations import Conversations
from assistant.memory.person import PersonMemory
from assistant.memory.preferences import Preferences
from assistant.models.encoders import LoadedEncoders
from assistant.settings import Settings
from assistant.understanding.statements import StatementSelector

if TYPE_CHECKING:
    from assistant.attachments import Attachments
    from assistant.memory.feedback import Feedback
    from assistant.memory.versions import Versions


class PersonStores(ABC):
    """The stores of the person whom the settings name.

    Raises:
        StorageError: a file cannot be read or written; so do all stores.
    """

    settings: Settings

    @property
    @abstractmethod
    def encoders(self) -> LoadedEncoders:
        """The encoders of the process."""

    @cached_property
    def conversations(self) -> Conversations:
        return Conversations(self.settings.database, self.attachments.delete)

    @cached_property
    def versions(self) -> Versions:
        """Which turns are versions of one another."""
        from assistant.memory.versions import Versions

        return Versions(self.conversations.database)

    @cached_property
    def feedback(self) -> Feedback:
        """What the person thought of answers."""
        from assistant.memory.feedback import Feedback

        return Feedback(self.conversations.database)

    @cached_property
    def attachments(self) -> Attachments:
        """Files that belong to one conversation."""
        from assistant.attachments import Attachments

        return Attachments(self.settings.attached_folder, lambda: self.encoders)

    @cached_property
    def person(self) -> PersonMemory:
        """What the person told about themselves."""
        return PersonMemory(self.settings.memory_file)

    @cached_property
    def preferences(self) -> Preferences:
        """What the person decided once about the page."""
        return Preferences(self.settings.memory_file.parent)

    @cached_property
    def statement_selector(self) -> StatementSelector:
        """Chooses among the person's statements; kept, since it encodes each of them once.

        Raises:
            ModelMissingError, ModelCorruptError: there is no embedder to compare them by.
        """
        understanding = self.settings.understanding
        return StatementSelector(
            self.encoders.dense(),
            threshold=understanding.statement_threshold,
            most=understanding.statements,
        )
