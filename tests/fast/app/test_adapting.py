"""The tab that adapts the search to an index: its words, its states, and what a search sees."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.components.adapt_choice import ESTIMATE, Choice
from app.components.adapt_results import comparison_rows, cost_lines, verdict
from assistant.adapting.swapping import undo
from assistant.adapting.work import WorkFolder, adapting_lock
from assistant.jobs import Jobs, pid_identity
from assistant.workspace import Workspace
from tests.fast.app.pages import captions, click, labels, markdown, page
from tests.fast.assistant.adapting.little import NAME, Always, Little, LittleEncoders

PLAN: dict[str, Any] = {
    "index": NAME,
    "passages": 348,
    "stored_questions": 20,
    "questions": {
        "counts": {
            "train": {"cloze": 300, "model": 15},
            "choose": {"model": 5},
            "held-out": {"cloze": 100},
        },
        "notes": [],
    },
    "teacher": None,
    "seconds": {
        "training the embedder, at most": 120.0,
        "training the reranker, at most": 180.0,
        "encoding all passages to measure the embedder": 32.1,
    },
    "parts": {"embedder": {"memory_bytes": 5e8}, "reranker": {"memory_bytes": 1.3e9}},
    "disk_bytes": 1.2e9,
    "goes_on": False,
    "kept_questions": 1,
    "unjudged": "",
}
HELD_OUT = {
    "questions": 40,
    "before": {"nDCG@10": 0.8321, "R@5": 0.9},
    "after": {"nDCG@10": 0.9, "R@5": 0.95},
    "p": 0.004,
}
JUDGED: dict[str, Any] = {"better": True, "held_out": HELD_OUT, "kept": None, "notes": []}


def test_a_choice_is_a_command_and_back() -> None:
    choice = Choice("30m", "answerer", "reranker", 2)
    command = choice.arguments("notes")
    assert command == [
        *("distill", "adapt", "notes", "--budget", "30m", "--teacher", "answerer"),
        *("--only", "reranker", "--seed", "2"),
    ]
    assert Choice.of_command(["--person", "p", *command, "--dry-run"]) == choice
    plain = Choice("1h", "none")
    assert Choice.of_command(plain.arguments("notes")) == plain
    asked = {"seconds": 5400.0, "only": None, "teacher": "none", "seed": 0, "generation": "g1"}
    assert Choice.of(asked) == Choice("5400s", "none")
    assert plain.words({}) == "60 min, questions by nobody, both learn"
    assert choice.words({"answerer": "toy on this computer"}) == (
        "30 min, questions by toy on this computer, the order of what is found learns"
    )


def test_what_it_takes_in_words() -> None:
    questions, kept, time, room = cost_lines(PLAN, 20_000_000_000)
    assert questions == (
        "348 passages; 420 questions there by now: 20 by a language model, 400 made of sentences; "
        "no language model writes more."
    )
    assert kept.endswith("in this index: 1 question.")
    assert time == (
        "Time: up to 2 min of learning for the search by meaning, up to 3 min of learning for the "
        "order of what is found, 32 s of reading all passages anew, to measure. Measuring comes on "
        "top."
    )
    assert "1.3 GB of memory" in room and "1.2 GB on the disk" in room and "20.0 GB" in room
    assert cost_lines({**PLAN, "goes_on": True}, 0)[-1].startswith("It goes on")


@pytest.mark.parametrize(
    ("judgement", "said"),
    [
        (JUDGED, "put in use"),
        ({**JUDGED, "better": False, "held_out": {**HELD_OUT, "p": 0.04}}, "may be chance"),
        (
            {**JUDGED, "better": False, "held_out": {**HELD_OUT, "after": {"nDCG@10": 0.8}}},
            "Not better on the questions held back",
        ),
        (
            {**JUDGED, "better": False, "kept": {**HELD_OUT, "after": {"nDCG@10": 0.8}}},
            "worse on your own",
        ),
    ],
)
def test_why_a_part_is_used_or_not(judgement: dict[str, Any], said: str) -> None:
    assert said in verdict({"reason": "of the command", "judgement": judgement})


def test_a_part_that_was_not_measured_says_the_reason_and_tables_say_p_once() -> None:
    assert verdict({"reason": "nothing to be gained"}) == "Nothing to be gained."
    first, second = comparison_rows(JUDGED)
    assert (first["asked"], first["before"], first["after"], first["p"]) == (
        "questions held back (40)",
        "0.832",
        "0.900",
        "0.004",
    )
    assert second["p"] == ""


# -- the tab --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Little:
    return Little(tmp_path_factory.mktemp("built"))


@pytest.fixture
def little(
    built: Little, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Little:
    """A home that the page opens, with an index that can be adapted."""
    made = built.copied(tmp_path)
    models = f'models.embedder = "{made.place}"\n'
    settings = f'retrieval.index = "{NAME}"\nanswering.reader = "extractive"\n{models}'
    (empty_home / "config.toml").write_text(settings, encoding="utf-8")
    encoders = LittleEncoders(made.workspace.models, made.settings.models, made.base)
    monkeypatch.setattr(Workspace, "encoders", encoders)
    return made


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Titles and commands of the work that the page starts; it does not run."""
    found: list[tuple[str, list[str]]] = []

    def start(self: Jobs, title: str, arguments: Sequence[str]) -> str:
        found.append((title, list(arguments)))
        return "none"

    monkeypatch.setattr(Jobs, "start", start)
    return found


