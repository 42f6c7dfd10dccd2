"""An index on a real server: built, searched, filtered, changed, and equal to one in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexes.build import IndexWriter
from indexes.errors import (
    IndexFormatError,
    IndexLockedError,
    IndexNotFoundError,
    ModelMissingError,
    StorageError,
    UnknownNameError,
)
from indexes.filters import Filter
from indexes.index import Index
from indexes.postgres import generations, schema
from indexes.postgres.address import Address
from indexes.postgres.encodings import has_graph, known_encoders
from indexes.postgres.index import PostgresIndex, read_engine, write_engine
from indexes.postgres.session import Session
from indexes.postgres.stages import PostgresDense, PostgresLexical, PostgresSparse
from indexes.postgres.store import PostgresStore
from indexes.postgres.verifying import verify_postgres
from indexes.postgres.worker import opened
from indexes.postgres.writer import PostgresWriter
from indexes.queries import Query
from indexes.store import PassageStore
from tests.fast.indexes.sources import HashedEncoders, MemorySource

pytestmark = pytest.mark.integration

TEXTS: dict[str, str | None] = {
    "/notes/a.md": "Sea otters sleep on their backs and wrap themselves in kelp.",
    "/notes/b.md": "Kelp forests grow half a metre a day in cold water.",
    "/papers/c.md": "The lease of the flat in Lyon ends on 31 March 2027.",
}


def _writer(address: Address, encoders: object = None, **options: object) -> PostgresWriter:
    return PostgresWriter(address, "notes", encoders or HashedEncoders(), **options)  # type: ignore[arg-type]


def _open(address: Address, **options: object) -> PostgresIndex:
    return PostgresIndex.connect(address, "notes", HashedEncoders(), **options)  # type: ignore[arg-type]


def _search(address: Address, query: str) -> list[tuple[str, float]]:
    index = _open(address)
    try:
        return [(h.passage.uri, round(h.score, 3)) for h in index.search(query).hits]
    finally:
        index.close()


def test_build_then_search_gives_rank_and_score_of_every_stage(address: Address) -> None:
    result = _writer(address).build([MemorySource(TEXTS)])
    assert (result.manifest.documents, result.manifest.missing_stages) == (3, ())
    assert result.encoded == 6 and len(result.changes.added) == 3
    index = _open(address)
    found = index.search("when does the lease end")
    assert found.hits[0].passage.uri == "/papers/c.md"
    assert set(found.hits[0].stages) == {"lexical", "dense", "sparse"}
    assert all(place.rank == 1 for place in found.hits[0].stages.values())
    several = index.search([Query("kelp"), Query("lease", weight=2.0)], fusion="rrf")
    assert several.hits[0].passage.uri == "/papers/c.md" and len(several.hits[0].shares) == 2
    index.close()


def test_dense_and_sparse_rank_as_an_index_in_files_does(address: Address, tmp_path: Path) -> None:
    words = ["kelp", "otter", "lease", "lyon", "bridge", "tower", "iron", "sea", "cold", "day"]
    random = np.random.default_rng(5)
    texts: dict[str, str | None] = {
        f"/d/{number:03d}": " ".join(random.choice(words, size=random.integers(3, 20)))
        for number in range(150)
    }
    IndexWriter(tmp_path / "notes", HashedEncoders()).build([MemorySource(texts)])
    _writer(address).build([MemorySource(texts)])
    ours, files = _open(address), Index.open(tmp_path / "notes", HashedEncoders())
    for query in ("kelp otter bridge", "cold iron sea", "lyon"):
        for stage in ("dense", "sparse"):
            lists = []
            for index in (ours, files):
                ((rankings,), _) = index.rank([Query(query)], 20, [stage])
                ids = [p.id for p in index.store.by_rows(rankings[stage].rows.tolist())]
                lists.append((ids, rankings[stage].scores))
            # Ties may fall otherwise, and half precision rounds: the scores have to agree.
            assert np.allclose(lists[0][1], lists[1][1], atol=2e-3)
            assert lists[0][0][0] == lists[1][0][0]
    ours.close()


def test_store_reads_like_the_one_in_files(address: Address, tmp_path: Path) -> None:
    texts: dict[str, str | None] = {
        **TEXTS,
        "/z": "Prose. " * 2000,
        "/ü": "Zwölf Boxkämpfer 🦦 jagen.",
    }
    result = IndexWriter(tmp_path / "notes", HashedEncoders()).build([MemorySource(texts)])
    files = PassageStore(tmp_path / "notes" / result.manifest.generation / "passages.sqlite")
    _writer(address).build([MemorySource(texts)])
    with opened(address, "notes") as session:
        store = PostgresStore(session, generations.current(session))
        assert store.passage_count == files.passage_count > 5
        assert store.document_count == files.document_count == 5
        assert {p.id: p for p in store.passages()} == {p.id: p for p in files.passages()}
        assert list(store.documents(with_text=True)) == list(files.documents(with_text=True))
        assert store.fingerprints() == files.fingerprints()
        assert store.uris_of("memory:") == set(texts)
        one = next(files.passages())
        assert store.passage(one.id) == one and store.passage("none") is None
        assert store.document(one.document_id) == files.document(one.document_id)
        rows = store.rows_of([one.id, "none"])
        assert store.by_rows(rows) == [one]
        assert store.by_rows([]) == []
    files.close()


def test_characters_that_the_server_cannot_hold_keep_their_place(address: Address) -> None:
    text = "Before\x00after \ud800 the kelp."
    _writer(address).build([MemorySource({"a": text})])
    index = _open(address)
    (hit,) = index.search("ke\x00lp kelp").hits
    assert hit.passage.text == "Before\ufffdafter \ufffd the kelp."
    assert hit.passage.text.index("kelp") == text.index("kelp")
    index.close()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), set(TEXTS)),
        (Filter(documents=("/papers/c.md",)), {"/papers/c.md"}),
        (Filter(folders=("/notes",)), {"/notes/a.md", "/notes/b.md"}),
        (Filter(folders=("/note",)), set()),
        (Filter(folders=("/papers/", "/notes")), set(TEXTS)),
        (Filter(sources=("memory:",), documents=("/notes/a.md",)), {"/notes/a.md"}),
        (Filter(sources=("other:",)), set()),
        (Filter(languages=("de",)), {"/notes/b.md"}),
        (Filter(since=1.0), set()),
    ],
)
def test_filters_hold_inside_every_stage(
    address: Address, wanted: Filter, expected: set[str]
) -> None:
    def language(text: str) -> str:
        return "de" if "metre" in text else "en"

    _writer(address, language_of=language).build([MemorySource(TEXTS)])
    with opened(address, "notes") as session:
        generation = generations.current(session)
        store = PostgresStore(session, generation)
        allowed, encoders = store.allowed(wanted), HashedEncoders()
        query = "kelp lease Lyon metre water otters"
        lexical = PostgresLexical(session, generation, ["english", "german"], 3)
        by_stage = {known.stage: known for known in known_encoders(session)}
        for exact_up_to in (0, 100):  # with 0 the filtered rows are more than "few"
            dense = PostgresDense(session, generation, by_stage["dense"], 3, exact_up_to)
            sparse = PostgresSparse(session, generation, by_stage["sparse"], 3, exact_up_to)
            for found in (
                lexical.search(query, 10, allowed),
                dense.search(encoders.dense().encode([query])[0], 10, allowed),
                sparse.search(encoders.sparse().encode([query]), 10, allowed),
            ):
                assert {p.uri for p in store.by_rows(found.rows.tolist())} == expected
        # A filter takes passages away, it changes no score.
        free = lexical.search(query, 10)
        scores = dict(zip(free.rows.tolist(), free.scores.tolist(), strict=True))
        limited = lexical.search(query, 10, allowed)
        assert all(
            scores[row] == score
            for row, score in zip(limited.rows.tolist(), limited.scores.tolist(), strict=True)
        )


def test_bm25_is_the_formula(address: Address) -> None:
    """Against BM25 with Lucene's idf, computed by hand from words that no stemmer touches."""
    texts: dict[str, str | None] = {
        "the": "zeppo zeppo harpo",
        "and": "zeppo gummo groucho chico",
        "for": "harpo gummo",
    }  # fmt: skip - the uris are titles too, so they are words that no search knows
    _writer(address).build([MemorySource(texts)])
    index = _open(address)
    ((rankings,), _) = index.rank([Query("zeppo harpo")], 10, ["lexical"])
    found = index.store.by_rows(rankings["lexical"].rows.tolist())
    got = dict(zip((p.uri for p in found), rankings["lexical"].scores.tolist(), strict=True))
    index.close()
    split = {uri: (text or "").split() for uri, text in texts.items()}
    expected = {}
    for uri, words in split.items():
        score = 0.0
        for term in ("zeppo", "harpo"):
            df = sum(term in other for other in split.values())
            tf = words.count(term)
            norm = 0.9 * (1 - 0.4 + 0.4 * len(words) / 90)
            score += np.log(1 + (3 - df + 0.5) / (df + 0.5)) * tf / (tf + norm)
        if score > 0:
            expected[uri] = score
    assert got == pytest.approx(expected, rel=1e-5)


