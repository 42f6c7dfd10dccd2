"""What outlives a process: conversations and jobs."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path

import pytest

from assistant.errors import StorageError, UnknownNameError, UsageError
from assistant.events import StepDecided, TurnStopped
from assistant.jobs import JobReporter, Jobs, pid_identity, read_progress
from assistant.memory.conversations import Conversations
from indexes.progress import Progress


@pytest.fixture
def conversations(tmp_path: Path) -> Conversations:
    return Conversations(tmp_path / "conversations.sqlite")


def test_turns_survive_reopening(tmp_path: Path, conversations: Conversations) -> None:
    conversation = conversations.start()
    events = (StepDecided("retrieve", "line\nbreak"), TurnStopped("so far"))
    conversations.begin_turn(conversation, "t1", "  What is   kelp? ")
    conversations.end_turn("t1", "stopped", "so far", events)
    conversations.close()
    again = Conversations(tmp_path / "conversations.sqlite")
    (turn,) = again.turns(conversation)
    assert (turn.question, turn.answer, turn.state, turn.events) == (
        "  What is   kelp? ",
        "so far",
        "stopped",
        events,
    )
    assert [c.title for c in again.list()] == ["What is kelp?"]


def test_one_turn_is_found_by_its_id(conversations: Conversations) -> None:
    conversation = conversations.start()
    for number in ("t1", "t2"):
        conversations.begin_turn(conversation, number, f"What is {number}?")
    conversations.end_turn("t1", "done", "this", [StepDecided("retrieve", "so")])
    turn = conversations.turn("t1")
    assert turn == conversations.turns(conversation)[0]
    assert (turn.answer, turn.events) == ("this", (StepDecided("retrieve", "so"),))
    with pytest.raises(UnknownNameError, match="unknown turn 't3'"):
        conversations.turn("t3")


def test_killed_turn_is_there_as_unfinished(conversations: Conversations) -> None:
    conversation = conversations.start()
    conversations.begin_turn(conversation, "t1", "What is kelp?")
    assert [(t.question, t.state) for t in conversations.turns(conversation)] == [
        ("What is kelp?", "unfinished")
    ]


def test_deleted_conversation_leaves_no_text(tmp_path: Path, conversations: Conversations) -> None:
    conversation = conversations.start()
    conversations.begin_turn(conversation, "t1", "unmistakable question")
    conversations.end_turn("t1", "done", "unmistakable answer", [])
    conversations.delete(conversation)
    conversations.end_turn("t1", "done", "too late", [])
    conversations.close()
    sqlite3.connect(tmp_path / "conversations.sqlite").execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not conversations.exists(conversation)
    for path in tmp_path.iterdir():
        assert b"unmistakable" not in path.read_bytes()


def test_unknown_conversation(conversations: Conversations) -> None:
    for call in (conversations.turns, conversations.delete):
        with pytest.raises(UnknownNameError):
            call("none")


def test_damaged_file_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageError, match="damaged"):
        Conversations(tmp_path / "c.sqlite")


def _finished(jobs: Jobs, job_id: str) -> None:
    deadline = time.monotonic() + 60
    while (job := jobs.get(job_id)) and job.state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_failing_job_says_why(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs", tmp_path)
    job_id = jobs.start("index x", ["index", "build", "x", "--from", str(tmp_path / "nowhere")])
    _finished(jobs, job_id)
    job = jobs.get(job_id)
    assert job is not None and job.state == "failed"
    assert "nowhere" in job.message
    # Another process sees the same.
    assert [j.state for j in Jobs(tmp_path / "jobs", tmp_path).list()] == ["failed"]
    with pytest.raises(UsageError):
        jobs.stop(job_id)
    again = jobs.repeat(job_id)
    assert [j.id for j in jobs.list()] == [again]
    _finished(jobs, again)
    jobs.forget(again)
    assert jobs.list() == []


def test_reporter_writes_progress_that_others_read(tmp_path: Path) -> None:
    first = Progress("read", 3, None, "documents", 1.0)
    with JobReporter(tmp_path) as report:
        report(first)
        report(Progress("dense", 1, 10, "passages", 2.0, 18.0))
    stages, ended = read_progress(tmp_path)
    assert [s.stage for s in stages] == ["read", "dense"]
    assert stages[0] == first
    assert ended is True


def test_a_stage_that_begins_again_is_the_latest(tmp_path: Path) -> None:
    with JobReporter(tmp_path) as report:
        for stage, done in (("measure", 5), ("train", 3), ("train", 4), ("measure", 1)):
            report(Progress(stage, done, 9, "questions", 1.0))
    stages, _ = read_progress(tmp_path)
    assert [(s.stage, s.done) for s in stages] == [("train", 4), ("measure", 1)]


def test_reporter_notes_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), JobReporter(tmp_path):
        raise RuntimeError
    assert read_progress(tmp_path)[1] is False


def test_odd_line_separators_do_not_break_a_turn(conversations: Conversations) -> None:
    conversation = conversations.start()
    events = (StepDecided("understand", "one\u2028two\u2029three\x85four\x0bfive\rsix\nseven"),)
    conversations.begin_turn(conversation, "t1", "a\u2028b")
    conversations.end_turn("t1", "done", "c", events)
    (turn,) = conversations.turns(conversation)
    assert turn.events == events


def test_process_number_that_was_given_to_another_is_not_the_job(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, tmp_path)
    (tmp_path / "old").mkdir()
    about = {"title": "index x", "pid": os.getpid(), "identity": "1", "started": 1.0}
    (tmp_path / "old" / "job.json").write_text(json.dumps(about))
    assert [job.state for job in jobs.list()] == ["failed"]
    assert pid_identity(os.getpid()) == pid_identity(os.getpid()) is not None


def test_last_turns_are_the_latest_in_order(conversations: Conversations) -> None:
    conversation = conversations.start()
    for number in range(5):
        conversations.begin_turn(conversation, f"t{number}", f"question {number}")
    assert [t.id for t in conversations.turns(conversation, last=2)] == ["t3", "t4"]
    assert [t.id for t in conversations.turns(conversation)] == ["t0", "t1", "t2", "t3", "t4"]
