"""How `assistant index` shows things: for people, and as JSON (docs/command-line.md)."""

from __future__ import annotations

from dataclasses import asdict as fields
from typing import Any

from rich.markup import escape

from assistant.cli.output import console, human_bytes, human_seconds, messages, write_json
from assistant.errors import KnowledgeAssistantError
from assistant.workspace import Workspace
from indexes.dense.kinds import Description
from indexes.documents import ReadFailure
from indexes.index import SearchResult
from indexes.manifest import Manifest
from indexes.planning import Plan
from indexes.publishing import BuildResult
from indexes.usage import parts_of


def status_row(opened: Workspace, manifest: Manifest) -> dict[str, Any]:
    """One index as the status lists it."""
    folder = opened.index_folder(manifest.name)
    parts = parts_of(folder, manifest)
    size = sum(part.disk for part in parts)
    missing = manifest.missing_stages
    return {
        "name": manifest.name,
        "documents": manifest.documents,
        "passages": manifest.passages,
        "state": "complete" if not missing else f"without {', '.join(missing)}",
        "missing_stages": list(missing),
        "sources": manifest.sources,
        "failures": manifest.failures,
        "excluded": manifest.excluded,
        "graph": _graph_row(opened, manifest),
        "dense": _dense_kind(opened, manifest),
        "bytes": size,
        "size": human_bytes(size),
        "parts": parts,
        "updated": manifest.updated,
    }


def _dense_kind(opened: Workspace, manifest: Manifest) -> str | None:
    """What the dense structure of an index in files is; None where there is none."""
    stage = manifest.stages.get("dense")
    if stage is None:
        return None
    folder = opened.index_folder(manifest.name) / manifest.generation
    try:
        return Description.read(folder / f"dense-{stage.fingerprint}").kind
    except KnowledgeAssistantError:
        return None


def _graph_row(opened: Workspace, manifest: Manifest) -> dict[str, Any] | None:
    graph = opened.graph(manifest.name)
    if graph is None:
        return None
    try:
        counts = graph.counts()
        current = graph.generation == manifest.generation
    except KnowledgeAssistantError as error:
        return {"error": error.message, "current": False}
    return {"entities": counts.entities, "facts": counts.facts, "current": current}


def graph_in_words(row: dict[str, Any] | None) -> str:
    """The graph of an index in a cell of the status."""
    if row is None:
        return "none"
    if "error" in row:
        return "damaged"
    late = "" if row["current"] else ", not current"
    return f"{row['entities']:,} entities, {row['facts']:,} facts{late}"


def result_json(result: BuildResult) -> dict[str, Any]:
    """What a build did."""
    return {
        "index": result.manifest.name,
        "documents": result.manifest.documents,
        "passages": result.manifest.passages,
        "added": len(result.changes.added),
        "changed": len(result.changes.changed),
        "removed": len(result.changes.removed),
        "moved": len(result.changes.moved),
        "unchanged": result.changes.unchanged,
        "left_out": result.changes.left_out,
        "encoded": result.encoded,
        "failures": result.changes.failures,
        "notes": list(result.notes),
        "seconds": round(result.seconds, 2),
    }


def show_result(result: BuildResult) -> None:
    """What a build did, in a line, with what could not be read."""
    changes, manifest = result.changes, result.manifest
    console().print(
        f"index '{escape(manifest.name)}': {manifest.documents:,} documents, "
        f"{manifest.passages:,} passages; {len(changes.added):,} added, "
        f"{len(changes.changed):,} changed, {len(changes.removed):,} removed, "
        f"{len(changes.moved):,} moved, "
        f"{changes.unchanged:,} unchanged; {result.seconds:.1f} s"
    )
    if changes.left_out:
        messages().print(
            f"{len(changes.left_out)} left out because they were deleted from the index before "
            "(--put-back DOCUMENT reads one again):"
        )
    for uri in changes.left_out:
        messages().print(f"  {uri}", markup=False)
    for note in result.notes:
        messages().print(f"[yellow]{escape(note)}[/yellow]")
    show_failures(changes.failures)


def show_failures(failures: list[ReadFailure]) -> None:
    """Items that could not be read, each with its reason and remedy."""
    if failures:
        messages().print(f"[yellow]{len(failures)} could not be read:[/yellow]")
    for failure in failures:
        remedy = f" ({failure.remedy})" if failure.remedy else ""
        messages().print(f"  {escape(failure.uri)}: {escape(failure.reason + remedy)}")


def plan_json(plan: Plan) -> dict[str, Any]:
    """What a build would do."""
    return {**fields(plan.changes), "cost": fields(plan.cost)}


def show_plan(plan: Plan, *, as_json: bool) -> None:
    """What a build would do, and what it would cost."""
    changes, cost = plan.changes, plan.cost
    if as_json:
        write_json(plan_json(plan))
        return
    for word, uris in (
        ("add", changes.added),
        ("read again", changes.changed),
        ("remove", changes.removed),
    ):
        for uri in uris:
            console().print(f"would {word} {escape(uri)}")
    for move in changes.moved:
        console().print(f"would follow {escape(move.origin)} to {escape(move.uri)}")
    console().print(f"{changes.unchanged:,} unchanged")
    about = "about " if cost.read < cost.documents else ""
    time = "" if cost.seconds is None else f", {about}{human_seconds(cost.seconds)} of encoding"
    console().print(
        f"cost: {cost.documents:,} documents to read, {about}{cost.passages:,} passages, "
        f"{about}{cost.to_encode:,} of them to encode{time}, {about}{human_bytes(cost.bytes)} more"
    )
    if cost.seconds is None:
        messages().print("no estimate of the time: the encoders are not installed (models fetch)")
    show_failures(changes.failures)


def search_json(result: SearchResult) -> dict[str, Any]:
    """A search result with every stage."""
    return {
        "query": result.query,
        "stages": list(result.stages),
        "missing": result.missing,
        "hits": [
            {
                "rank": hit.rank,
                "score": round(hit.score, 6),
                "id": hit.passage.id,
                "title": hit.passage.title,
                "uri": hit.passage.uri,
                "page": hit.passage.page,
                "start": hit.passage.start,
                "end": hit.passage.end,
                "text": hit.passage.text,
                "stages": hit.stages,
                "rerank": hit.rerank,
                "duplicates": [copy.id for copy in hit.duplicates],
                "through": hit.through,
            }
            for hit in result.hits
        ],
    }


def show_hits(result: SearchResult) -> None:
    """A search result for reading."""
    out = console()
    for stage, why in result.missing.items():
        messages().print(f"[yellow]without the {stage} stage: {escape(why)}[/yellow]")
    if not result.hits:
        out.print("nothing found")
    for hit in result.hits:
        stages = "  ".join(
            f"{name} #{place.rank} ({place.score:.3f})" for name, place in hit.stages.items()
        )
        page = f", page {hit.passage.page}" if hit.passage.page else ""
        out.print(f"[bold]{hit.rank}. {escape(hit.passage.title)}[/bold]{page}  {hit.score:.3f}")
        if hit.rerank is not None:
            stages += f"  reranked #{hit.rerank.rank} ({hit.rerank.score:.3f})"
        if hit.duplicates:
            stages += f"  and {len(hit.duplicates)} nearly the same"
        out.print(f"   [dim]{stages}[/dim]")
        for through in hit.through[:1]:
            out.print(f"   found through a prepared question: {through.text}", markup=False)
        out.print("   " + " ".join(hit.passage.text.split())[:240], markup=False)
        out.print(f"   {hit.passage.uri}", markup=False, style="dim")
