"""Filters: masks over rows, and the option that names them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.cli.only import filter_of
from indexes.build import IndexWriter
from indexes.documents import Block, Document, Entry, content_hash, document_id
from indexes.errors import UnknownNameError, UsageError
from indexes.filters import EVERYTHING, Filter, moment
from indexes.index import Index
from tests.fast.indexes.sources import HashedEncoders

ENGLISH = "The lease of the flat in the old town ends on the last day of March next year."
GERMAN = "Der Mietvertrag der Wohnung in der Altstadt endet am letzten Tag im März des Jahres."
DOCUMENTS = {
    "/notes/2025/lease.md": (ENGLISH, moment("2025-03-01")),
    "/notes/2025/vertrag.md": (GERMAN, moment("2025-06-01")),
    "/notes/2026/lease.md": (f"{ENGLISH} It was prolonged.", moment("2026-02-01")),
    "/notes_2025/lease.md": (f"{ENGLISH} Another lease.", None),
}


class Dated:
    """Documents with dates."""

    spec = "dated:"

    def entries(self):  # type: ignore[no-untyped-def]
        for uri, (text, modified) in DOCUMENTS.items():
            block = Block(0, len(text))
            document = Document(
                document_id(uri), uri, uri, text, (block,), modified=modified,
                fingerprint=content_hash(text),
            )  # fmt: skip
            yield Entry(uri, document.fingerprint, lambda d=document: d)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("filters") / "notes"
    IndexWriter(folder, HashedEncoders()).build([Dated()])
    return Index.open(folder, HashedEncoders())


def _found(index: Index, where: Filter) -> set[str]:
    return {hit.passage.uri for hit in index.search("lease of the flat wohnung", where=where).hits}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Filter(folders=("/notes/2025",)), {"/notes/2025/lease.md", "/notes/2025/vertrag.md"}),
        (Filter(folders=("/notes/2026/", "/notes_2025")),
         {"/notes/2026/lease.md", "/notes_2025/lease.md"}),
        (Filter(documents=("/notes/2026/lease.md",)), {"/notes/2026/lease.md"}),
        (Filter(documents=(document_id("/notes/2026/lease.md"),)), {"/notes/2026/lease.md"}),
        (Filter(languages=("de",)), {"/notes/2025/vertrag.md"}),
        (Filter(since=moment("2025-06"), until=moment("2025", end=True)),
         {"/notes/2025/vertrag.md"}),
        (Filter(since=moment("2026")), {"/notes/2026/lease.md"}),
        (Filter(sources=("dated:",), languages=("en",)), set(DOCUMENTS) - {"/notes/2025/vertrag.md"}),
        (Filter(sources=("other:",)), set()),
        (EVERYTHING, set(DOCUMENTS)),
    ],
)  # fmt: skip
def test_only_what_passes_is_found(index: Index, where: Filter, expected: set[str]) -> None:
    assert _found(index, where) == expected


@given(st.sets(st.sampled_from(sorted(DOCUMENTS))))
def test_a_filter_finds_the_best_of_what_it_allows(index: Index, wanted: set[str]) -> None:
    """The stages' lists under a filter are their whole lists without what it excludes."""
    where = Filter(documents=tuple(sorted(wanted)) or ("none of them",))
    mask = index.allowed(where)
    assert mask is not None
    query = "lease flat"
    whole = index.search(query, depth=100, weights={"dense": 1.0})
    allowed = index.search(query, depth=1, limit=1, where=where, weights={"dense": 1.0})
    expected = [hit.passage.uri for hit in whole.hits if hit.passage.uri in wanted]
    assert [hit.passage.uri for hit in allowed.hits] == expected[:1]
    assert int(np.count_nonzero(mask)) == len(wanted)


def test_options_become_a_filter() -> None:
    where = filter_of(["folder=/notes/2025", "language=DE", "since=2025-06", "until=2025"])
    assert where.folders == ("/notes/2025",) and where.languages == ("de",)
    assert where.since == moment("2025-06-01") and where.until == moment("2026-01-01") - 1e-3
    assert filter_of(None) == EVERYTHING and not EVERYTHING
    relative = filter_of(["document=notes.md"]).documents
    assert relative == ("notes.md", str(Path("notes.md").absolute()))
    assert filter_of(["source=beir:x"]).sources == ("beir:x",)


@pytest.mark.parametrize("wrong", ["folder", "folder=", "since=yesterday"])
def test_options_that_say_nothing_are_refused(wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        filter_of([wrong])
    assert caught.value.remedy


def test_a_misspelled_key_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        filter_of(["langage=de"])
    assert caught.value.nearest == "language"
