"""What a person decides about entries, and what is searched following it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from assistant.knowledge.entries import KnowledgeEntry, Tier
from assistant.knowledge.filling import local_index
from assistant.knowledge.following import publish_entries
from assistant.knowledge.store import KnowledgeStore
from assistant.workspace import Workspace

Decision = Literal["approve", "reject", "delete"]


def store_of(workspace: Workspace, index: str) -> KnowledgeStore:
    """The store of an index on this machine; there need not be one yet.

    Raises:
        UsageError: the index is on a server. Else as `Workspace.index`.
    """
    return KnowledgeStore(local_index(workspace, index).folder)


def decide(
    workspace: Workspace, index: str, entries: Sequence[str], decision: Decision
) -> list[KnowledgeEntry]:
    """Approve, reject or delete entries by their ids; returns them as they are (or were) then.

    What is searched is published once, after all of them.

    Raises:
        UnknownNameError: there is no such entry; those before it are decided.
        IndexLockedError: a build publishes at this moment; what was decided is kept, and is
            searched when the build has ended.
    """
    store = store_of(workspace, index)
    done: list[KnowledgeEntry] = []
    try:
        for identity in entries:
            if decision == "delete":
                done.append(store.delete(identity))
            else:
                tier: Tier = "approved" if decision == "approve" else "rejected"
                done.append(store.set_tier(identity, tier))
    finally:
        if done:
            publish_entries(store.path.parent, workspace.encoders)
    return done


def correct(workspace: Workspace, index: str, entry: str, said: str) -> KnowledgeEntry:
    """Put a person's words in place of an entry's answer or statement. Raises as `decide`.

    Raises:
        UsageError: nothing is said.
    """
    store = store_of(workspace, index)
    corrected = store.correct(entry, said)
    publish_entries(store.path.parent, workspace.encoders)
    return corrected
