"""The starter library: what a fresh installation can be asked about at once.

It is the documentation of the Python packages that came with the installation: real text that
every installation has, so that the first question has a true answer without any set-up.
"""

from __future__ import annotations

from assistant.jobs import Jobs
from assistant.workspace import Workspace

STARTER_INDEX = "starter"
STARTER_SOURCE = "packages:starter"

# Shown on an empty page; a test checks that the starter library answers each of them.
STARTER_QUESTIONS = (
    "How is PageRank computed?",
    "What is a minimum spanning tree?",
    "How do I build an index from a folder of documents?",
)


def ensure_starter(workspace: Workspace) -> bool:
    """Start indexing the starter library unless it is there; returns whether a job was started.

    Only the default index is looked after: who has set another one does not need a starter.
    """
    if workspace.settings.retrieval.index != STARTER_INDEX:
        return False
    known = {manifest.name: manifest for manifest in workspace.indexes()}
    if STARTER_INDEX in known and not known[STARTER_INDEX].missing_stages:
        return False
    jobs = Jobs(workspace.settings.jobs_folder, workspace.settings.home)
    if any(job.state == "running" and STARTER_INDEX in job.title for job in jobs.list()):
        return False
    jobs.start(
        f"index {STARTER_INDEX}", ["index", "build", STARTER_INDEX, "--from", STARTER_SOURCE]
    )
    return True