def test_phrases_and_websearch_syntax(address: Address) -> None:
    _writer(address).build([MemorySource(TEXTS)])
    with opened(address, "notes") as session:
        generation = generations.current(session)
        store = PostgresStore(session, generation)
        lexical = PostgresLexical(session, generation, ["english"], 3)
        for found, uris in (
            (lexical.phrase("wrap themselves in kelp", 5), ["/notes/a.md"]),
            (lexical.phrase("kelp wrap", 5), []),
            (lexical.by_server_rank('"kelp forests" -otters', 5), ["/notes/b.md"]),
        ):
            assert [p.uri for p in store.by_rows(found.rows.tolist())] == uris


@pytest.mark.parametrize("query", ["'; DROP SCHEMA", "a & | !", "\\'\\", "%s %(x)s", "()<->:*"])
def test_queries_are_never_syntax(address: Address, query: str) -> None:
    texts: dict[str, str | None] = {"odd": f"drop {query} schema's kelp"}
    _writer(address).build([MemorySource(texts)])
    assert _search(address, f"{query} kelp")[0][0] == "odd"


def test_an_update_touches_only_what_changed(address: Address) -> None:
    encoders = HashedEncoders()
    _writer(address, encoders).build([MemorySource(TEXTS)])
    source = MemorySource({**TEXTS, "/notes/b.md": "Iron bridges rust.", "/new": "New words."})
    del source.texts["/papers/c.md"]
    result = _writer(address, encoders).build([source])
    assert source.loaded == 2
    changes = result.changes
    assert (changes.added, changes.changed) == (["/new"], ["/notes/b.md"])
    assert (changes.removed, changes.unchanged) == (["/papers/c.md"], 1)
    assert encoders.dense().encoded == len(TEXTS) + 2
    assert result.manifest.generation == "g000002"
    assert _search(address, "rust")[0][0] == "/notes/b.md"
    assert "/papers/c.md" not in {uri for uri, _ in _search(address, "lease Lyon")}
    again = _writer(address, encoders).build([source])
    assert not again.changes and again.manifest.generation == "g000002"
    assert again.encoded == 0
    assert all(finding.ok for finding in verify_postgres(address, "notes", encoders))


