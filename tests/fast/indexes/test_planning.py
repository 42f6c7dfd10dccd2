"""What a change would do and cost, told before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexes.build import IndexWriter
from indexes.changes import Changes, Move
from indexes.errors import ModelMissingError
from tests.fast.indexes.sources import HashedDense, HashedEncoders, HashedSparse, MemorySource

TEXTS: dict[str, str | None] = {
    f"/notes/{number}.md": f"Note {number} about kelp and otters." for number in range(12)
}


def _state(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "writer.lock"]
    return {str(path): path.read_bytes() for path in files}


def test_a_plan_says_what_a_build_then_does(tmp_path: Path) -> None:
    folder, encoders = tmp_path / "notes", HashedEncoders()
    writer = IndexWriter(folder, encoders)
    writer.build([MemorySource(TEXTS)])
    texts = {**TEXTS, "/notes/new.md": "A note that is new.", "/notes/1.md": "Note 1, changed."}
    texts["/notes/archive/2.md"] = texts.pop("/notes/2.md")
    del texts["/notes/3.md"]
    before, encoded = _state(folder), encoders.dense().encoded
    plan = writer.plan([MemorySource(texts)])
    assert encoders.dense().encoded <= encoded + 4  # a trial of the encoders, at most
    assert {p: d for p, d in _state(folder).items() if "encodings" not in p} == {
        p: d for p, d in before.items() if "encodings" not in p
    }
    assert plan.changes.added == ["/notes/new.md"]
    assert plan.changes.changed == ["/notes/1.md"]
    assert plan.changes.removed == ["/notes/3.md"]
    assert plan.changes.moved == [Move("/notes/2.md", "/notes/archive/2.md")]
    assert (plan.cost.documents, plan.cost.passages, plan.cost.read) == (3, 3, 3)
    assert plan.cost.bytes > 0 and plan.cost.seconds is not None
    result = writer.build([MemorySource(texts)])
    assert result.changes == plan.changes
    # Each text that has no encoding costs one by each of the two encoders. The titles are paths
    # here, so what has moved has another text, too.
    assert result.encoded == 2 * plan.cost.to_encode


def test_many_documents_are_estimated_from_some(tmp_path: Path) -> None:
    texts: dict[str, str | None] = {f"{number:04}": f"Note {number}." for number in range(1000)}
    source = MemorySource(texts)
    cost = IndexWriter(tmp_path / "notes", HashedEncoders()).plan([source]).cost
    assert source.loaded == cost.read < cost.documents == 1000
    assert cost.passages == cost.to_encode == 1000
    assert not (tmp_path / "notes").exists()


def test_what_was_encoded_before_costs_nothing(tmp_path: Path) -> None:
    writer = IndexWriter(tmp_path / "notes", HashedEncoders())
    writer.build([MemorySource(TEXTS)])
    cost = writer.plan([MemorySource(TEXTS)]).cost
    assert (cost.documents, cost.passages, cost.to_encode, cost.seconds) == (0, 0, 0, 0.0)


class _NoWeights:
    def dense(self) -> HashedDense:
        raise ModelMissingError("no weights", remedy="fetch them")

    def sparse(self) -> HashedSparse:
        raise ModelMissingError("no weights", remedy="fetch them")


def test_without_weights_the_time_is_not_known(tmp_path: Path) -> None:
    cost = IndexWriter(tmp_path / "notes", _NoWeights()).plan([MemorySource(TEXTS)]).cost
    assert cost.seconds is None and cost.passages == 12


def test_unreadable_documents_are_no_part_of_the_estimate(tmp_path: Path) -> None:
    texts = {**TEXTS, "/notes/broken.md": None}
    cost = IndexWriter(tmp_path / "notes", HashedEncoders()).plan([MemorySource(texts)]).cost
    assert (cost.documents, cost.passages) == (13, 12)


@pytest.mark.parametrize("copies", [1, 3])
def test_as_many_moves_as_contents_that_went(copies: int) -> None:
    changes = Changes(added=[f"new{number}" for number in range(3)])
    before = {f"old{number}": "same" for number in range(copies)}
    changes.settle(before, before, dict.fromkeys(changes.added, "same"))
    assert [move.origin for move in changes.moved] == sorted(before)
    assert len(changes.added) == 3 - copies and not changes.removed
