"""Log-probabilities on disk: kept, gone on with, refused, and safe when the disk is full."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from assistant.distillation.logit_store import LogitStore, StoredRows, StoreIdentity, StoreTeacher
from assistant.distillation.run import prepare, run_recipe, write_store
from assistant.distillation.terms import TeacherRows
from assistant.errors import StorageError, TrainingError, UsageError
from tests.fast.assistant.distillation import tiny


def taught(tmp_path: Path, kind: str, **changes):
    make = tiny.span_recipe if kind == "span" else tiny.causal_recipe
    make(tmp_path)  # makes the files
    other = "encoder" if kind == "span" else "decoder"
    getattr(tiny, other)(tmp_path / "teacher", seed=4)
    return make(
        tmp_path,
        teacher={"kind": "model", "path": "./teacher"},
        losses=[{"name": "forward-kl"}],
        **changes,
    )


@pytest.mark.parametrize("kind", ["span", "causal"])
def test_learning_from_the_store_is_learning_from_the_teacher(tmp_path: Path, kind: str) -> None:
    recipe = taught(tmp_path, kind)
    if kind == "span":  # a teacher whose head is trained: a fresh head would differ each time
        trained = run_recipe(tiny.read(tiny.span_recipe(tmp_path), tmp_path), tmp_path / "t")
        recipe["teacher"] = {"kind": "checkpoint", "path": str(trained.path / "export")}
    read = tiny.read({**recipe, "teacher": {**recipe["teacher"], "top_k": 6}}, tmp_path)
    live = run_recipe(read, tmp_path / "live")
    kept = write_store(read, tmp_path / "runs", tmp_path / "store", k=6)
    assert kept["examples"] == live.read_json("data.json")["counts"]["examples"]
    stored = {**recipe, "teacher": {"kind": "store", "path": str(tmp_path / "store")}}
    again = run_recipe(tiny.read(stored, tmp_path), tmp_path / "again")
    ours = [float(row["loss"]) for row in again.table("curves.csv")]
    theirs = [float(row["loss"]) for row in live.table("curves.csv")]
    assert ours == pytest.approx(theirs, abs=0.01)  # half precision


def identity(**changes: str) -> StoreIdentity:
    values = {"teacher": "t-1", "task": "span", "template": "v1", "tokenizer": "abc", **changes}
    return StoreIdentity(**values)


def entry(number: int, rows: int = 2, k: int = 3) -> tuple[str, StoredRows]:
    logits = torch.randn(rows, 9, generator=torch.Generator().manual_seed(number))
    made = TeacherRows.from_logits(logits, k)
    return f"e{number}", StoredRows(
        made.ids.numpy().astype(np.int32),
        made.logprobs.numpy().astype(np.float16),
        made.tail.numpy().astype(np.float16),
    )


def test_shards_are_read_back_by_key(tmp_path: Path) -> None:
    store = LogitStore.create(tmp_path / "s", identity(), 3)
    store.add([entry(0), entry(1, rows=5)])
    store.add([entry(2)])
    again = LogitStore(tmp_path / "s")
    assert len(again) == 3 and "e1" in again and "e9" not in again
    for number, rows in ((0, 2), (1, 5), (2, 2)):
        _, expected = entry(number, rows)
        found = again.get(f"e{number}")
        assert np.array_equal(found.ids, expected.ids)
        assert np.array_equal(found.logprobs, expected.logprobs)
        assert np.array_equal(found.tails, expected.tails)
    with pytest.raises(TrainingError, match="no rows of the example 'e9'"):
        again.get("e9")


@pytest.mark.parametrize("what", ["teacher", "template", "tokenizer", "task"])
def test_another_teacher_template_tokenizer_or_task_is_refused(tmp_path: Path, what: str) -> None:
    LogitStore.create(tmp_path / "s", identity(), 3).add([entry(0)])
    with pytest.raises(UsageError, match=f"another {what}"):
        LogitStore.create(tmp_path / "s", identity(**{what: "other"}), 3)
    with pytest.raises(UsageError, match="3 choices of a row, not 4"):
        LogitStore.create(tmp_path / "s", identity(), 4)


def test_the_store_of_another_layout_is_refused_by_the_task(tmp_path: Path) -> None:
    recipe = tiny.read(taught(tmp_path, "span"), tmp_path)
    write_store(recipe, tmp_path / "runs", tmp_path / "store", k=4)
    other = tiny.span_recipe(tmp_path, task={"max_length": 180})
    task = prepare(tiny.read(other, tmp_path), tmp_path / "c").task
    with pytest.raises(UsageError, match="another template"):
        StoreTeacher.open(tmp_path / "store", task)
    causal = prepare(tiny.read(tiny.causal_recipe(tmp_path), tmp_path), tmp_path / "c").task
    with pytest.raises(UsageError, match="another task"):
        StoreTeacher.open(tmp_path / "store", causal)


def test_a_store_does_not_know_what_the_student_samples(tmp_path: Path) -> None:
    recipe = taught(tmp_path, "causal")
    write_store(tiny.read(recipe, tmp_path), tmp_path / "runs", tmp_path / "store", k=4)
    on_policy = {
        **recipe,
        "teacher": {"kind": "store", "path": str(tmp_path / "store")},
        "sampling": {"kind": "on-policy"},
    }
    with pytest.raises(UsageError, match="nothing of what the student samples"):
        run_recipe(tiny.read(on_policy, tmp_path), tmp_path / "runs")


def test_writing_goes_on_where_it_stopped(tmp_path: Path) -> None:
    recipe = tiny.read(taught(tmp_path, "causal"), tmp_path)
    short = recipe.model_copy(update={"data": (recipe.data[0].model_copy(update={"limit": 10}),)})
    first = write_store(short, tmp_path / "runs", tmp_path / "store", k=4)
    before = sorted(path.name for path in (tmp_path / "store").glob("00000.*"))
    stamps = [(tmp_path / "store" / name).stat().st_mtime_ns for name in before]
    whole = write_store(recipe, tmp_path / "runs", tmp_path / "store", k=4)
    assert first["examples"] == 10 and whole["examples"] == 40
    assert [(tmp_path / "store" / name).stat().st_mtime_ns for name in before] == stamps


@pytest.mark.parametrize(
    "file", ["00001.ids.npy.partial", "00001.tails.npy.partial", "manifest.json.partial"]
)
def test_a_full_disk_is_said_and_the_store_stays_readable(tmp_path: Path, file: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here, which is a disk that is always full")
    folder = tmp_path / "s"
    store = LogitStore.create(folder, identity(), 3)
    store.add([entry(0)])
    (folder / file).symlink_to("/dev/full")
    with pytest.raises(StorageError, match="no space left"):
        store.add([entry(1)])
    assert "e1" not in store
    (folder / file).unlink(missing_ok=True)
    again = LogitStore(folder)
    assert np.array_equal(again.get("e0").ids, entry(0)[1].ids)
    again.add([entry(1)])
    assert "e1" in LogitStore(folder)


def test_a_damaged_store_is_said(tmp_path: Path) -> None:
    store = LogitStore.create(tmp_path / "s", identity(), 3)
    store.add([entry(0)])
    (tmp_path / "s/00000.logprobs.npy").write_bytes(b"x")
    with pytest.raises(StorageError, match="damaged"):
        LogitStore(tmp_path / "s").get("e0")
    (tmp_path / "s/manifest.json").write_text("{")
    with pytest.raises(StorageError, match="damaged"):
        LogitStore(tmp_path / "s")
    with pytest.raises(StorageError, match="no store"):
        LogitStore(tmp_path / "none")