def _job(home: Path, title: str, arguments: list[str], **files: Any) -> None:
    """A job's folder; it runs, as this process, unless it has a result."""
    folder = home / "jobs" / "j1"
    folder.mkdir(parents=True)
    running = "result" not in files
    pid = os.getpid() if running else 2**22
    about = {"title": title, "pid": pid, "identity": pid_identity(pid), "arguments": arguments}
    (folder / "job.json").write_text(json.dumps({**about, "started": 1.0}), encoding="utf-8")
    progress = {"ended": None if running else True, "stages": files.pop("stages", [])}
    (folder / "progress.json").write_text(json.dumps(progress), encoding="utf-8")
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")


def test_looking_comes_before_starting(
    little: Little, empty_home: Path, started: list[tuple[str, list[str]]]
) -> None:
    run = page("library")
    assert "Nothing is adapted to this index" in markdown(run)
    assert "Start" not in labels(run) and "Take it back now" not in labels(run)
    run.selectbox(key=f"adapt-budget-{NAME}").set_value("10m").run()
    click(run, "Look what it takes")
    command = Choice("10m", "none").arguments(NAME)
    assert started == [(f"{ESTIMATE} {NAME}", [*command, "--dry-run"])]

    title, arguments = f"{ESTIMATE} {NAME}", [*command, "--dry-run"]
    _job(empty_home, title, arguments, result=PLAN)
    run = page("library")
    assert r"348 passages\; 420 questions" in markdown(run)
    assert r"10 min\, questions by nobody\, both learn" in markdown(run)
    click(run, "Start")
    assert started[1:] == [(f"adapt {NAME}", command)]
    assert not (empty_home / "jobs" / "j1").exists()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({**PLAN, "unjudged": "x"}, "Nothing would learn"),
        ({"index": NAME, "refused": {"message": "there are 3 $", "remedy": "add"}}, r"3 \$"),
    ],
)
def test_what_cannot_be_gained_is_not_started(
    little: Little, empty_home: Path, found: dict[str, Any], said: str
) -> None:
    command = [*Choice("1h", "none").arguments(NAME), "--dry-run"]
    _job(empty_home, f"{ESTIMATE} {NAME}", command, result=found)
    run = page("library")
    assert any(said in warning.value for warning in run.warning)
    assert "Start" not in labels(run) and "Put away" in labels(run)


def test_work_under_way_shows_its_phases_and_no_form(little: Little, empty_home: Path) -> None:
    stage = {"total": 9, "unit": "questions", "seconds": 1.0, "remaining": 240.0}
    stages = [{"stage": "mine", "done": 9, **stage}, {"stage": "measure", "done": 3, **stage}]
    _job(empty_home, f"adapt {NAME}", [], stages=stages)
    run = page("library")
    assert "Looking for passages that do not answer" in markdown(run)
    assert r"Measuring the search\: 3 of 9 questions" in markdown(run)
    assert "about 4 min left" in markdown(run)
    assert "Stop" in labels(run) and "Look what it takes" not in labels(run)


