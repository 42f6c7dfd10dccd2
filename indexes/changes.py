"""What a build does, or would do, to the documents of an index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from indexes.corpora.files import FileSource
from indexes.documents import Entry, ReadFailure, Source
from indexes.store import PassageStore


@dataclass(frozen=True, slots=True)
class Move:
    """A document whose content is found under another uri than before."""

    origin: str
    uri: str


@dataclass(slots=True)
class Changes:
    """What a build does, or would do, to the documents of an index (uris)."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    unchanged: int = 0
    failures: list[ReadFailure] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # deleted before, and kept out

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.moved)

    def settle(
        self, removed: Iterable[str], before: Mapping[str, str], now: Mapping[str, str]
    ) -> None:
        """Note what is gone, and tell what was moved from what is gone here and new there.

        Args:
            before: fingerprint by uri of the published documents.
            now: fingerprint by uri of the added ones.
        """
        gone = dict.fromkeys(sorted(removed))
        by_content: dict[str, list[str]] = {}
        for uri in reversed(gone):
            by_content.setdefault(before[uri], []).append(uri)
        added = []
        for uri in self.added:
            origins = by_content.get(now[uri])
            if not origins:
                added.append(uri)
                continue
            origin = origins.pop()
            self.moved.append(Move(origin, uri))
            del gone[origin]
        self.added, self.removed = added, list(gone)


def item_of(source: Source, uri: str) -> Entry | ReadFailure:
    """What a source offers under one uri; a failure where it offers that no longer.

    A file is looked up by itself; of other sources the items are gone through until it comes.
    """
    if isinstance(source, FileSource) and (found := source.item(uri)) is not None:
        return found
    for item in source.entries():
        if item.uri == uri:
            return item
    return ReadFailure(uri, "its source does not have it any more", "update the index")


@dataclass(slots=True)
class Pending:
    """What `survey` found: the changes, and the entries that would have to be read."""

    changes: Changes
    to_read: list[Entry] = field(default_factory=list)


def survey(
    sources: Iterable[Source],
    published: PassageStore | None,
    excluded: set[str],
    failed: Iterable[ReadFailure] = (),
) -> Pending:
    """What `Staging.read` would change, without parsing or writing anything.

    Items that could not be read last time (`failed`) would be tried again and are listed as
    failures, not as new.
    """
    failures = {failure.uri: failure for failure in failed}
    known = published.fingerprints() if published else {}
    pending, seen = Pending(Changes()), set(excluded)
    changes, now = pending.changes, dict[str, str]()
    for source in sources:
        for item in source.entries():
            if item.uri in seen:
                continue
            seen.add(item.uri)
            if isinstance(item, ReadFailure):
                changes.failures.append(item)
            elif item.uri in failures:
                changes.failures.append(failures[item.uri])
            elif item.uri in known and known[item.uri][0] == item.fingerprint:
                changes.unchanged += 1
            else:
                (changes.changed if item.uri in known else changes.added).append(item.uri)
                now[item.uri] = item.fingerprint
                pending.to_read.append(item)
    unread = tuple(f"{failure.uri}/" for failure in changes.failures)
    gone = (set(known) - seen) | (set(known) & excluded)
    before = {uri: fingerprint for uri, (fingerprint, _) in known.items()}
    changes.settle((uri for uri in gone if not uri.startswith(unread)), before, now)
    return pending
