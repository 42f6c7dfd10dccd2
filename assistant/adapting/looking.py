"""What is adapted to an index, and whether it can be used."""

from __future__ import annotations

import dataclasses
from typing import Any

from assistant.adapting.installed import FOLDER, InstalledStore
from assistant.adapting.serving import usable
from assistant.adapting.work import WorkFolder
from assistant.workspace import Workspace
from indexes.manifest import read_manifest
from indexes.usage import folder_size


def look(workspace: Workspace, name: str) -> dict[str, Any]:
    """What is installed for an index with its measures, what is wrong with it, what is under way.

    Raises:
        IndexNotFoundError, IndexCorruptError: as reading its manifest does.
        StorageError: the record of what is installed is damaged.
    """
    folder = workspace.index_folder(name)
    manifest = read_manifest(folder)
    store = InstalledStore(folder)
    installed = store.read()
    parts = {}
    for role, part in (("embedder", installed.embedder), ("reranker", installed.reranker)):
        if part is not None:
            size = folder_size(folder / FOLDER / part.folder)
            parts[role] = {**dataclasses.asdict(part), "bytes": size}
    problems = [
        {"message": error.message, "remedy": error.remedy}
        for error in usable(folder, installed, name)
    ]
    stage = manifest.stages.get("dense")
    wanted = installed.embedder
    if wanted is not None and stage is not None and stage.fingerprint != wanted.fingerprint:
        problems.append(
            {
                "message": f"index '{name}' is not encoded by its adapted embedder yet; the former "
                "one answers",
                "remedy": f"go on: assistant index update {name}",
            }
        )
    work = WorkFolder(folder)
    plan = work.plan
    return {
        "index": name,
        "installed": parts,
        "problems": problems,
        "steps_to_undo": store.steps,
        "under_way": bool(plan) and not plan.get("finished"),
        "asked": plan.get("asked"),
        "last_report": work.report,
    }