def test_an_update_equals_a_fresh_build(address: Address, socket_folder: Path) -> None:
    states = [
        {"a": "kelp otter", "b": "lease lyon", "c": "iron bridge tower"},
        {"a": "kelp otter sea", "c": "iron bridge tower", "d": "lease lyon"},
        {"b": "lease lyon", "d": "sea sea kelp"},
    ]
    for state in states:
        _writer(address).build([MemorySource(dict(state))])
    session = Session(address)
    session.run("CREATE DATABASE fresh")
    session.close()
    fresh = Address.parse(f"postgresql://postgres@/fresh?host={socket_folder}")
    _writer(fresh).build([MemorySource(dict(states[-1]))])
    for query in ("kelp lease", "bridge tower iron", "sea"):
        assert _search(address, query) == _search(fresh, query)


def test_a_reader_keeps_its_generation_until_it_closes(address: Address) -> None:
    _writer(address).build([MemorySource(TEXTS)])
    old = _open(address)
    _writer(address).build([MemorySource({"z": "Nothing here."})])
    _writer(address).build([MemorySource({"z": "Nothing here.", "y": "Nor here."})])
    assert not old.is_current
    assert old.search("lease").hits[0].passage.uri == "/papers/c.md"
    assert old.store.passage_count == 3
    with opened(address, "notes") as session:
        assert session.value("SELECT count(*) FROM documents") == 5
    old.close()
    _writer(address).build([MemorySource({"z": "Nothing here."})])
    with opened(address, "notes") as session:
        assert session.value("SELECT count(*) FROM documents") == 1
        for known in known_encoders(session):
            assert session.value(f"SELECT count(*) FROM {known.table}") == 1


