"""A build from beginning to end: lock, follow, order, write, make searchable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from filelock import FileLock, Timeout

from assistant.errors import IndexLockedError, ModelMissingError, UsageError
from assistant.knowledge.building import BuildOptions, BuildReport, KnowledgeBuilder
from assistant.knowledge.coverage import coverage_order, spread_order
from assistant.knowledge.following import follow_index, publish_entries
from assistant.knowledge.schema import ENTRIES_FOLDER
from assistant.knowledge.store import KnowledgeStore
from assistant.knowledge.teacher import Teacher
from assistant.knowledge.usage import passage_uses
from assistant.workspace import Workspace
from indexes.encoders import DenseEncoder
from indexes.files import storage_errors
from indexes.index import Index
from indexes.progress import OnProgress


def fill(
    workspace: Workspace,
    name: str,
    teacher: Teacher,
    options: BuildOptions,
    on_progress: OnProgress = lambda progress: None,
) -> BuildReport:
    """Write entries for the passages of an index, the most useful first, and make them searchable.

    What was written is made searchable also when the build is interrupted or the teacher fails.

    Raises:
        UsageError: the index is on a server.
        IndexLockedError: another build of this store is at work.
        ModelRuntimeError, ModelMissingError: as `KnowledgeBuilder.run`.
    """
    index = local_index(workspace, name)
    encoder = encoder_of(workspace)
    with _alone(index):
        builder = KnowledgeBuilder(
            index.folder, index.store, teacher, encoder, options, on_progress
        )
        report = builder.report
        follow_index(index.folder, index.manifest)
        todo, done = builder.pending()
        report.left = len(todo)
        try:
            builder.run(order_of(workspace, index, todo, done))
        finally:
            current = local_index(workspace, name)  # it may have been published anew meanwhile
            follow_index(current.folder, current.manifest)
            report.searchable = publish_entries(current.folder, workspace.encoders, on_progress)
            report.total = len(todo) + len(done)
            report.covered = KnowledgeStore(current.folder).counts().passages.get("done", 0)
            report.left = max(0, len(todo) - report.passages - report.given_up)
    return report


def local_index(workspace: Workspace, name: str) -> Index:
    """The index of that name, on this machine.

    Raises:
        UsageError: it is on a server. Else as `Workspace.index`.
    """
    index = workspace.index(name)
    if not index.explains:
        raise UsageError(
            f"the index '{name}' is on a server; a knowledge store lies beside an index on disk",
            remedy="build the index in files: assistant index build NAME --from FOLDER",
        )
    return index


def encoder_of(workspace: Workspace) -> DenseEncoder | None:
    """The embedder; None where its weights are not installed."""
    try:
        return workspace.encoders.dense()
    except ModelMissingError:
        return None


def order_of(
    workspace: Workspace, index: Index, todo: Sequence[int], done: Sequence[int]
) -> Iterator[int]:
    """The rows of `todo`, the most useful first."""
    if index.dense is None:
        documents = [passage.document_id for passage in index.store.passages()]
        return spread_order(documents, todo)
    uses = passage_uses(workspace.conversations, index.manifest.name)
    ids = list(uses)
    by_row = {
        row: uses[passage.id]
        for row in (index.store.rows_of(ids) if ids else [])
        for passage in index.store.by_rows([row])
    }
    vectors = index.dense.vectors(list(range(index.dense.size)))
    return coverage_order(vectors, todo, taken=done, uses=by_row)


@contextmanager
def _alone(index: Index) -> Iterator[None]:
    """One build of a store at a time; the lock of a dead process is free."""
    with storage_errors(index.folder):
        (index.folder / ENTRIES_FOLDER).mkdir(exist_ok=True)
    lock = FileLock(index.folder / f"{ENTRIES_FOLDER}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise IndexLockedError(
            f"the knowledge store of '{index.manifest.name}' is being built by another process",
            remedy=f"wait until it is done: assistant knowledge status {index.manifest.name}",
        ) from error
    try:
        yield
    finally:
        lock.release()
