"""BEIR and TREC: passages with the ids of their collection."""

import gzip
import json
from pathlib import Path

import pytest

from indexes.chunking import Chunker
from indexes.corpora import open_source
from indexes.documents import Document, Entry, ReadFailure


def read(spec: str) -> tuple[list[Document], list[ReadFailure]]:
    items = list(open_source(spec).entries())
    documents = [item.load() for item in items if isinstance(item, Entry)]
    return documents, [item for item in items if isinstance(item, ReadFailure)]


def lines(*records: dict | str) -> str:
    return "".join(
        (record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records
    )


def test_beir(tmp_path: Path):
    long = "Very long. " * 2000
    (tmp_path / "corpus.jsonl").write_text(
        lines(
            {"_id": "a/1", "title": "Tea", "text": "Tea is a drink."},
            {"_id": 7, "title": "", "text": f"\n{long}"},
            {"_id": "t", "title": "Only a title", "text": ""},
        )
    )
    documents, failures = read(f"beir:{tmp_path}")
    assert not failures
    passages = [passage for document in documents for passage in Chunker().split(document)]
    assert [p.id for p in passages] == ["a/1", "7", "t"]
    assert passages[0].indexed_text == "Tea\nTea is a drink."
    assert passages[1].indexed_text == long.strip()  # the id is no title
    assert passages[2].indexed_text == "Only a title"
    assert [d.title for d in documents] == ["Tea", "7", "t"]
    assert len({d.uri for d in documents}) == 3


@pytest.mark.parametrize(
    "record",
    [
        {"id": "x1", "contents": "Body."},
        {"docid": "x1", "text": "Body."},
        {"_id": "x1", "body": "Body."},
        {"id": "x1", "contents": "", "segment": "Body."},
    ],
)
def test_the_names_of_members_in_trec_files(tmp_path, record):
    path = tmp_path / "c.jsonl"
    path.write_text(lines(record))
    ((document,), failures) = read(f"trec:{path}")
    assert (document.id, document.text, failures) == ("x1", "Body.", [])


def test_clueweb_passages_keep_address_title_and_headings(tmp_path):
    path = tmp_path / "part.jsonl.gz"
    url = "https://example.org/page"
    with gzip.open(path, "wt") as file:
        for number in (1, 2):
            record = {"id": f"clueweb22-en0000-00-00000:{number}", "url": url, "title": "Page"}
            file.write(lines({**record, "headings": "Top\nBelow", "contents": f"Part {number}."}))
    documents, failures = read(f"trec:{path}")
    assert not failures
    assert [d.uri for d in documents] == [f"{url}#{d.id}" for d in documents]
    (passage,) = Chunker().split(documents[0])
    assert passage.indexed_text == "Page › Top › Below\nPart 1."


def test_the_files_of_a_folder_are_one_collection(tmp_path):
    (tmp_path / "b.jsonl").write_text(lines({"id": "2", "text": "Two."}, {"id": "1", "text": "?"}))
    (tmp_path / "a.jsonl").write_text(lines({"id": "1", "text": "One."}))
    (tmp_path / "README").write_text("Not read.")
    documents, failures = read(f"trec:{tmp_path}")
    assert [d.text for d in documents] == ["One.", "Two."]
    assert [(f.uri, f.reason) for f in failures] == [
        (f"{tmp_path}/b.jsonl:2", "the id '1' occurs a second time")
    ]


def test_a_changed_passage_has_another_fingerprint(tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_text(lines({"id": "1", "text": "Old."}, {"id": "2", "text": "Same."}))
    before = {e.uri: e.fingerprint for e in open_source(f"trec:{path}").entries()}
    path.write_text(lines({"id": "2", "text": "Same."}, {"id": "1", "text": "New."}))
    after = {e.uri: e.fingerprint for e in open_source(f"trec:{path}").entries()}
    assert set(before) == set(after)
    assert [uri for uri in before if before[uri] != after[uri]] == [f"{path}#1"]


def test_bad_lines_are_named_by_file_and_line_and_stop_nothing(tmp_path):
    path = tmp_path / "c.jsonl"
    path.write_bytes(
        lines({"id": "1", "text": "One."}, "{broken", "[1, 2]", "", {"text": "No id."}).encode()
        + lines({"id": "2"}, {"id": "3", "text": {"a": 1}}).encode()
        + b'{"id": "4", "text": "bad \xff\xfe bytes"}\n'
        + b'{"id": "5", "text": "lone \\ud800 surrogate"}\n'
        + lines({"id": "6", "text": "Six."}).encode()
    )
    documents, failures = read(f"trec:{path}")
    assert [(d.id, d.text) for d in documents] == [
        ("1", "One."),
        ("5", "lone  surrogate"),
        ("6", "Six."),
    ]
    assert [f.uri.rpartition(":")[2] for f in failures] == ["2", "3", "5", "6", "7", "8"]
    assert all(f.remedy == "mend or remove the line" for f in failures)
    assert failures[0].reason.startswith("not JSON")
    assert failures[3].reason == (
        "passage '2' has no text (one of contents, text, body, segment, passage)"
    )


def test_a_file_of_another_format_is_given_up_at_once(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps([{"id": str(n), "text": "x"} for n in range(500)], indent=1))
    documents, failures = read(f"trec:{path}")
    assert not documents
    assert len(failures) == 21
    assert "another format" in failures[-1].reason


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_a_compressed_file_cut_short_gives_what_it_has_and_says_so(tmp_path, cut):
    path = tmp_path / "c.jsonl.gz"
    records = [{"id": str(n), "text": f"{n * 7919 % 10007} passage"} for n in range(5000)]
    whole = gzip.compress(lines(*records).encode())
    path.write_bytes(whole[: int(len(whole) * cut)])
    documents, failures = read(f"trec:{path}")
    assert 0 < len(documents) < 5000
    assert len(failures) in (1, 2)  # where reading stopped, and maybe half a line before
    assert "reading stopped at line" in failures[-1].reason
    assert failures[-1].uri == str(path)


def test_a_file_that_is_not_compressed_at_all(tmp_path):
    path = tmp_path / "c.jsonl.gz"
    path.write_text(lines({"id": "1", "text": "One."}))
    _, (failure,) = read(f"trec:{path}")
    assert "reading stopped at line" in failure.reason