def test_readers_see_nothing_of_what_is_staged(address: Address) -> None:
    _writer(address).build([MemorySource(TEXTS)])
    seen: list[list[tuple[str, float]]] = []
    before = _search(address, "lease kelp")
    _writer(address, on_progress=lambda p: seen.append(_search(address, "lease kelp"))).build(
        [MemorySource({"z": "kelp lease kelp lease"})]
    )
    assert len(seen) > 1 and all(hits == before for hits in seen)
    assert [uri for uri, _ in _search(address, "lease kelp")] == ["z"]


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("stage", ["read", "dense", "sparse"])
def test_an_interrupted_build_goes_on(address: Address, stage: str) -> None:
    encoders = HashedEncoders()
    texts: dict[str, str | None] = {f"d{n}": f"word{n} kelp number {n}" for n in range(150)}

    def kill(progress: object) -> None:
        if progress.stage == stage and progress.done:  # type: ignore[attr-defined]
            raise _KilledError

    with pytest.raises(_KilledError):
        _writer(address, encoders, batch=16, on_progress=kill).build([MemorySource(texts)])
    source = MemorySource(texts)
    _writer(address, encoders, batch=16).build([source])
    assert source.loaded == (150 - 64 if stage == "read" else 0)
    assert encoders.dense().encoded == encoders.sparse().encoded == 150
    assert _open(address).manifest.missing_stages == ()
    assert len(_search(address, "word7")) > 0
    assert all(finding.ok for finding in verify_postgres(address, "notes", encoders))


def test_deleted_documents_leave_no_row_and_stay_out(address: Address) -> None:
    _writer(address).build([MemorySource(TEXTS)])

    class NoWeights:
        def dense(self) -> None:
            raise ModelMissingError("no weights")

        sparse = dense

    with pytest.raises(UnknownNameError, match="/papers/d"):
        _writer(address).delete_documents(["/papers/d.md"])
    result = _writer(address, NoWeights()).delete_documents(["/papers/c.md"])
    assert result.manifest.missing_stages == () and result.manifest.documents == 2
    with opened(address, "notes") as session:
        tables = [name for (name,) in session.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s",
            (session.schema,),
        )]  # fmt: skip
        assert "passages" in tables
        for table in tables:
            (rows,) = session.one(f"SELECT string_agg(t::text, ' ') FROM {table} t") or ("",)
            assert "Lyon" not in (rows or "") and "lyon" not in (rows or "")
        for known in known_encoders(session):
            assert session.value(f"SELECT count(*) FROM {known.table}") == 2
    again = _writer(address).build([MemorySource(TEXTS)])
    assert again.changes.left_out == ["/papers/c.md"]
    back = _writer(address).build([MemorySource(TEXTS)], put_back=["/papers/c.md"])
    assert back.changes.added == ["/papers/c.md"]


