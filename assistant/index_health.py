"""How the indexes and their watches stand, for the health check."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.adapting.installed import FOLDER
from assistant.adapting.looking import look
from assistant.errors import (
    IndexCorruptError,
    IndexFormatError,
    IndexNotFoundError,
    KnowledgeAssistantError,
    UnknownNameError,
)
from assistant.findings import Finding, Mend
from assistant.jobs import Jobs
from assistant.watches import watches
from assistant.workspace import Workspace
from indexes.manifest import MANIFEST, Manifest
from indexes.postgres.index import has_engine
from indexes.upkeep.leftovers import is_being_written


def index_findings(workspace: Workspace) -> Iterator[Finding]:
    """How every index stands, and the default one where it is not there."""
    jobs = Jobs(workspace.settings.jobs_folder, workspace.settings.home)
    folders = [f for f in sorted(workspace.settings.indexes_folder.iterdir()) if f.is_dir()]
    names = [folder.name for folder in folders]
    for name in names:
        if not has_engine(workspace.index_folder(name)) and not _published(workspace, name):
            yield _unpublished(workspace, name, jobs)
            continue
        try:
            manifest = workspace.index(name).manifest
        except KnowledgeAssistantError as error:
            yield Finding(
                f"index {name}",
                "error",
                error.message,
                error.remedy,
                "Indexes",
                _mend_of(name, error),
            )
        else:
            yield _checked(manifest, jobs)
            yield from adapted_findings(workspace, name)
    default = workspace.settings.retrieval.index
    if default not in names:
        yield Finding(
            f"index {default}",
            "note",
            "the default index does not exist yet",
            "open the page once (assistant app), or: assistant index build NAME --from FOLDER",
            "Indexes",
        )


def adapted_findings(workspace: Workspace, name: str) -> Iterator[Finding]:
    """Weights that were adapted to an index, if any, and whether they can be used."""
    check = f"adapted to {name}"
    mend = Mend("Undo", f"undo adapting {name}", ("distill", "adapt", name, "--undo"))
    if not (workspace.index_folder(name) / FOLDER).is_dir():
        return
    try:
        found = look(workspace, name)
    except KnowledgeAssistantError as error:
        yield Finding(check, "error", error.message, error.remedy, "Indexes", mend)
        return
    for problem in found["problems"]:
        yield Finding(check, "error", problem["message"], problem["remedy"], "Indexes", mend)
    if found["installed"] and not found["problems"]:
        yield Finding(check, "ok", ", ".join(found["installed"]), group="Indexes")


def _published(workspace: Workspace, name: str) -> bool:
    folder = workspace.settings.indexes_folder / name
    return (folder / MANIFEST).exists() or any(folder.glob("g[0-9]*"))


def _unpublished(workspace: Workspace, name: str, jobs: Jobs) -> Finding:
    """A first build that has not come as far as words, or was given up."""
    running = is_being_written(workspace.index_folder(name))
    delete = Mend("Remove what there is", f"index {name}", ("index", "delete", name, "--yes"))
    last = jobs.latest(f"index {name}")
    arguments = tuple(jobs.arguments(last.id)) if last is not None else ()
    again = Mend("Go on", f"index {name}", arguments) if "--from" in arguments else None
    return Finding(
        f"index {name}",
        "note",
        "nothing is published yet",
        f"wait for its first build, or go on: assistant index build {name} --from FOLDER",
        "Indexes",
        None if running else again or delete,
    )


def _mend_of(name: str, error: KnowledgeAssistantError) -> Mend | None:
    if isinstance(error, IndexFormatError):
        older = "upgrade" in error.remedy
        return Mend("Upgrade", f"index {name}", ("index", "upgrade", name)) if older else None
    if isinstance(error, IndexCorruptError | IndexNotFoundError | UnknownNameError):
        return Mend("Repair", f"repair {name}", ("index", "repair", name))
    return None


def _checked(manifest: Manifest, jobs: Jobs) -> Finding:
    """An index that opens: whether it is complete, and what its last check found."""
    name, check = manifest.name, f"index {manifest.name}"
    counts = f"{manifest.documents:,} documents, {manifest.passages:,} passages"
    found = jobs.latest(f"check {name}")
    # A build mends, too, what it finds damaged; only the next check can tell.
    later = [jobs.latest(f"{work} {name}") for work in ("repair", "index")]
    mended = [job for job in later if job is not None and job.state == "done"]
    if found is not None and all(job.started < found.started for job in mended):
        result = jobs.result(found.id) or {}
        wrong = [str(f.get("message")) for f in result.get("findings", ()) if not f.get("ok")]
        if wrong:
            message = f"{counts}; the last check failed: {'; '.join(wrong)}"
            mend = Mend("Repair", f"repair {name}", ("index", "repair", name))
            return Finding(
                check, "error", message, f"assistant index repair {name}", "Indexes", mend
            )
    if manifest.missing_stages:
        mend = Mend("Finish encoding", f"index {name}", ("index", "build", name))
        return Finding(
            check,
            "note",
            f"{counts}; not encoded yet: {', '.join(manifest.missing_stages)}",
            f"wait for the job, or go on: assistant index build {name}",
            "Indexes",
            mend,
        )
    return Finding(check, "ok", counts, group="Indexes")


def watch_findings(workspace: Workspace) -> Iterator[Finding]:
    """Watches that are wanted; one that ended is started again in the library, not from here: it
    would keep the terminal."""
    known = watches(workspace)
    for name in known.wanted():
        watch = known.of(name)
        if watch is not None and watch.job.state == "running":
            yield Finding(f"watch {name}", "ok", "its folders are followed", group="Indexes")
            continue
        why = watch.job.message if watch is not None and watch.job.message else "it was stopped"
        yield Finding(
            f"watch {name}",
            "note",
            f"its folders are not followed any more: {why}",
            "switch it on again in the library (Sources), or start the page anew",
            "Indexes",
        )
