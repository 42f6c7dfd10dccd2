"""The command line as a person runs it: a process with its status and its two streams.

Where neither signals nor the start of a process matter, commands run in this one, which has
imported torch already.
"""

# ruff: noqa: F811 - fixtures that are imported

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.commands import Command, command, place, run  # noqa: F401 - fixtures

pytestmark = pytest.mark.integration


def test_answer_with_source(place: Path) -> None:
    done = run(place, "ask", "When does the lease end?", "-i", "notes", "--reader", "extractive")
    assert done.returncode == 0
    assert "31 March 2027" in done.stdout
    assert "lease.md" in done.stdout
    assert "\x1b[" not in done.stdout  # no colour where there is no terminal


def test_answer_as_json(command: Command) -> None:
    done = command(
        "ask", "When does the lease end?", "-i", "notes", "--reader", "extractive", "--json"
    )
    answer = json.loads(done.stdout)
    assert answer["abstained"] is False
    (source,) = answer["sources"]
    assert "31 March 2027" in source["quote"]
    assert {"question", "conversation", "index", "answer", "reader", "seconds", "events"} <= set(
        answer
    )


def test_abstention_has_its_own_status(command: Command) -> None:
    done = command(
        "ask",
        "Who is the king of Norway?",
        "-i",
        "notes",
        "--reader",
        "extractive",
        "--json",
    )
    assert done.returncode == 3
    assert json.loads(done.stdout)["abstained"] is True


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["ask", ""], 2, "empty"),
        (["ask", "x" * 100_000], 2, "100,000"),
        (
            ["ask", "When does the lease end?", "--index", "note", "--reader", "extractive"],
            2,
            "did you mean 'notes'",
        ),
        (["--set", "retrieval.dept=5", "settings"], 2, "retrieval.depth"),
        (["--set", "nonsense", "settings"], 2, "KEY=VALUE"),
        (["index", "build", "../x", "--from", "."], 2, "cannot be an index's name"),
        (["index", "build", "x", "--from", "/nowhere"], 2, "/nowhere"),
        (["index", "build", "x"], 2, "--from"),
        (["index", "search", "notes", " "], 2, "empty"),
        (["index", "verify", "none"], 2, "none"),
        (["index", "delete", "notes", "--document", "leese"], 2, "document"),
        (["models", "fetch", "embeder"], 2, "embedder"),
        (["eval", "retrieval", "/nowhere"], 2, "corpus.jsonl"),
        (["ask", "When does the lease end?", "--reader", "remote", "-i", "notes"], 2, "remote"),
        (["frobnicate"], 2, "frobnicate"),
        (["ask", "--nonsense"], 2, "nonsense"),
    ],
)
def test_wrong_use_is_two_lines_and_a_status(
    place: Path, arguments: list[str], status: int, words: str
) -> None:
    done = run(place, *arguments)
    assert done.returncode == status
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


def test_unknown_environment_setting(place: Path) -> None:
    done = run(place, "settings", ASSISTANT_RETRIEVAL__DEPHT="3")
    assert done.returncode == 2
    assert "retrieval.depth" in done.stderr


def test_home_that_cannot_be_written(place: Path) -> None:
    done = run(place, "ask", "hello", ASSISTANT_HOME="/proc/nowhere")
    assert done.returncode == 1
    assert "not writable" in done.stderr and "ASSISTANT_HOME" in done.stderr


