"""`assistant knowledge` on a small index, with a teacher that writes what the test says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.cli.knowledge import seconds_of
from assistant.errors import ModelMissingError, UsageError
from assistant.events import PassagesFound, from_json
from assistant.knowledge.store import KnowledgeStore
from assistant.workspace import Workspace
from indexes.corpora import open_source
from tests.fast.cli.conftest import Call
from tests.fast.indexes.sources import HashedEncoders
from tests.fast.knowledge.teachers import GOOD, TEXTS, Taught, WritingTeacher, about


@pytest.fixture
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Taught:
    monkeypatch.setattr(Workspace, "encoders", HashedEncoders())
    made = Taught(tmp_path / "home" / "indexes" / "notes")
    teacher = WritingTeacher(about)
    monkeypatch.setattr(
        "assistant.knowledge.teachers.teaching_model", lambda *_: (teacher, "toy/1")
    )
    return made


def _built(call: Call, *more: str) -> Any:
    arguments = ("--n", "1", "--questions", "1", "--statements", "1", *more)
    return call("knowledge", "build", "notes", *arguments, "--json").json


def test_build_status_list_show(call: Call, taught: Taught) -> None:
    report = _built(call, "--passages", "2")
    assert (report["entries"], report["covered"], report["left"]) == (4, 2, 1)
    assert report["stopped"] == "as many passages as were asked for"
    report = _built(call)
    assert (report["passages"], report["covered"], report["searchable"]) == (1, 3, 6)
    status = call("knowledge", "status", "notes", "--json").json
    assert status["covered"] == 3 and status["current"] is True
    assert status["entries"] == {"generated": 6, "approved": 0, "rejected": 0}
    assert "3 of 3 passages" in call("knowledge", "status", "notes").out
    listed = call("knowledge", "list", "notes", "--json").json
    assert listed["total"] == 6
    first = listed["entries"][0]
    shown = call("knowledge", "show", "notes", first["id"][:8], "--json").json
    assert shown["text"] == first["text"] and shown["passage"]["id"] == first["passage_id"]
    assert first["id"] in call("knowledge", "show", "notes", first["id"]).out
    assert call("knowledge", "list", "notes", "-n", "2").out.count("\n") == 3


def test_log_probabilities_are_kept_where_wanted(call: Call, taught: Taught) -> None:
    _built(call, "--logprobs", "4")
    entries = call("knowledge", "list", "notes", "--json").json["entries"]
    answer = next(entry for entry in entries if entry["answer"])
    tokens = call("knowledge", "show", "notes", answer["id"], "--json").json["tokens"]
    assert "".join(token["token"] for token in tokens) == answer["answer"]
    assert all(token["logprob"] == -0.1 for token in tokens)


def test_decisions_change_what_is_searched(call: Call, taught: Taught) -> None:
    _built(call)
    question = GOOD["garden"][0]
    entries = call("knowledge", "list", "notes", "--json").json["entries"]
    entry = next(entry for entry in entries if entry["text"] == question)

    def through() -> list[str]:
        hits = call("index", "search", "notes", question.rstrip("?"), "--json").json["hits"]
        return [one["text"] for hit in hits for one in hit["through"]]

    assert question in through()
    call("knowledge", "reject", "notes", entry["id"])
    assert question not in through()
    call("knowledge", "approve", "notes", entry["id"])
    fixed = call("knowledge", "correct", "notes", entry["id"], "--answer", "two", "--json").json
    assert fixed["corrected"]["answer"] == "two" and question in through()
    tiers = call("knowledge", "list", "notes", "--tier", "approved", "--json").json["entries"]
    assert [one["answer"] for one in tiers] == ["two"]
    call("knowledge", "delete", "notes", entry["id"])
    assert question not in through()
    assert _built(call)["passages"] == 0
    assert call("knowledge", "status", "notes", "--json").json["deleted"] == 1


def test_what_was_prepared_can_be_switched_off(call: Call, taught: Taught) -> None:
    _built(call)
    query = GOOD["garden"][0].rstrip("?")
    off = call("--set", "knowledge.use=off", "index", "search", "notes", query, "--json").json
    on = call("index", "search", "notes", query, "--json").json
    assert "prepared" in on["stages"] and "prepared" not in off["stages"]
    assert "found through a prepared question" in call("index", "search", "notes", query).out


def test_an_answer_tells_what_its_passages_were_found_through(call: Call, taught: Taught) -> None:
    _built(call)
    question = GOOD["garden"][0]
    asked = ("ask", question, "-i", "notes", "--reader", "extractive")
    events = call(*asked, "--json").json["events"]
    (found, *_) = [event for event in events if event["event"] == "PassagesFound"]
    entries = [entry for passage in found["passages"] for entry in passage["prepared"]]
    assert (entries[0]["question"], entries[0]["answer"]) == (question, "three")
    assert entries[0]["tier"] == "generated" and 0 < entries[0]["score"] <= 1
    assert "prepared" in found["stages"]
    assert f"found through a prepared question: {question}" in call(*asked, "--trace").err
    event = from_json(json.dumps(found))  # an old answer is read back with them
    assert isinstance(event, PassagesFound)
    assert event.passages[0].prepared[0].question == question


def test_without_an_embedder_entries_are_found_by_their_words(
    call: Call, taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoEncoders:
        def dense(self) -> None:
            raise ModelMissingError("not installed", remedy="assistant models fetch embedder")

        sparse = dense

    monkeypatch.setattr(Workspace, "encoders", NoEncoders())
    assert _built(call)["searchable"] == 6
    query = GOOD["garden"][0].rstrip("?")
    hits = call("index", "search", "notes", query, "--json").json["hits"]
    assert hits[0]["through"][0]["text"] == GOOD["garden"][0]


def test_export(call: Call, taught: Taught, tmp_path: Path) -> None:
    _built(call)
    file = tmp_path / "rows.jsonl"
    done = call("knowledge", "export", "notes", "--squad", file, "--json").json
    assert done["rows"] == 3 and done["left_out"] == {"a statement": 3}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert all(row["answers"][0] in row["passage"] for row in rows)
    missing = call("knowledge", "export", "notes", "--squad", tmp_path / "no" / "rows.jsonl")
    assert missing.status == 2


def test_styles_are_compared_and_nothing_is_kept(call: Call, taught: Taught) -> None:
    found = call("knowledge", "compare-styles", "notes", "--passages", "3", "--json").json
    assert [style["name"] for style in found["styles"]] == ["plain", "tuned"]
    assert call("knowledge", "list", "notes").status == 2  # there is no store


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build", "nothing"), "nothing"),
        (("build", "notes", "--budget", "soon"), "'soon' is no time"),
        (("build", "notes", "--style", "plane"), "did you mean 'plain'"),
        (("build", "notes", "--questions", "0", "--statements", "0"), "neither"),
        (("list", "notes", "--tier", "good"), "no tier 'good'"),
        (("status", "notes"), "no knowledge store"),
        (("show", "notes", "abc"), "no knowledge store"),
    ],
)
def test_wrong_usage(call: Call, taught: Taught, arguments: tuple[str, ...], said: str) -> None:
    done = call("knowledge", *arguments)
    assert done.status == 2 and said in done.err


def test_budgets() -> None:
    assert [seconds_of(text) for text in ("90s", "1.5m", "2H", None)] == [90, 90, 7200, None]
    with pytest.raises(UsageError):
        seconds_of("30")


def test_verify_says_how_the_store_is(call: Call, taught: Taught) -> None:
    def finding() -> dict[str, Any]:
        found = call("index", "verify", "notes", "--json").json["findings"]
        (one,) = [f for f in found if f["check"].startswith("knowledge")]
        return dict(one)

    assert finding()["message"] == "there is none"
    _built(call)
    assert finding() == {
        "check": "knowledge",
        "ok": True,
        "message": "6 entries, 6 searchable",
        "remedy": "",
    }
    entries = call("knowledge", "list", "notes", "--json").json["entries"]
    KnowledgeStore(taught.folder).delete(entries[0]["id"])  # killed before it was published
    assert "index update notes" in finding()["message"]
    (taught.folder / "knowledge.sqlite").write_bytes(b"nothing of use" * 500)
    wrong = finding()
    assert wrong["ok"] is False and "knowledge build notes" in wrong["remedy"]


def test_a_damaged_search_structure_is_found(call: Call, taught: Taught) -> None:
    _built(call)
    (place,) = (taught.folder / "knowledge").glob("g*")
    victim = next(path for path in place.glob("dense-*/vectors.npy"))
    victim.write_bytes(victim.read_bytes()[:-40])
    found = call("index", "verify", "notes", "--json")
    assert found.status == 1
    assert any(f["check"].startswith("knowledge:") for f in found.json["findings"] if not f["ok"])


def _collection(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": name, "title": "", "text": text} for name, text in TEXTS.items()]
    (folder / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    queries = [{"_id": name, "text": good[0]} for name, good in GOOD.items()]
    (folder / "queries.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in queries))
    judged = "".join(f"{name}\t{name}\t1\n" for name in GOOD)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return folder


def test_a_store_is_measured_and_can_be_taken_over(
    call: Call, taught: Taught, tmp_path: Path
) -> None:
    collection = _collection(tmp_path / "toy")
    nothing = call("eval", "knowledge", collection)
    assert nothing.status == 2 and "no knowledge store" in nothing.err
    built = call("eval", "knowledge", collection, "--build", "--json").json
    assert (built["covered"], built["passages"], built["reachable"]) == (3, 3, 3)
    assert [one["measure"] for one in built["all"]] == ["R@5", "nDCG@5"]
    assert built["all"][0]["without"] == 1.0 and "no significant change" in built["verdict"]
    # The same texts in another index: entries belong to texts, not to places.
    other = Taught(tmp_path / "home" / "indexes" / "other", {})
    other.writer.build([open_source(f"beir:{collection}")])
    call("knowledge", "build", "other", "--n", "1", "--passages", "2")
    file = tmp_path / "home" / "indexes" / "other" / "knowledge.sqlite"
    taken = call("eval", "knowledge", collection, "--entries", file, "--json").json
    assert taken["covered"] == 2
    assert call("eval", "knowledge", collection, "--entries", file, "--build").status == 2
    assert "reachable" in call("eval", "knowledge", collection).out
