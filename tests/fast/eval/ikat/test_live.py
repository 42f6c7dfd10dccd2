"""The ablation, runs and simulations, over a small collection with encoders made of hashes."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from assistant.cli.main import run as run_command
from assistant.errors import UsageError
from assistant.settings import load_settings
from assistant.understanding.rules import RuleUnderstander
from assistant.understanding.statements import StatementSelector
from assistant.understanding.words import simple_phrases
from assistant.workspace import Workspace
from eval.collections import load_collection
from eval.ikat.ablation import NAMES, Ablation
from eval.ikat.closed import evaluate_closed
from eval.ikat.conversations import load_conversations
from eval.ikat.replaying import shortened
from eval.ikat.running import make_run
from eval.ikat.runs import read_run
from eval.ikat.simulation import conversations_of, simulate
from eval.ikat.topics import Topic, load_topics
from eval.ikat.validation import validate
from eval.retrieval import index_collection
from tests.fast.indexes.sources import HashedEncoders

OTTERS = "Sea otters sleep on their backs and wrap themselves in kelp."
WEIGHT = "A grown sea otter weighs between fourteen and forty five kilograms."
FOOD = "Otters eat urchins, crabs and clams; they crack them with a stone."
OTHERS = {
    "kelp": "Kelp grows half a metre a day in cold water.",
    "bread": "Sourdough bread rises for a night before it is baked.",
    "lease": "The lease of the flat ends in March.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "closed"
    (made / "qrels").mkdir(parents=True)
    corpus = {"t:1_1": OTTERS, "t:1_2": WEIGHT, "t:1_3": FOOD, **OTHERS}
    _lines(made / "corpus.jsonl", [{"_id": i, "title": "", "text": t} for i, t in corpus.items()])
    asked = ["How do sea otters sleep?", "How much does a grown one weigh?", "What do they eat?"]
    queries, history = [], []
    for number, (text, answer) in enumerate(zip(asked, [OTTERS, WEIGHT, FOOD], strict=True), 1):
        queries.append(
            {
                "_id": f"t:1_{number}",
                "text": text,
                "resolved": text.replace("a grown one", "a grown sea otter"),
                "history": list(history),
                "ptkb": ["I eat crabs and clams.", "I play the violin."],
                "relevant_ptkb": ["I eat crabs and clams."] if number == 3 else [],
            }
        )
        history += [{"role": "user", "content": text}, {"role": "assistant", "content": answer}]
    _lines(made / "queries.jsonl", queries)
    rows = [f"t:1_{number}\tt:1_{number}\t1" for number in (1, 2, 3)]
    (made / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    settings = load_settings({"answering.reader": "extractive"}, home=tmp_path / "home", environ={})
    opened = Workspace(settings)
    opened.encoders = HashedEncoders()  # type: ignore[assignment]
    return opened


def _lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _ablation(workspace: Workspace) -> Ablation:
    selector = StatementSelector(workspace.encoders.dense(), threshold=0.3, most=3)
    return Ablation(workspace.settings, RuleUnderstander(simple_phrases), None, selector)


# -- closed ---------------------------------------------------------------------------------


def test_only_judged_turns_with_a_history_are_measured(folder: Path) -> None:
    _, turns = load_conversations(folder)
    assert [turn.id for turn in turns] == ["t:1_2", "t:1_3"]
    assert turns[1].said == (OTTERS, WEIGHT)
    assert turns[1].relevant == ("1",)
    assert load_conversations(folder, limit=1, seed=3)[1] == [
        turn for turn in turns if turn in load_conversations(folder, limit=1, seed=3)[1]
    ]


def test_shown_passages_stand_in_the_way_and_are_left_out(
    folder: Path, workspace: Workspace
) -> None:
    collection, turns = load_conversations(folder)
    names = ["raw", "history", "rules", "human"]
    rows = {
        row.name: row
        for row in evaluate_closed(workspace, collection, turns, _ablation(workspace), names)
    }
    assert list(rows) == names
    for row in rows.values():
        assert set(row.measures) == set(row.measures_unshown) == {"nDCG@3", "nDCG@5", "R@20"}
        assert row.lm_calls == row.fallbacks == 0
    # All earlier messages together find what was said before; without it the answer comes first.
    assert rows["history"].measures["nDCG@5"] < rows["history"].measures_unshown["nDCG@5"]
    assert rows["rules"].measures_unshown["nDCG@5"] >= rows["raw"].measures_unshown["nDCG@5"]
    assert rows["raw"].p is None
    assert rows["rules"].p is not None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"_id": "t:1_2", "text": "x", "history": [{"role": "robot", "content": "x"}]}, "t:1_2"),
        ({"_id": "t:1_2", "text": "x", "history": [{"role": "user"}]}, "t:1_2"),
        ({"_id": "t:1_2", "text": "x", "history": 3}, "t:1_2"),
        ({"_id": "t:1_2", "text": "x"}, "no history"),
        ({"_id": "t:1_2", "text": "x", "history": []}, "no judged turn with a history"),
    ],
)
def test_broken_conversations_are_named(folder: Path, row: dict[str, object], words: str) -> None:
    _lines(folder / "queries.jsonl", [row])
    with pytest.raises(UsageError, match=words):
        load_conversations(folder)


def test_unknown_rows_name_the_nearest(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.cli.main._quiet_libraries", lambda *, debug: None)
    assert run_command(["eval", "ikat", "closed", str(folder), "--rows", "rule"]) == 2
    assert "did you mean 'rules'" in capsys.readouterr().err
    assert "raw" in NAMES


# -- run ------------------------------------------------------------------------------------


def _topics(path: Path, year: int) -> list[Topic]:
    turns = [
        ("How do sea otters sleep?", OTTERS),
        ("Do they eat crabs and clams?", FOOD),
        ("Thanks, great!", "You are welcome."),
    ]
    statements = ["I eat crabs and clams.", "I play the violin."]
    if year == 2025:
        rows = [
            {
                "turn_id": n,
                "user_utterance": text,
                "resolved_utterance": text,
                "response": answer,
                "relevant_ptkbs": [],
                "citations": [],
            }
            for n, (text, answer) in enumerate(turns, 1)
        ]
        topic = {"number": "1-1", "title": "Otters", "ptkb": statements, "responses": rows}
    else:
        rows = [
            {
                "turn_id": n,
                "utterance": text,
                "resolved_utterance": text,
                "response": answer,
                "ptkb_provenance": [],
                "response_provenance": [],
            }
            for n, (text, answer) in enumerate(turns, 1)
        ]
        ptkb = {str(n): text for n, text in enumerate(statements, 1)}
        number = "1-1" if year == 2023 else "1"
        topic = {"number": number, "title": "Otters", "ptkb": ptkb, "turns": rows}
    path.write_text(json.dumps([topic]), encoding="utf-8")
    return load_topics(path, year)


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_a_run_keeps_the_rules_of_its_year(
    folder: Path, workspace: Workspace, tmp_path: Path, year: int
) -> None:
    index = index_collection(workspace, load_collection(folder), lambda progress: None)
    topics = _topics(tmp_path / "topics.json", year)
    out = tmp_path / ("run.jsonl" if year == 2025 else "run.json")
    made = make_run(workspace, topics, index.manifest.name, out, year, name="test", depth=4)
    # The small collection's ids are not the track's, which is worth a warning only.
    assert [v for v in validate(out, topics, year) if v.level == "error"] == []
    turns = read_run(out, year).turns
    assert list(turns) == list(made.turns) == [turn.id for turn in topics[0].turns]
    first = turns[topics[0].turns[0].id]
    assert next(iter(first.passages)) == "t:1_1"
    assert len(first.passages) == 4
    scores = list(first.passages.values())
    assert all(a > b for a, b in itertools.pairwise(scores))
    assert not list(tmp_path.glob("*.partial"))
    assert workspace.person.statements() == []  # the topic's person is not the user


def test_interrupted_and_gone_on_equals_uninterrupted(
    folder: Path, workspace: Workspace, tmp_path: Path
) -> None:
    index = index_collection(workspace, load_collection(folder), lambda progress: None).manifest
    topics = _topics(tmp_path / "topics.json", 2025)
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    make_run(workspace, topics, index.name, whole, 2025, name="test", depth=4)

    class KilledError(Exception):
        pass

    def kill(progress: object) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        make_run(workspace, topics, index.name, cut, 2025, name="test", depth=4, on_progress=kill)
    partial = tmp_path / "cut.jsonl.partial"
    assert partial.exists()
    assert not cut.exists()
    with partial.open("a", encoding="utf-8") as file:
        file.write('{"turn_id": "1-1_2", "pass')  # killed while it wrote
    seen: list[int] = []
    make_run(
        workspace,
        topics,
        index.name,
        cut,
        2025,
        name="test",
        depth=4,
        on_progress=lambda progress: seen.append(progress.done),
    )
    assert cut.read_text(encoding="utf-8") == whole.read_text(encoding="utf-8")
    assert seen == [1, 2, 3]
    assert not partial.exists()


def test_an_unfinished_run_with_other_settings_is_refused(
    folder: Path, workspace: Workspace, tmp_path: Path
) -> None:
    index = index_collection(workspace, load_collection(folder), lambda progress: None).manifest
    topics = _topics(tmp_path / "topics.json", 2025)
    out = tmp_path / "run.jsonl"
    partial = tmp_path / "run.jsonl.partial"
    partial.write_text('{"key": "another"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="other topics, settings"):
        make_run(workspace, topics, index.name, out, 2025, name="test")
    assert partial.read_text(encoding="utf-8") == '{"key": "another"}\n'
    make_run(workspace, topics, index.name, out, 2025, name="test", depth=4, fresh=True)
    assert out.exists()


def test_long_responses_are_cut_at_a_sentence() -> None:
    assert shortened("One two three. Four five six. Seven.", 6) == "One two three. Four five six."
    assert shortened("one two three four", 2) == "one two"


# -- simulation -----------------------------------------------------------------------------


def test_conversations_are_replayed_both_ways(folder: Path, workspace: Workspace) -> None:
    collection, turns = load_conversations(folder)
    groups = conversations_of(turns)
    assert [[turn.id for turn in group] for group in groups] == [["t:1_2", "t:1_3"]]
    report = simulate(workspace, collection, groups)
    assert (report.conversations, report.turns) == (1, 2)
    assert report.lost == pytest.approx(report.canonical - report.own, abs=2e-4)
    assert set(report.by_turn) == {"t:1_2", "t:1_3"}
    assert workspace.conversations.list() == []