def test_unfinished_work_is_gone_on_with(
    little: Little, started: list[tuple[str, list[str]]]
) -> None:
    asked = {"seconds": 90.0, "only": "reranker", "teacher": "none", "seed": 3}
    WorkFolder(little.folder).decide(asked=asked)
    click(page("library"), "Go on with it")
    assert started == [(f"adapt {NAME}", Choice("90s", "none", "reranker", 3).arguments(NAME))]


def test_going_on_is_offered_once(little: Little, empty_home: Path) -> None:
    WorkFolder(little.folder).decide(asked={"seconds": 90.0, "only": "", "teacher": "none"})
    _job(empty_home, f"adapt {NAME}", [])
    about = empty_home / "jobs" / "j1" / "job.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "pid": 2**22}))  # killed
    run = page("library")
    assert [label for label in labels(run) if label.startswith("Go on")] == ["Go on"]
    assert "*Go on* is at the top of the page" in markdown(run)


def test_an_index_that_is_being_adapted_is_not_deleted(little: Little) -> None:
    run = page("library")
    field = next(one for one in run.text_input if one.label.startswith("Type its name"))
    field.set_value(NAME)
    with adapting_lock(little.folder):
        click(run, "Delete the index")
    assert "is adapting to index" in run.error[0].value
    assert (little.folder / "manifest.json").exists()
    click(run, "Delete the index")
    assert not little.folder.exists()


def test_an_index_that_is_not_encoded_says_so(notes: Workspace) -> None:
    run = page("library")
    assert any("searched by meaning" in warning.value for warning in run.warning)
    assert "Look what it takes" not in labels(run)


def test_without_the_extra_or_on_a_server_nothing_is_offered(
    little: Little, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr("assistant.adapting.starting.find_spec", lambda name: None)
        run = page("library")
        assert any("pip install" in warning.value for warning in run.warning)
        assert "Look what it takes" not in labels(run)
    monkeypatch.setattr("app.components.adapt_tab.has_engine", lambda folder: True)
    run = page("library")
    assert any("lies on a server" in warning.value for warning in run.warning)
    assert "Look what it takes" not in labels(run)


def _searched() -> list[Any]:
    """What a search of the page's own workspace brings."""

    def script() -> None:
        import streamlit as st

        from app.components.context import opened

        hits = opened().workspace.search("notes", "where does mara live", limit=5).hits
        rows = [[h.passage.id, round(h.stages["dense"].score, 6)] for h in hits if h.stages]
        st.json({"rows": rows, "reread": [hit.rerank is not None for hit in hits]})

    run = AppTest.from_function(script, default_timeout=60).run()
    assert not run.exception
    found = json.loads(run.json[0].value)
    return [found["rows"], all(found["reread"])]


def test_a_search_of_the_page_uses_what_another_process_installed_and_took_back(
    little: Little, started: list[tuple[str, list[str]]]
) -> None:
    before = _searched()
    assert before[1] is False
    little.adapt(Always("embedder", "reranker"))  # in a workspace of its own
    after = _searched()
    assert after[1] is True and after[0] != before[0]

    run = page("library")
    said = markdown(run)
    assert "**The search by meaning**: adapted since" in said
    assert said.count(":green-badge[in use]") == 2
    rows = run.table[0].value
    assert rows["before"].tolist() == ["0.500"] and rows["after"].tolist() == ["0.600"]
    assert "With 0 questions by a language model" in captions(run)
    click(run, "Take it back now")
    assert started == [(f"undo adapting {NAME}", ["distill", "adapt", NAME, "--undo"])]

    undo(little.opened(), NAME)
    assert _searched() == before
    run = page("library")
    assert markdown(run).count("not in use any more") == 2
    assert "Take it back now" not in labels(run)
