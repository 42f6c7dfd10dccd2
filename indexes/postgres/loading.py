"""Reading sources into the generation that is being staged; only what is new or changed is parsed.

Works on a window of items at a time, so its memory does not grow with the collection. Each window
is one transaction: a killed build goes on behind the last window that was written.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from indexes.changes import Changes
from indexes.chunking import Chunker
from indexes.documents import Document, Entry, Passage, ReadFailure, Source
from indexes.encodings import text_key
from indexes.errors import ReadError
from indexes.postgres.characters import cleaned, storable
from indexes.postgres.cleanup import end_documents
from indexes.postgres.schema import FOREVER
from indexes.postgres.session import Session
from indexes.postgres.words import INSERT_PASSAGE

_WINDOW = 64
_LONGEST_INDEXED = 200_000  # characters; a tsvector holds a megabyte

# ISO 639-1 → the server's text search configurations. What is unknown is read as English, as a
# language without a configuration is read word by word.
_CONFIGS = {
    "": "english", "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "es": "spanish", "fi": "finnish", "fr": "french", "ga": "irish",
    "hu": "hungarian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nl": "dutch", "no": "norwegian", "nb": "norwegian", "nn": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Known:
    """A version of a document that the tables hold."""

    number: int
    fingerprint: str
    chunker: str
    source: str
    since: int
    until: int

    @property
    def is_live(self) -> bool:
        return self.until == FOREVER


class Loader:
    """Stages generation `staged` on top of the published one.

    Args:
        language_of: the ISO 639-1 code of a text, empty where unknown.
        reuse: take over unchanged documents; otherwise all are read again.
    """

    def __init__(
        self,
        session: Session,
        chunker: Chunker,
        *,
        published: int,
        language_of: Callable[[str], str],
        reuse: bool = True,
    ) -> None:
        self._session, self._chunker = session, chunker
        self._published, self._staged = published, published + 1
        self._language_of, self._reuse = language_of, reuse
        self.changes = Changes()

    def read(
        self, sources: Iterable[Source], excluded: set[str], on_item: Callable[[int], None]
    ) -> Changes:
        """Stage every item of `sources` that is not excluded; `on_item` hears how many so far."""
        session = self._session
        session.run("DROP TABLE IF EXISTS pg_temp.seen")
        session.run("CREATE TEMP TABLE seen (uri_key bytea PRIMARY KEY)")
        done = 0
        for source in sources:
            for window in _windows(source.entries()):
                with session.transaction():
                    self._window(window, source.spec, excluded)
                done += len(window)
                on_item(done)
        with session.transaction():
            self._end_unseen()
        return self.changes

    # -- one window ---------------------------------------------------------------------------

    def _window(self, items: Sequence[Entry | ReadFailure], spec: str, excluded: set[str]) -> None:
        left_out = [item.uri for item in items if item.uri in excluded]
        self.changes.left_out += left_out
        wanted = {_key(item.uri): item for item in items if item.uri not in excluded}
        fresh = self._session.rows(
            "INSERT INTO seen SELECT unnest(%s::bytea[]) ON CONFLICT DO NOTHING RETURNING uri_key",
            (list(wanted),),
        )
        new = {bytes(key) for (key,) in fresh}
        known = self._known(list(new))
        for key, item in wanted.items():
            if key not in new:
                continue  # another source offered it before
            if isinstance(item, ReadFailure):
                self._fail(item, spec)
            else:
                self._entry(item, spec, known.get(key, []))

    def _known(self, keys: list[bytes]) -> dict[bytes, list[_Known]]:
        found: dict[bytes, list[_Known]] = {}
        for key, *rest in self._session.rows(
            "SELECT uri_key, number, fingerprint, chunker, source, since, until FROM documents "
            "WHERE uri_key = ANY(%s) AND until > %s",
            (keys, self._published),
        ):
            found.setdefault(bytes(key), []).append(_Known(*rest))
        return found

    def _entry(self, item: Entry, spec: str, known: list[_Known]) -> None:
        live = next((version for version in known if version.is_live), None)
        before = next((version for version in known if version.since <= self._published), None)
        if live is not None and self._usable(live, item):
            if live.source != spec:
                self._session.run(
                    "UPDATE documents SET source = %s WHERE number = %s", (spec, live.number)
                )
        else:
            try:
                document = _storable(item.load())
            except ReadError as error:
                self._fail(ReadFailure(item.uri, error.message, error.remedy), spec)
                return
            except Exception as error:  # noqa: BLE001 - parsers raise anything on broken files
                reason = f"the reader failed: {type(error).__name__}: {str(error)[:200]}"
                self._fail(ReadFailure(item.uri, reason, "open and save it anew"), spec)
                return
            if not self._add(document, item, spec, live):
                return
        if before is None:
            self.changes.added.append(item.uri)
        elif before.fingerprint == item.fingerprint:
            self.changes.unchanged += 1
        else:
            self.changes.changed.append(item.uri)

    def _usable(self, live: _Known, item: Entry) -> bool:
        if not self._reuse and live.since <= self._published:
            return False
        return (live.fingerprint, live.chunker) == (item.fingerprint, self._chunker.fingerprint)

    def _add(self, document: Document, item: Entry, spec: str, live: _Known | None) -> bool:
        passages = self._chunker.split(document)
        if not passages:
            failure = ReadFailure(document.uri, "no text", "nothing to do if the file is meant so")
            self.changes.failures.append(failure)
            return False
        taken = self._session.one(
            f"SELECT number, uri_key FROM documents WHERE id = %s AND until = {FOREVER}",
            (document.id,),
        )
        if taken is not None and (live is None or taken[0] != live.number):
            # One that a source still offers keeps its id; one that has moved away gives it up.
            if self._session.value("SELECT true FROM seen WHERE uri_key = %s", (taken[1],)):
                reason = f"another document has the id '{document.id}'"
                remedy = "put the collections into two indexes"
                self.changes.failures.append(ReadFailure(document.uri, reason, remedy))
                return False
            end_documents(self._session, [taken[0]], self._staged)
        if live is not None:
            end_documents(self._session, [live.number], self._staged)
        self._insert(document, item, passages, spec)
        return True

    def _insert(
        self, document: Document, item: Entry, passages: Sequence[Passage], spec: str
    ) -> None:
        language = self._language_of(document.text)
        config = _CONFIGS.get(language, "simple")
        number = self._session.value(
            "INSERT INTO documents (id, uri, uri_key, title, media_type, fingerprint, modified, "
            "source, language, chunker, text, pages, since) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING number",
            (
                document.id,
                cleaned(document.uri),
                _key(item.uri),
                document.title,
                document.media_type,
                item.fingerprint,
                document.modified,
                spec,
                language,
                self._chunker.fingerprint,
                document.text,
                json.dumps(_pages(document)),
                self._staged,
            ),
        )
        self._session.many(
            INSERT_PASSAGE,
            (
                {
                    "id": passage.id,
                    "document": number,
                    "start": passage.start,
                    "end": passage.end,
                    "page": passage.page,
                    "headings": json.dumps(passage.headings),
                    "key": text_key(passage.indexed_text),
                    "since": self._staged,
                    "config": config,
                    "text": passage.indexed_text[:_LONGEST_INDEXED],
                }
                for passage in passages
            ),
        )

    def _fail(self, failure: ReadFailure, spec: str) -> None:
        """Note the failure; what could be read before stays as it was then.

        A failure may stand for many documents: a folder that cannot be opened, an archive that
        is cut short. Everything below it is kept, since nothing says that it is gone.
        """
        self.changes.failures.append(failure)
        # A collection that is cut short is the whole source; its passages have uris of their own.
        whole = spec.partition(":")[2] == failure.uri
        kept = self._session.run(
            "INSERT INTO seen SELECT d.uri_key FROM documents d "
            f"WHERE d.until = {FOREVER} AND (d.uri = %s OR starts_with(d.uri, %s) "
            "OR starts_with(d.uri, %s) OR (%s AND d.source = %s)) ON CONFLICT DO NOTHING",
            (failure.uri, f"{failure.uri}/", f"{failure.uri}#", whole, spec),
        )
        # The failing item itself has been seen; it stays if there is something to keep.
        kept += int(
            bool(
                self._session.value(
                    "SELECT true FROM documents WHERE uri_key = %s "
                    f"AND until = {FOREVER} AND since <= %s",
                    (_key(failure.uri), self._published),
                )
            )
        )
        self.changes.unchanged += kept

    def _end_unseen(self) -> None:
        """What no source offers any more leaves the staged generation."""
        unseen = "NOT EXISTS (SELECT FROM seen s WHERE s.uri_key = d.uri_key)"
        self.changes.removed = sorted(
            uri
            for (uri,) in self._session.rows(
                f"SELECT DISTINCT d.uri FROM documents d WHERE d.since <= %s AND d.until > %s "
                f"AND {unseen}",
                (self._published, self._published),
            )
        )
        numbers = self._session.rows(
            f"SELECT d.number FROM documents d WHERE d.until = {FOREVER} AND {unseen}"
        )
        end_documents(self._session, [number for (number,) in numbers], self._staged)


def _windows(
    items: Iterator[Entry | ReadFailure],
) -> Iterator[list[Entry | ReadFailure]]:
    while window := list(itertools.islice(items, _WINDOW)):
        yield window


def _key(uri: str) -> bytes:
    return hashlib.sha256(uri.encode("utf-8", "surrogatepass")).digest()


def _storable(document: Document) -> Document:
    headings = (heading for block in document.blocks for heading in block.headings)
    if all(map(storable, (document.text, document.title, *headings))):
        return document
    blocks = tuple(
        replace(block, headings=tuple(map(cleaned, block.headings))) for block in document.blocks
    )
    return replace(
        document, text=cleaned(document.text), title=cleaned(document.title), blocks=blocks
    )


def _pages(document: Document) -> list[tuple[int, int]]:
    pages: list[tuple[int, int]] = []
    for block in document.blocks:
        if block.page is not None and (not pages or pages[-1][1] != block.page):
            pages.append((block.start, block.page))
    return pages
