"""`assistant knowledge list|show|approve|reject|correct|delete`: single entries."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.output import console, write_json
from assistant.errors import UsageError
from assistant.knowledge.entries import TIERS, KnowledgeEntry, Tier

if TYPE_CHECKING:
    from assistant.knowledge.deciding import Decision
    from assistant.knowledge.store import KnowledgeStore
    from assistant.workspace import Workspace

Name = Annotated[str, typer.Argument(metavar="INDEX", help="The index.")]
EntryId = Annotated[str, typer.Argument(metavar="ID", help="An entry: `assistant knowledge list`.")]


def list_entries(
    context: typer.Context,
    name: Name,
    tier: Annotated[
        str | None, typer.Option("--tier", help=f"Only one of: {', '.join(TIERS)}.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000)] = 50,
    as_json: JsonFlag = False,
) -> None:
    """The entries of an index, in the order they were written."""
    found = store_of(workspace(context), name).entries(tier_named(tier))
    if as_json:
        write_json({"index": name, "total": len(found), "entries": plain(found[:limit])})
        return
    for entry in found[:limit]:
        console().print(f"{entry.id}  {entry.tier}  {entry.in_words}", markup=False)
    if len(found) > limit:
        console().print(f"… and {len(found) - limit:,} more: --limit")
    if not found:
        console().print("no entries")


def show(context: typer.Context, name: Name, entry: EntryId, as_json: JsonFlag = False) -> None:
    """An entry with its scores and the passage that it was written for."""
    opened = workspace(context)
    store = store_of(opened, name)
    found = store.entry(entry)
    tokens = store.tokens(found.id)
    passage = opened.index(name).store.passage(found.passage_id)
    if as_json:
        (values,) = plain([found])
        write_json({**values, "passage": passage, "tokens": tokens})
        return
    out = console()
    out.print(found.in_words, markup=False, style="bold")
    likelihood = "–" if found.likelihood is None else f"{found.likelihood:.3f}"
    out.print(
        f"{found.id}  {found.kind}, {found.tier}, by {found.teacher} ({found.style}), "
        f"{found.created}\nlog-likelihood {likelihood}, grounding {found.grounding:.2f}, "
        f"novelty {found.novelty:.2f}, score {found.score:.3f}",
        markup=False,
    )
    if tokens:
        out.print(f"{len(tokens)} tokens with the {len(tokens[0].top)} likeliest beside each")
    if passage is not None:
        out.print(f"\n{passage.title}: {passage.uri}\n{passage.text}", markup=False)


def approve(context: typer.Context, name: Name, entry: EntryId, as_json: JsonFlag = False) -> None:
    """Say that an entry is right."""
    _decide(context, name, entry, "approve", "approved", as_json=as_json)


def reject(context: typer.Context, name: Name, entry: EntryId, as_json: JsonFlag = False) -> None:
    """Say that an entry is wrong: it is not used, and nothing like it is written again."""
    _decide(context, name, entry, "reject", "rejected", as_json=as_json)


def correct(
    context: typer.Context,
    name: Name,
    entry: EntryId,
    answer: Annotated[str, typer.Option("--answer", help="The right answer, or statement.")],
    as_json: JsonFlag = False,
) -> None:
    """Put the right answer in place of an entry's; it counts as approved."""
    from assistant.knowledge.deciding import correct as put_right

    _show(name, put_right(workspace(context), name, entry, answer), "corrected", as_json=as_json)


def delete(context: typer.Context, name: Name, entry: EntryId, as_json: JsonFlag = False) -> None:
    """Take an entry out, and its text off the disk; it is not written again."""
    _decide(context, name, entry, "delete", "deleted", as_json=as_json)


# -- helpers ----------------------------------------------------------------------------------


def plain(entries: list[KnowledgeEntry]) -> list[dict[str, Any]]:
    """Entries as JSON values; the key as hexadecimal digits."""
    return [
        {**dataclasses.asdict(entry), "passage_key": entry.passage_key.hex()} for entry in entries
    ]


def tier_named(name: str | None) -> Tier | None:
    """The tier of that name; None for None.

    Raises:
        UsageError: there is no such tier.
    """
    for known in TIERS:
        if known == name:
            return known
    if name is not None:
        raise UsageError(f"there is no tier '{name}'", remedy=f"one of: {', '.join(TIERS)}")
    return None


def store_of(opened: Workspace, name: str) -> KnowledgeStore:
    """The store of an index on this machine; there need not be one yet."""
    from assistant.knowledge.deciding import store_of as found

    return found(opened, name)


def _decide(
    context: typer.Context, name: str, entry: str, decision: Decision, done: str, *, as_json: bool
) -> None:
    from assistant.knowledge.deciding import decide

    (decided,) = decide(workspace(context), name, [entry], decision)
    _show(name, decided, done, as_json=as_json)


def _show(name: str, entry: KnowledgeEntry, done: str, *, as_json: bool) -> None:
    if as_json:
        write_json({"index": name, done: plain([entry])[0]})
    else:
        console().print(f"{done}: {entry.id}  {entry.in_words}", markup=False)