def test_port_in_use(place: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(place, "app", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "--port" in done.stderr


def test_debug_shows_where(place: Path) -> None:
    assert "Traceback" in run(place, "--debug", "ask", "").stderr


def test_update_delete_status_verify(place: Path, command: Command) -> None:
    note = place / "docs" / "note.txt"
    note.write_text("The spare key is at Mrs. Berthier's.")
    dry = json.loads(command("index", "update", "notes", "--dry-run", "--json").stdout)
    assert [Path(uri).name for uri in dry["added"]] == ["note.txt"]
    updated = json.loads(command("index", "update", "notes", "--json").stdout)
    assert (updated["added"], updated["unchanged"]) == (1, 1)
    found = json.loads(command("index", "search", "notes", "spare key", "--json").stdout)
    assert found["hits"][0]["uri"].endswith("note.txt")
    assert set(found["hits"][0]["stages"]) == {"lexical", "dense", "sparse"}
    assert json.loads(command("index", "verify", "notes", "--json").stdout)["ok"] is True
    note.unlink()
    assert json.loads(command("index", "update", "notes", "--json").stdout)["removed"] == 1
    status = json.loads(command("index", "status", "notes", "--json").stdout)
    assert status["indexes"][0]["documents"] == 1


def test_damaged_index_is_noticed_and_mended(place: Path, command: Command) -> None:
    command("index", "build", "other", "--from", str(place / "docs"))
    faiss = next((place / "home" / "indexes" / "other").rglob("vectors.npy"))
    faiss.write_bytes(b"nothing")
    verified = command("index", "verify", "other")
    assert verified.returncode == 1 and faiss.name in verified.stdout
    assert "assistant index repair other" in verified.stdout
    asked = command("index", "search", "other", "lease")
    assert asked.returncode == 1 and "damaged" in asked.stderr
    repaired = json.loads(command("index", "repair", "other", "--json").stdout)
    assert (repaired["ok"], repaired["encoded"], repaired["lost"]) == (True, 0, [])
    assert any("dense" in done for done in repaired["done"])
    assert command("index", "verify", "other").returncode == 0
    assert "nothing was wrong" in command("index", "repair", "other").stdout
    assert command("index", "search", "other", "lease").returncode == 0
    assert command("index", "delete", "other", "--yes").returncode == 0


def test_lost_manifest_is_put_back(place: Path, command: Command) -> None:
    command("index", "build", "other", "--from", str(place / "docs"))
    folder = place / "home" / "indexes" / "other"
    (folder / "manifest.json").unlink()
    assert command("index", "verify", "other").returncode == 1
    assert command("index", "repair", "other").returncode == 0
    assert json.loads(command("index", "update", "other", "--json").stdout)["unchanged"] == 1
    assert command("index", "delete", "other", "--yes").returncode == 0
    assert command("index", "repair", "other").returncode == 2


def test_watching_follows_a_folder_until_ctrl_c(place: Path, command: Command) -> None:
    folder = place / "followed"
    folder.mkdir()
    (folder / "a.txt").write_text("Sea otters sleep in kelp.")
    command("index", "build", "followed", "--from", str(folder))
    watching = [sys.executable, "-m", "assistant", "index", "update", "followed", "--watch"]
    environment = {**os.environ, "ASSISTANT_HOME": str(place / "home")}
    child = subprocess.Popen(
        [*watching, "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["unchanged"] == 1
        (folder / "b.txt").write_text("The harbour freezes in winter.")
        assert json.loads(child.stdout.readline())["added"] == 1
        found = json.loads(command("index", "search", "followed", "harbour", "--json").stdout)
        assert found["hits"][0]["uri"].endswith("b.txt")
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 130
        assert "stopped" in errors and "Traceback" not in errors
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("wrong", [["--every", "2"], ["--watch", "--dry-run"]])
def test_options_of_watching_that_do_not_fit(command: Command, wrong: list[str]) -> None:
    assert command("index", "update", "notes", *wrong).returncode == 2


def test_doctor_is_clean(place: Path) -> None:
    done = run(place, "doctor", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    assert report["ok"] is True
    assert {f["severity"] for f in report["findings"]} <= {"ok", "note"}


def test_ctrl_c_loses_nothing(place: Path) -> None:
    folder = place / "many"
    folder.mkdir()
    for number in range(200):
        (folder / f"{number}.txt").write_text(f"Note {number}. " + "Some words about kelp. " * 60)
    command = [sys.executable, "-m", "assistant", "index", "build", "many", "--from", str(folder)]
    environment = {**os.environ, "ASSISTANT_HOME": str(place / "home")}
    child = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    manifest = place / "home" / "indexes" / "many" / "manifest.json"
    while not manifest.exists() and child.poll() is None:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "stopped" in errors and "Traceback" not in errors
    # Lexical search answers already, and the same command goes on.
    found = json.loads(run(place, "index", "search", "many", "Note 17", "--json").stdout)
    assert found["hits"] and "lexical" in found["stages"]


def test_evaluation_of_a_collection(place: Path, command: Command) -> None:
    folder = place / "collection"
    (folder / "qrels").mkdir(parents=True)
    texts = {
        "a": "Sea otters wrap themselves in kelp.",
        "b": "The lease ends in March.",
        "c": "Boilers need gas.",
    }
    (folder / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": k, "title": "", "text": v}) + "\n" for k, v in texts.items())
    )
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "when does the lease end"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tb\t1\n")
    run_file = place / "out.run"
    done = command("eval", "retrieval", str(folder), "--json", "--run", str(run_file))
    report = json.loads(done.stdout)
    assert report["measures"]["nDCG@5"] == 1.0
    assert report["queries"] == 1
    assert run_file.read_text().startswith("q Q0 b 1 ")
    again = json.loads(command("eval", "retrieval", str(folder), "--json").stdout)
    assert again["measures"] == report["measures"]


def test_evaluation_of_answers(place: Path, command: Command) -> None:
    rows = [
        {
            "passage": "The lease ends in March.",
            "question": "When does the lease end?",
            "answers": ["March"],
            "answerable": True,
        },
        {
            "passage": "The lease ends in March.",
            "question": "Who wrote Hamlet?",
            "answers": [],
            "answerable": False,
        },
    ]
    file = place / "questions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = command("eval", "answers", str(file), "--reader", "extractive", "--json")
    report = json.loads(done.stdout)
    assert report["questions"] == 2
    assert report["measures"]["abstain_recall"] == 1.0
    assert report["measures"]["HasAns_F1"] > 0
    file.write_text("{not json\n")
    broken = command("eval", "answers", str(file))
    assert broken.returncode == 2 and "line 1" in broken.stderr
