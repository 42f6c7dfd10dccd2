"""The rule by which adapted weights are installed, and what it is measured on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.adapting.judging import DECIDING, SIGNIFICANT, Comparison, Searching
from assistant.adapting.questions import Question
from assistant.errors import UsageError
from eval.adapting import (
    JudgedQuestions,
    SearchJudge,
    decided,
    judged_queries,
    kept_questions,
)
from eval.own.expectations import Expectation, Place
from eval.own.store import OwnQuestions
from eval.significance import paired_randomisation
from indexes.documents import Passage
from indexes.refining.refinement import Refinement
from tests.fast.assistant.helpers import hashed_workspace


def compared(before: float, after: float, p: float = 0.01, questions: int = 50) -> Comparison:
    return Comparison(questions, {DECIDING: before}, {DECIDING: after}, p)


@pytest.mark.parametrize(
    ("held_out", "kept", "better", "why"),
    [
        (compared(0.5, 0.6), None, True, "^better: .*p = 0.010"),
        (compared(0.5, 0.6), compared(0.7, 0.7, 1.0, 3), True, "^better"),
        (compared(0.5, 0.6), compared(0.7, 0.69, 1.0, 3), False, "worse on your own kept"),
        (compared(0.5, 0.6, 0.025), None, False, "not measurably better"),
        (compared(0.5, 0.4), None, False, "^not better"),
        (compared(0.5, 0.5, 1.0), None, False, "^not better"),
    ],
)
def test_the_rule(held_out: Comparison, kept: Comparison | None, better: bool, why: str) -> None:
    import re

    found, reason = decided(held_out, kept)
    assert found is better
    assert re.search(why, reason), reason


TEXTS = {f"/notes/{number}": f"The {animal} sleeps at night near the sea." for number, animal in
         enumerate(("otter", "seal", "walrus", "gull", "crab", "eel"))}  # fmt: skip


class Backwards:
    """A reranker that likes the later rows."""

    def scores(self, query: str, passages: list[Passage]) -> np.ndarray:
        return np.array([float(p.uri[-1]) for p in passages], dtype=np.float32)


def test_both_ways_are_measured_on_all_three_sets(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, TEXTS)
    index = workspace.index("notes")
    by_uri = {passage.uri: passage for passage in index.store.passages()}
    plain = Searching(index, Refinement())
    turned = Searching(index, Refinement(Backwards(), rerank_weight=1.0))
    held_out = [
        Question(f"q{n}", f"where does the {animal} sleep", by_uri[f"/notes/{n}"].id, "", (), "d", "k", "model")
        for n, animal in enumerate(("otter", "seal", "walrus", "gull"))
    ]  # fmt: skip
    last = by_uri["/notes/5"].id
    kept = JudgedQuestions({"own": "the eel sleeps"}, {"own": {last: 1}}, left_out=2)
    judge = SearchJudge(workspace.settings.retrieval, kept, None)
    found = judge("reranker", plain, turned, held_out)
    assert found.held_out.questions == 4 and found.held_out.before[DECIDING] == 1.0
    # the passage looked for is at the places 6, 5, 4 and 3 of 6
    gains = [1 / np.log2(place + 1) for place in (6, 5, 4, 3)]
    assert found.held_out.after[DECIDING] == pytest.approx(np.mean(gains), abs=1e-4)
    assert found.held_out.after["RR@10"] == pytest.approx(
        np.mean([1 / 6, 1 / 5, 1 / 4, 1 / 3]), abs=1e-4
    )
    assert found.held_out.after["R@5"] == 0.75
    assert found.kept is not None and found.kept.after[DECIDING] == 1.0
    assert not found.better and found.also is None
    assert list(found.notes) == ["2 kept questions name no place in this index"]


def test_queries_made_of_sentences_do_not_decide_alone(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, TEXTS)
    index = workspace.index("notes")
    ids = [passage.id for passage in index.store.passages()]
    asked = [Question(f"q{n}", "the eel", ids[0], "", (), "d", "k", "cloze") for n in range(9)]
    now = Searching(index, Refinement())
    kept = JudgedQuestions({"mine": "where does the otter sleep"}, {"mine": {ids[0]: 1}})
    for questions, said in ((JudgedQuestions({}, {}), "keep some questions"), (kept, "")):
        judge = SearchJudge(workspace.settings.retrieval, questions, None)
        found = judge.no_room(now, asked)
        assert said in found and bool(said) == bool(found)


@pytest.mark.parametrize("can_gain", [6, 7])
def test_a_search_that_is_nearly_perfect_leaves_no_room(tmp_path: Path, can_gain: int) -> None:
    workspace = hashed_workspace(tmp_path, TEXTS)
    index = workspace.index("notes")
    ids = [passage.id for passage in index.store.passages()]
    asked = [
        Question(f"q{n}", f"where does the {animal} sleep", ids[n], "", (), "d", "k", "model")
        for n, animal in enumerate(("otter", "seal", "walrus", "gull"))
    ]  # fmt: skip
    wrong = [
        Question(f"w{n}", "the eel", ids[0], "", (), "d", "k", "model") for n in range(can_gain)
    ]
    judge = SearchJudge(workspace.settings.retrieval, JudgedQuestions({}, {}), None)
    said = judge.no_room(Searching(index, Refinement()), [*asked, *wrong])
    assert bool(said) == (can_gain < 7)
    # the smallest p that so many questions can have, by the test itself
    better = [0.0] * 4 + [1.0] * can_gain
    assert (paired_randomisation(better, [0.0] * len(better)) < SIGNIFICANT) == (not said)


def test_kept_questions_count_where_they_name_a_place(tmp_path: Path) -> None:
    workspace = hashed_workspace(tmp_path, TEXTS)
    index = workspace.index("notes")
    store = OwnQuestions(workspace.settings.own_folder)
    seal = Expectation((Place("/notes/1", quote="The seal sleeps"),))
    wanted = store.add("Who sleeps?", "notes", seal)
    store.add("What of another index?", "papers", seal)
    store.add("No such words?", "notes", Expectation((Place("/notes/1", quote="The fox"),)))
    store.add("No place?", "notes", Expectation(contains=("seal",)))
    store.close()
    found = kept_questions(workspace.settings.own_folder, index, "notes")
    assert found.queries == {wanted.id: "Who sleeps?"} and found.left_out == 2
    (relevant,) = found.qrels[wanted.id]
    passage = index.store.passage(relevant)
    assert passage is not None and passage.uri == "/notes/1"


def test_judged_queries_of_another_corpus_are_refused(tmp_path: Path) -> None:
    index = hashed_workspace(tmp_path / "home", TEXTS).index("notes")
    folder = tmp_path / "collection"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(json.dumps({"_id": "x", "title": "", "text": "t"}))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "who"}))
    qrels = folder / "qrels" / "test.tsv"
    qrels.write_text("query-id\tcorpus-id\tscore\nq\tx\t1\n")
    with pytest.raises(UsageError, match="holds no relevant passage"):
        judged_queries(folder, index)
    document = next(iter(index.store.documents()))
    qrels.write_text(f"query-id\tcorpus-id\tscore\nq\t{document.id}\t2\n")
    found = judged_queries(folder, index)
    (passage,) = index.store.of_document(document.id).values()
    assert found.qrels == {"q": {passage.id: 2}}
