"""The knowledge store with real weights: a small teacher, real encoders, a process that is killed.

The 135 M model is a poor teacher; what is tested is that whatever it writes is judged, kept with
its provenance, searched, and survives a kill. The default teacher's quality is measured instead
(docs/knowledge.md).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import UsageError
from assistant.knowledge.following import searchable_entries
from assistant.knowledge.schema import KNOWLEDGE_FILE
from assistant.knowledge.store import KnowledgeStore
from assistant.knowledge.teacher import StoppedError, Teacher
from assistant.knowledge.teachers import teaching_model
from assistant.models.gguf import GGUFChat
from assistant.models.store import ModelStore
from assistant.settings import ModelSettings, load_settings
from indexes.documents import Passage
from tests.conftest import MODELS, weights

pytestmark = pytest.mark.integration

FACTS = {
    "lease": "The lease of the flat in Lyon ends on 31 March 2027. The rent is 870 euros a month.",
    "boiler": "Thermo Brothers installed the boiler in the cellar in 2019. It needs oil every May.",
    "garden": "Aunt Rose planted three apple trees in the garden in 1988. Two still bear fruit.",
    "car": "The blue car was bought in Turin for 4,200 euros. Its next inspection is in October.",
    "bank": "The savings account at Nord Bank pays 2.1 percent interest until June 2028.",
}


_WAIT = 600.0  # seconds; a machine that is busy with other things writes slowly


def _environment(base: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ASSISTANT_")}
    return {**kept, "ASSISTANT_HOME": str(base / "home")}


def run(base: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        capture_output=True,
        text=True,
        env=_environment(base),
        timeout=_WAIT,
        check=False,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights("embedder"), weights("sparse"), weights("tiny-answerer")
    base = tmp_path_factory.mktemp("knowledge")
    (base / "docs").mkdir()
    for name, text in FACTS.items():
        (base / "docs" / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")
    (base / "home").mkdir()
    (base / "home" / "models").symlink_to(MODELS, target_is_directory=True)
    built = run(base, "index", "build", "notes", "--from", str(base / "docs"), "--json")
    assert built.returncode == 0, built.stderr
    return base


_BUILD = (
    *("knowledge", "build", "notes", "--teacher", "tiny-answerer", "--n", "1", "--slots", "2"),
    *("--logprobs", "2", "--json"),
)


def test_a_killed_build_goes_on_and_every_passage_is_settled(place: Path) -> None:
    folder = place / "home" / "indexes" / "notes"
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", *_BUILD],
        env=_environment(place),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    settled: set[bytes] = set()
    while process.poll() is None and not settled:
        if (folder / KNOWLEDGE_FILE).is_file():
            try:
                settled = set(KnowledgeStore(folder).states())
            except UsageError:
                continue
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = KnowledgeStore(folder).states()
    done = run(place, *_BUILD)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    after = KnowledgeStore(folder).states()
    assert len(after) == len(FACTS) and before.items() <= after.items()
    assert report["passages"] + report["given_up"] == len(FACTS) - len(before)
    entries = KnowledgeStore(folder).entries()
    assert report["searchable"] == searchable_entries(folder) == len(entries)
    for entry in entries:
        assert entry.grounding >= 0.5
        assert entry.likelihood is not None and -30.0 <= entry.likelihood <= 0.0
        tokens = KnowledgeStore(folder).tokens(entry.id)
        mean = sum(token.logprob for token in tokens) / len(tokens)
        assert mean == pytest.approx(entry.likelihood)
        assert all(0.0 <= token.tail <= 1.0 for token in tokens)


def test_entries_are_found_and_go_with_their_document(place: Path) -> None:
    folder = place / "home" / "indexes" / "notes"
    if not KnowledgeStore(folder).exists or not KnowledgeStore(folder).entries():
        pytest.skip("the small teacher wrote nothing that could be kept")
    entry = KnowledgeStore(folder).entries()[0]
    found = json.loads(run(place, "index", "search", "notes", entry.text, "--json").stdout)
    through = {one["id"]: hit["id"] for hit in found["hits"] for one in hit["through"]}
    assert through[entry.id] == entry.passage_id
    (uri,) = {hit["uri"] for hit in found["hits"] if hit["id"] == entry.passage_id}
    gone = run(place, "index", "delete", "notes", "--document", uri, "--yes", "--json")
    assert gone.returncode == 0, gone.stderr
    left = KnowledgeStore(folder).entries()
    assert entry.document_id not in {one.document_id for one in left}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if entry.text.encode() in path.read_bytes()]


@pytest.fixture(scope="module")
def model() -> Iterator[GGUFChat]:
    made = GGUFChat(model_path=str(weights("tiny-answerer")), n_ctx=1536, parallel=2)
    yield made
    made.close()


def _passage(name: str) -> Passage:
    return Passage(name, name, FACTS[name], 0, len(FACTS[name]), title=name)


def test_two_answers_are_written_at_once(model: GGUFChat) -> None:
    """Their chunks come in turns, not one answer after the other."""
    order: list[str] = []
    start = threading.Barrier(2)

    def read(name: str) -> None:
        start.wait()
        for chunk in model.stream(f"Tell a story about a {name}.", max_tokens=40):
            if chunk.content:
                order.append(name)

    threads = [threading.Thread(target=read, args=(name,)) for name in ("cat", "dog")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = order.index("dog" if order[0] == "cat" else "cat")
    assert first < order.count(order[0])  # the second begins before the first ends


def test_a_schema_bounds_what_is_written_and_tells_likelihoods(model: GGUFChat) -> None:
    written = Teacher(model, "tiny", questions=2, statements=1, logprobs=3).write(_passage("lease"))
    kinds = [candidate.kind for candidate in written.candidates]
    assert kinds == ["qa", "qa", "statement"]
    for candidate in written.candidates:
        if candidate.says:
            assert candidate.likelihood is not None and candidate.likelihood <= 0
            assert len(candidate.tokens[0].top) == 3
            said = "".join(token.token for token in candidate.tokens)
            assert candidate.says.split()[0][:3] in said
    assert written.tokens > 0


def test_an_endpoint_teaches_as_the_file_does(model: GGUFChat) -> None:
    address, key = model.endpoint
    settings = ModelSettings(  # type: ignore[call-arg]
        remote_url=f"{address}/v1", remote_model="tiny", remote_key=key
    )
    remote, called = teaching_model(
        load_settings({}, environ={}).model_copy(update={"models": settings}),
        ModelStore(MODELS),
        "remote",
        2,
    )
    assert called.startswith("tiny/")
    written = Teacher(remote, called, questions=1, statements=1).write(_passage("boiler"))
    assert [candidate.kind for candidate in written.candidates] == ["qa", "statement"]
    assert any(candidate.likelihood is not None for candidate in written.candidates)


def test_stopping_ends_a_call_under_way(model: GGUFChat) -> None:
    teacher = Teacher(model, "tiny")
    raised: list[Any] = []

    def write() -> None:
        try:
            teacher.write(_passage("garden"))
        except StoppedError as error:
            raised.append(error)

    thread = threading.Thread(target=write)
    teacher.stop.set()
    thread.start()
    thread.join(timeout=120)
    assert not thread.is_alive() and len(raised) == 1
