"""Adapting a small index from beginning to end, stopped and gone on with, and undone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.adapting.flow import Report
from assistant.adapting.installed import FOLDER, RECORD, InstalledStore
from assistant.adapting.judging import Role
from assistant.adapting.looking import look
from assistant.adapting.questions import SPLITS
from assistant.adapting.swapping import undo
from assistant.adapting.work import WorkFolder, adapting_lock
from assistant.errors import (
    IndexLockedError,
    ModelCorruptError,
    ModelMissingError,
    UsageError,
)
from indexes.progress import Progress
from indexes.upkeep.verify import verify
from tests.fast.assistant.adapting.little import COUNT, NAME, Always, Little


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Little:
    return Little(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def done(built: Little, tmp_path_factory: pytest.TempPathFactory) -> tuple[Little, Always, Report]:
    """Both parts adapted and installed."""
    made = built.copied(tmp_path_factory.mktemp("done"))
    judge = Always("embedder", "reranker")
    return made, judge, made.adapt(judge)


@pytest.fixture
def little(built: Little, tmp_path: Path) -> Little:
    return built.copied(tmp_path)


@pytest.fixture
def adapted(done: tuple[Little, Always, Report], tmp_path: Path) -> Little:
    return done[0].copied(tmp_path)


def test_what_is_better_is_installed_and_undone_to_the_byte(
    built: Little, done: tuple[Little, Always, Report], adapted: Little
) -> None:
    before, old = built.found(), built.workspace.index(NAME)
    (_, judge, report), little = done, adapted
    fingerprint = old.manifest.stages["dense"].fingerprint
    assert old.dense is not None
    vectors = old.dense.vectors(range(COUNT))

    assert [part["installed"] for part in report["parts"].values()] == [True, True]
    installed = InstalledStore(little.folder).read()
    assert installed.embedder is not None and installed.reranker is not None
    now = little.workspace.index(NAME)
    assert now.manifest.stages["dense"].fingerprint == installed.embedder.fingerprint != fingerprint
    # judged apart: the reranker on top of the embedder that was installed by then
    roles = [
        (role, way.index.manifest.stages["dense"].fingerprint) for role, way, _, _ in judge.shown
    ]
    assert roles == [("embedder", fingerprint), ("reranker", installed.embedder.fingerprint)]
    # what was judged is what is in force
    assert little.found() != before
    hit = little.workspace.search(NAME, "where does mara live", limit=1).hits[0]
    assert hit.rerank is not None
    assert little.found(little.opened()) == little.found()
    assert all(
        finding.ok
        for finding in verify(little.folder, little.workspace.adapted.writing(little.folder))
    )

    back = undo(little.workspace, NAME)
    assert back.embedder is None and back.reranker is None
    assert not (little.folder / FOLDER).exists()
    again = little.workspace.index(NAME)
    assert again.manifest.stages["dense"].fingerprint == fingerprint
    assert again.dense is not None
    np.testing.assert_array_equal(again.dense.vectors(range(COUNT)), vectors)
    assert little.found() == before
    assert little.found(little.opened()) == before
    with pytest.raises(UsageError, match="nothing to undo"):
        undo(little.workspace, NAME)


def test_what_is_not_better_changes_nothing(little: Little) -> None:
    before = little.found()
    manifest = (little.folder / "manifest.json").read_bytes()
    judge = Always()
    report = little.adapt(judge)
    assert [part["installed"] for part in report["parts"].values()] == [False, False]
    assert report["parts"]["reranker"]["reason"] == "as the test wants it"
    assert (little.folder / "manifest.json").read_bytes() == manifest
    assert not (little.folder / FOLDER).exists()
    assert little.found() == before
    # the runs stay, to be compared; what only resuming needs does not
    work = WorkFolder(little.folder)
    assert [run.name.partition("-")[0] for run in sorted(work.runs.glob("*-*"))] == [
        "embedder",
        "reranker",
    ]
    assert not list(work.runs.glob("*/checkpoints")) and not list(work.path.glob("vectors*"))
    assert look(little.workspace, NAME)["last_report"]["parts"] == report["parts"]
    rows = list(work.lines("questions.jsonl"))
    groups = {side: {row["group"] for row in rows if row["side"] == side} for side in SPLITS}
    assert sum(map(len, groups.values())) == len(set().union(*groups.values()))
    assert judge.shown[0][3] == sum(row["side"] == "held-out" for row in rows) >= 25


@pytest.mark.parametrize(
    ("stage", "only"),
    [
        ("train reranker", None),
        ("encode", "embedder"),
        ("dense", "embedder"),  # the swap itself, reported by the index's writer
    ],
)
def test_stopped_anywhere_the_same_command_goes_on(
    little: Little, stage: str, only: Role | None
) -> None:
    class StopError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.stage == stage and (progress.done or stage == "dense"):
            raise StopError

    first = Always("embedder", "reranker")
    with pytest.raises(StopError):
        little.adaptation(first, on_progress=stop, only=only).run()
    before = (WorkFolder(little.folder).data / "questions.jsonl").read_bytes()
    assert look(little.workspace, NAME)["under_way"]
    # whatever the state, the index answers with every stage
    assert little.opened().search(NAME, "where does mara live").missing == {}

    little.workspace = little.opened()
    second = Always("embedder", "reranker")
    report = little.adapt(second, only=only)
    assert (WorkFolder(little.folder).data / "questions.jsonl").read_bytes() == before
    wanted = ["embedder", "reranker"] if only is None else [only]
    assert [role for role, part in report["parts"].items() if part["installed"]] == wanted
    judged = [role for role, *_ in (*first.shown, *second.shown)]
    assert judged == wanted  # each once
    assert InstalledStore(little.folder).steps == 1
    assert look(little.workspace, NAME)["problems"] == []
    runs = list(WorkFolder(little.folder).runs.glob("*-*"))
    assert len(runs) == len(wanted)  # a training that was begun was gone on with


def test_a_second_adaptation_is_undone_to_the_first(adapted: Little) -> None:
    little = adapted
    record = (little.folder / FOLDER / RECORD).read_bytes()
    found = little.found()
    little.adapt(Always("embedder"), only="embedder", seed=1)
    assert little.found() != found and InstalledStore(little.folder).steps == 2
    undo(little.workspace, NAME)
    assert (little.folder / FOLDER / RECORD).read_bytes() == record
    assert little.found() == found
    weights = {path.name for path in (little.folder / FOLDER).iterdir() if "-" in path.name}
    assert weights == {json.loads(record)[role]["folder"] for role in ("embedder", "reranker")}


def test_documents_that_come_later_are_encoded_by_the_adapted_embedder(adapted: Little) -> None:
    little = adapted
    made_by = little.workspace.index(NAME).manifest.stages["dense"].fingerprint
    little.source.texts["new"] = (
        "Mara lives at the old harbour. Tom lives there. Ada lives at a mill."
    )
    result = little.workspace.writer(NAME).build([little.source])
    assert result.encoded == 2  # one text, by both encoders
    assert result.manifest.stages["dense"].fingerprint == made_by
    assert little.workspace.search(NAME, "old harbour").missing == {}
    undo(little.workspace, NAME)
    assert little.workspace.search(NAME, "old harbour").missing == {}
    assert little.workspace.index(NAME).dense is not None


def test_texts_of_a_deleted_document_leave_the_working_folder(adapted: Little) -> None:
    little = adapted
    work = WorkFolder(little.folder)
    assert work.data.is_dir()
    result = little.workspace.writer(NAME).delete_documents(["note-000"])
    assert any("left with passages" in note for note in result.notes)
    assert not work.data.exists() and not work.runs.exists()
    assert little.workspace.search(NAME, "where does mara live").missing == {}


def test_deleting_the_index_deletes_its_weights(adapted: Little) -> None:
    little = adapted
    little.workspace.writer(NAME).delete_index()
    assert not little.folder.exists()


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_damaged_weights_are_told_with_the_way_back(
    built: Little, adapted: Little, damage: str
) -> None:
    before, little = built.found(), adapted
    installed = InstalledStore(little.folder).read()
    for part in (installed.embedder, installed.reranker):
        assert part is not None
        file = little.folder / FOLDER / part.folder / "model.safetensors"
        if damage == "missing":
            file.unlink()
        else:
            data = bytearray(file.read_bytes())
            data[-1] ^= 1
            file.write_bytes(bytes(data))
    opened = little.opened()
    expected = ModelMissingError if damage == "missing" else ModelCorruptError
    with pytest.raises(expected, match="--undo"):
        opened.search(NAME, "where does mara live")
    assert len(look(opened, NAME)["problems"]) == 2
    undo(opened, NAME)
    assert little.found(opened) == before


def test_where_nothing_can_be_gained_nothing_is_trained(little: Little) -> None:
    judge = Always("embedder", "reranker", no_room="the search is perfect")
    report = little.adapt(judge)
    parts = report["parts"].values()
    assert [(part["installed"], part["reason"]) for part in parts] == [
        (False, "the search is perfect")
    ] * 2
    assert judge.shown == [] and not WorkFolder(little.folder).runs.exists()


def test_one_adaptation_at_a_time(little: Little) -> None:
    with adapting_lock(little.folder):
        with pytest.raises(IndexLockedError, match="another process is adapting"):
            little.adapt(Always())
        with pytest.raises(IndexLockedError):
            undo(little.workspace, NAME)


def test_too_few_passages_are_refused(little: Little) -> None:
    little.source.texts = dict(list(little.source.texts.items())[:5])
    little.workspace.writer(NAME).build([little.source])
    with pytest.raises(UsageError, match="are needed"):
        little.adapt(Always())
    assert not (little.folder / FOLDER).exists()