def test_failures_keep_what_could_be_read_before(address: Address) -> None:
    _writer(address).build([MemorySource(TEXTS)])
    source = MemorySource({**TEXTS, "/papers/c.md": None, "/notes/b.md": None})
    source.texts.pop("/notes/a.md")
    changes = _writer(address).build([source]).changes
    assert {failure.uri for failure in changes.failures} == {"/papers/c.md", "/notes/b.md"}
    assert changes.removed == ["/notes/a.md"]
    assert _search(address, "lease")[0][0] == "/papers/c.md"


def test_one_writer_at_a_time(address: Address) -> None:
    _writer(address).build([MemorySource(TEXTS)])
    with (
        opened(address, "notes") as session,
        generations.writer_lock(session, "notes"),
        pytest.raises(IndexLockedError),
    ):
        _writer(address).build([MemorySource(TEXTS)])
    _writer(address).build([MemorySource(TEXTS)])


def test_graphs_answer_filtered_searches_too(address: Address) -> None:
    words = [f"w{number}" for number in range(40)]
    random = np.random.default_rng(7)
    texts: dict[str, str | None] = {
        f"/{'rare' if number % 50 == 0 else 'often'}/{number:04d}": " ".join(
            random.choice(words, size=12)
        )
        for number in range(600)
    }
    _writer(address, graph_above=100).build([MemorySource(texts)])
    walked, exact = _open(address, exact_up_to=10), _open(address)
    with opened(address, "notes") as session:
        assert all(has_graph(session, known) for known in known_encoders(session))
    overlap = []
    for _ in range(20):
        query = " ".join(random.choice(words, size=5))
        for stage in ("dense", "sparse"):
            found = []
            for index in (walked, exact):
                ((rankings,), _) = index.rank([Query(query)], 10, [stage])
                found.append(set(rankings[stage].rows.tolist()))
            overlap.append(len(found[0] & found[1]) / max(len(found[1]), 1))
    assert np.mean(overlap) > 0.9
    # Twelve of the rows are allowed; the walk goes on until it has met them.
    with opened(address, "notes") as session:
        generation = generations.current(session)
        store = PostgresStore(session, generation)
        known = next(k for k in known_encoders(session) if k.stage == "dense")
        dense = PostgresDense(session, generation, known, 600, exact_up_to=10)
        vector = HashedEncoders().dense().encode(["w1 w2 w3"])[0]
        ranking = dense.search(vector, 12, store.allowed(Filter(folders=("/rare",))))
        uris = [p.uri for p in store.by_rows(ranking.rows.tolist())]
        assert len(uris) == 12 and all(uri.startswith("/rare/") for uri in uris)
    walked.close()
    exact.close()


def test_verify_finds_damage(address: Address) -> None:
    encoders = HashedEncoders()
    _writer(address).build([MemorySource(TEXTS)])

    def wrong() -> set[str]:
        findings = verify_postgres(address, "notes", encoders)
        assert all(finding.remedy for finding in findings if not finding.ok)
        return {finding.check for finding in findings if not finding.ok}

    assert wrong() == set()
    with opened(address, "notes") as session:
        dense = next(k for k in known_encoders(session) if k.stage == "dense")
        session.run(f"UPDATE {dense.table} SET encoding = l2_normalize(encoding + "
                    "('[' || repeat('0.1,', 31) || '0.1]')::halfvec)")  # fmt: skip
        assert wrong() == {"encodings"}
        session.run(f"DELETE FROM {dense.table}")
        assert "stages" in wrong()
        session.run("UPDATE documents SET text = replace(text, 'kelp', 'weed')")
        assert "texts" in wrong()
        session.run("UPDATE documents SET text = 'x'")
        session.run("DELETE FROM passages WHERE number = 1")
        assert "tables" in wrong()


