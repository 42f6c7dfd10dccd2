"""Finding the passage that a person means: by its id, its document, or pasted text of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from indexes.documents import Passage
from indexes.errors import UsageError
from indexes.index import Index
from indexes.manifest import Manifest
from indexes.queries import MAX_QUERY_CHARACTERS
from indexes.store import StoredDocument

How = Literal["id", "document", "text", "across", "near", "nowhere"]

_CANDIDATES = 50  # passages whose words are most like the pasted text, looked at first
# All documents are only read for a pasted text while that takes seconds.
_SCANNED_PASSAGES = 200_000
# A text with a misread or hyphenated word here and there still shares most of its words with its
# passage, another text on the same matter seldom half. Set by hand.
_ALIKE = 0.6
_LISTED = 5  # documents named in a note
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a text is in an index.

    Attributes:
        how: what was found: the passage of this id; the document of this id, address, path or
            title; the text word for word within passages (but for white space and case) or
            across a border of passages; the passage with the most of its words; nothing.
        passages: by row; several where a document was named or a text occurs in several.
        note: a sentence about it for the person.
    """

    how: How
    passages: dict[int, Passage]
    note: str


def locate(index: Index, wanted: str) -> Location:
    """Find `wanted`: the id of a passage; the id, address, path or title of a document; or text.

    Raises:
        UsageError: it is empty.
    """
    wanted = wanted.strip()[:MAX_QUERY_CHARACTERS]
    if not wanted:
        raise UsageError(
            "nothing to look for", remedy="paste text of the passage, or give its id or document"
        )
    if passage := index.store.passage(wanted):
        (row,) = index.store.rows_of([wanted])
        return Location("id", {row: passage}, f"passage {wanted}")
    if "\n" not in wanted and (named := _by_name(index, wanted)):
        return named
    return _by_text(index, wanted)


def _by_name(index: Index, wanted: str) -> Location | None:
    manifest = index.manifest
    for document in index.store.documents():
        if wanted in (document.id, document.title) or _same_item(wanted, document.uri):
            passages = index.store.of_document(document.id)
            if not passages:
                return _nowhere(f"{_name(document)} is in the index, but has no text")
            return Location("document", passages, f"the best passage of {_name(document)}")
    for uri in manifest.excluded:
        if _same_item(wanted, uri):
            return _nowhere(f"{uri} was deleted from the index (--put-back reads it again)")
    for failure in manifest.failures:
        if _same_item(wanted, failure.uri):
            remedy = f" ({failure.remedy})" if failure.remedy else ""
            return _nowhere(f"{failure.uri} could not be read: {failure.reason}{remedy}")
    return None


def _same_item(wanted: str, uri: str) -> bool:
    return wanted == uri or (len(wanted) > 2 and uri.endswith(f"/{wanted.lstrip('/')}"))


def _by_text(index: Index, wanted: str) -> Location:
    words = wanted.split()
    pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
    rows: list[int] = index.lexical.search(wanted, _CANDIDATES).rows.tolist()
    likely = dict(zip(rows, index.store.by_rows(rows), strict=True))
    if exact := {row: p for row, p in sorted(likely.items()) if pattern.search(p.text)}:
        return Location("text", exact, _occurs_in(exact))
    ids = list(dict.fromkeys(passage.document_id for passage in likely.values()))
    documents: Iterable[StoredDocument] = filter(None, map(index.store.document, ids))
    found = _in_documents(index, pattern, documents)
    if found is None and index.manifest.passages <= _SCANNED_PASSAGES:
        found = _in_documents(index, pattern, index.store.documents(with_text=True))
    if found is not None:
        return found
    sought = _words(wanted)
    for row, passage in likely.items():
        common = len(sought & _words(passage.indexed_text))
        if sought and common >= _ALIKE * len(sought):
            note = (
                f"not word for word in the index; the nearest passage has {common} of its "
                f"{len(sought)} words"
            )
            return Location("near", {row: passage}, note)
    return _nowhere(f"this text is in no passage of the index{_elsewhere(index.manifest)}")


def _in_documents(
    index: Index, pattern: re.Pattern[str], documents: Iterable[StoredDocument]
) -> Location | None:
    """Passages with the text; else, of the first document with it, the passage with most of it."""
    for document in documents:
        spans = [found.span() for found in pattern.finditer(document.text)]
        if not spans:
            continue
        passages = index.store.of_document(document.id)
        whole = {
            r: p for r, p in passages.items() if any(_common(p, *s) == s[1] - s[0] for s in spans)
        }
        if whole:
            return Location("text", whole, _occurs_in(whole))
        start, end = spans[0]
        row = max(passages, key=lambda r: _common(passages[r], start, end), default=None)
        if row is None or _common(passages[row], start, end) == 0:
            return _nowhere(f"{_name(document)} has this text, but none of its passages does")
        share = _common(passages[row], start, end) / (end - start)
        note = f"the text goes over several passages; this one has {share:.0%} of it"
        return Location("across", {row: passages[row]}, note)
    return None


def _common(passage: Passage, start: int, end: int) -> int:
    return max(0, min(passage.end, end) - max(passage.start, start))


def _occurs_in(passages: dict[int, Passage]) -> str:
    if len(passages) == 1:
        return "the text is in this passage"
    return f"the text is in {len(passages)} passages; this is the one that ranks best"


def _elsewhere(manifest: Manifest) -> str:
    """Documents that are not in the index, one of which the text may be from."""
    parts = [
        f"; {what}: {', '.join(uris[:_LISTED])}{' …' if len(uris) > _LISTED else ''}"
        for what, uris in (
            ("deleted from it", manifest.excluded),
            ("could not be read", [failure.uri for failure in manifest.failures]),
        )
        if uris
    ]
    return "".join(parts)


def _nowhere(note: str) -> Location:
    return Location("nowhere", {}, note)


def _name(document: StoredDocument) -> str:
    return document.title if document.title != document.id else document.uri


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
