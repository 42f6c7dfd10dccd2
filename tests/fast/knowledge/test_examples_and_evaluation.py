"""Entries as training rows; recall with and without a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import UsageError
from assistant.knowledge.examples import answer_spans, export_squad
from assistant.knowledge.store import KnowledgeStore
from assistant.settings import load_settings
from assistant.workspace import Workspace
from eval.collections import load_collection
from eval.knowledge import evaluate_knowledge, report_json
from indexes.corpora import open_source
from indexes.documents import Passage
from tests.fast.knowledge.teachers import GOOD, TEXTS, Taught, WritingTeacher, pair


def test_rows_have_the_answer_as_the_passage_writes_it(tmp_path: Path) -> None:
    def write(prompt: str, times: int) -> Any:
        if "boiler" in prompt:  # grounded word by word, but no span
            made = pair("Who installed the boiler in the cellar?", "brothers called thermo")
            return {"pairs": [made], "statements": [GOOD["boiler"][2]]}
        if "lease" in prompt:
            return {"pairs": [pair(GOOD["lease"][0], "31 MARCH  2027.")], "statements": []}
        return {"pairs": [pair(GOOD["garden"][0], "three")], "statements": []}

    taught = Taught(tmp_path / "notes")
    taught.build(WritingTeacher(write))
    store = KnowledgeStore(taught.folder)
    rejected = next(entry for entry in store.entries() if entry.answer == "three")
    store.set_tier(rejected.id, "rejected")
    file = tmp_path / "rows.jsonl"
    done = export_squad(store.entries(), taught.index.store, file)
    (row,) = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert row["answers"] == ["31 March 2027"] and row["answerable"] is True
    assert row["passage"] == TEXTS["lease"] and row["question"] == GOOD["lease"][0]
    assert row["answers"][0] in row["passage"]
    assert done.rows == 1
    assert done.left_out["rejected"] == 1
    assert done.left_out["a statement"] == 1
    assert done.left_out["the answer is no span of the passage"] == 1


@pytest.mark.parametrize(
    ("answer", "spans"),
    [("Ann  lee", ["Ann Lee"]), ("an", []), ("", []), (".", []), ("C++", ["C++"])],
)
def test_spans_are_whole_words(answer: str, spans: list[str]) -> None:
    text = "Ann Lee wrote C++ for years."
    assert answer_spans(answer, Passage("p", "d", text, 0, len(text))) == spans


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """Three passages; only the first query needs what a teacher can add."""
    folder = tmp_path / "toy"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": name, "title": "", "text": text} for name, text in TEXTS.items()]
    (folder / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    queries = {"q1": "firm that fitted heating", "q2": "apple trees", "q3": "lease Mill Lane"}
    (folder / "queries.jsonl").write_text(
        "".join(f"{json.dumps({'_id': q, 'text': text})}\n" for q, text in queries.items())
    )
    qrels = "query-id\tcorpus-id\tscore\nq1\tboiler\t1\nq2\tgarden\t1\nq3\tlease\t1\n"
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def test_recall_with_and_without_the_store(tmp_path: Path, collection: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    weights = {"retrieval.dense_weight": 0.0, "retrieval.sparse_weight": 0.0}
    workspace = Workspace(load_settings(weights, home=home, environ={}))
    taught = Taught(tmp_path / "indexes" / "toy", {})
    taught.writer.build([open_source(f"beir:{collection}")])

    def write(prompt: str, times: int) -> Any:
        if "boiler" in prompt:
            made = pair("Which firm fitted the heating?", "Thermo Brothers")
            return {"pairs": [made], "statements": []}
        return ""

    taught.build(WritingTeacher(write))
    workspace.encoders = taught.encoders  # type: ignore[assignment]
    report = evaluate_knowledge(workspace, load_collection(collection), taught.index)
    recall, ndcg = report.all_queries
    assert (recall.without, recall.with_store) == (pytest.approx(2 / 3, abs=1e-4), 1.0)
    assert (recall.better, recall.worse, report.queries) == (1, 0, 3)
    assert ndcg.with_store == 1.0 and 0 < recall.p <= 1
    assert (report.covered, report.passages, report.reachable) == (1, 3, 1)
    assert "no significant change" in report.verdict  # one query of three can be chance
    shown = report_json(report)
    assert shown["all"][0]["measure"] == "R@5" and json.dumps(shown)
    only = evaluate_knowledge(
        workspace, load_collection(collection), taught.index, only_reachable=True
    )
    assert (only.queries, only.reachable) == (1, 1)
    assert (only.all_queries[0].without, only.all_queries[0].with_store) == (0.0, 1.0)
    untouched = evaluate_knowledge(workspace, load_collection(collection), taught.index, weight=0.0)
    assert all(one.difference == 0 for one in untouched.all_queries)


def test_without_a_store_there_is_nothing_to_measure(tmp_path: Path, collection: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    workspace = Workspace(load_settings({}, home=home, environ={}))
    taught = Taught(tmp_path / "toy2")
    with pytest.raises(UsageError, match="no knowledge store"):
        evaluate_knowledge(workspace, load_collection(collection), taught.index)