def test_indexes_of_other_kinds_and_states(address: Address) -> None:
    with pytest.raises(IndexNotFoundError, match="notes"):
        _open(address)
    _writer(address).build([MemorySource({})])
    empty = _open(address)
    assert empty.search("anything").hits == []
    empty.close()
    with opened(address, "notes") as session:
        session.run("UPDATE meta SET format = 99")
    with pytest.raises(IndexFormatError, match="99"):
        _open(address)
    with opened_unchecked(address) as session:
        session.run("UPDATE meta SET format = %s", (schema.FORMAT,))
    _writer(address).delete_index()
    with pytest.raises(IndexNotFoundError):
        _writer(address).delete_index()


class opened_unchecked:  # noqa: N801 - reads like `opened`
    def __init__(self, address: Address) -> None:
        self.session = Session(address, schema.schema_of("notes"))

    def __enter__(self) -> Session:
        return self.session

    def __exit__(self, *_: object) -> None:
        self.session.close()


def test_missing_weights_leave_lexical_search(address: Address) -> None:
    class NoWeights:
        def dense(self) -> None:
            raise ModelMissingError("no weights", remedy="fetch them")

        sparse = dense

    with pytest.raises(ModelMissingError):
        _writer(address, NoWeights()).build([MemorySource(TEXTS)])
    index = _open(address)
    assert index.manifest.missing_stages == ("dense", "sparse")
    assert index.search("lease").hits[0].passage.uri == "/papers/c.md"
    assert _writer(address).build([MemorySource(TEXTS)]).manifest.missing_stages == ()
    assert not index.is_current
    index.close()


def test_another_encoder_is_another_table_and_the_old_one_leaves(address: Address) -> None:
    _writer(address).build([MemorySource(TEXTS)])
    encoders = HashedEncoders()
    encoders.dense().fingerprint = "another"
    result = _writer(address, encoders).build([MemorySource(TEXTS)])
    assert result.encoded == 3 and result.manifest.stages["dense"].fingerprint == "another"
    index = _open(address)  # with the first encoder
    assert "encoded by another embedder" in index.search("lease").missing["dense"]
    index.close()
    with opened(address, "notes") as session:
        assert len(known_encoders(session)) == 2


def test_a_folder_names_the_server_without_the_password(address: Address, tmp_path: Path) -> None:
    secret = "hunter2"
    text = address.text.replace("postgres@", f"postgres:{secret}@")
    _writer(Address.parse(text)).build([MemorySource(TEXTS)])
    write_engine(tmp_path / "notes", Address.parse(text))
    assert all(secret.encode() not in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert read_engine(tmp_path / "notes") == address
    index = PostgresIndex.open(tmp_path / "notes", HashedEncoders())
    assert index.search("lease").hits
    index.close()


def test_a_server_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    there = Address.parse(f"postgresql://me:hunter2@/none?host={tmp_path}")
    with pytest.raises(StorageError, match="cannot be reached") as caught:
        _open(there)
    assert "hunter2" not in str(caught.value) and "PGPASSFILE" in caught.value.remedy


def test_a_lost_connection_is_noticed_and_what_it_held_is_free(address: Address) -> None:
    _writer(address).build([MemorySource(TEXTS)])
    old = _open(address)
    _writer(address).build([MemorySource({"z": "Nothing here."})])
    session = Session(address)
    session.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    session.close()
    assert not old.is_current
    with pytest.raises(StorageError):
        old.search("lease")
    _writer(address).build([MemorySource({"y": "Nor here."})])
    with opened(address, "notes") as session:
        assert session.value("SELECT count(*) FROM documents") == 1
