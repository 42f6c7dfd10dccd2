"""Several processes at one index: a writer that dies, readers that go on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.crash_states import state_of
from benchmarks.crash_worker import Order, Zygote
from benchmarks.hashed import HashedEncoders, TextSource
from indexes.build import IndexWriter
from indexes.errors import IndexLockedError
from indexes.upkeep.verify import verify

ROOT = Path(__file__).parents[3]
OLD = {f"doc{n}": f"Note {n}. " + "The harbour letter of winter. " * 30 for n in range(40)}
NEW = {**OLD, "doc3": "Sea otters sleep in kelp.", "doc99": "The lease of the flat in Lyon."}

_HOLDER = """
import sys, time
from pathlib import Path
from indexes.locking import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""

_READER = """
import json, sys, time
from pathlib import Path
from benchmarks.crash_states import state_of
folder, states = Path(sys.argv[1]), []
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "stop":
        break
    found, _ = state_of(folder)
    if found not in states:
        states.append(found)
    print("read", flush=True)
print(json.dumps(states), flush=True)
"""


def _process(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def _ask(process: subprocess.Popen[str], line: str = "") -> str:
    assert process.stdin is not None and process.stdout is not None
    if line:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


def _write(path: Path, texts: dict[str, str]) -> str:
    path.write_text(json.dumps(texts))
    return str(path)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    folder, source = tmp_path / "notes", TextSource(_write(tmp_path / "texts.json", OLD))
    holder = _process(_HOLDER, str(folder))
    try:
        assert _ask(holder) == "held"
        with pytest.raises(IndexLockedError):
            IndexWriter(folder, HashedEncoders()).build([source])
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        result = IndexWriter(folder, HashedEncoders()).build([source])
        assert result.manifest.documents == len(OLD)
    finally:
        holder.kill()
        holder.wait()


def test_many_readers_in_other_processes_during_an_update(tmp_path: Path) -> None:
    """Each finds the old state or the new one at any time, and the new one in the end."""
    folder, texts = tmp_path / "base" / "notes", tmp_path / "texts.json"
    IndexWriter(folder, HashedEncoders()).build([TextSource(_write(texts, OLD))])
    before, _ = state_of(folder)
    readers = [_process(_READER, str(folder)) for _ in range(3)]
    try:
        assert [_ask(reader) for reader in readers] == ["ready"] * 3
        with Zygote() as zygote:
            assert [_ask(reader, "read") for reader in readers] == ["read"] * 3
            _write(texts, NEW)
            zygote.start(Order(str(folder), str(texts), "update", hold=0.5))
            deadline = time.monotonic() + 60
            while state_of(folder)[0] == before and time.monotonic() < deadline:
                assert [_ask(reader, "read") for reader in readers] == ["read"] * 3
            report = zygote.wait()
        assert not report.error
        assert [_ask(reader, "read") for reader in readers] == ["read"] * 3
        after, _ = state_of(folder)
        assert after != before
        for reader in readers:
            assert json.loads(_ask(reader, "stop")) == json.loads(json.dumps([before, after]))
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()


def test_verify_lets_a_live_writer_work(tmp_path: Path) -> None:
    """What a writer has half done is no damage while it lives, and is when it is dead."""
    folder, source = tmp_path / "notes", TextSource(_write(tmp_path / "texts.json", OLD))
    IndexWriter(folder, HashedEncoders()).build([source])
    shutil.copytree(next(folder.glob("g[0-9]*")), folder / "g999999")
    holder = _process(_HOLDER, str(folder))
    try:
        assert _ask(holder) == "held"
        assert all(finding.ok for finding in verify(folder, HashedEncoders()))
    finally:
        holder.kill()
        holder.wait()
    assert [f.check for f in verify(folder, HashedEncoders()) if not f.ok] == ["leftovers"]
