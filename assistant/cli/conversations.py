"""`assistant conversations`: what was asked and answered; find, mark, delete, export, import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.output import console, table, write_export, write_json
from assistant.errors import UnknownNameError, UsageError
from assistant.memory.archive import archived, import_archive
from assistant.memory.conversation_search import snippet, words_of
from assistant.memory.conversations import Conversation, Conversations

conversations = typer.Typer(
    help="The conversations that are kept: find, mark, delete, export, import.",
    no_args_is_help=True,
)

_SHOWN = 8  # characters of an id
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Of `list`; its beginning is enough.")
]
TagOption = Annotated[str, typer.Option("--tag", help="Those with this tag only.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]


def _kept(context: typer.Context) -> Conversations:
    return workspace(context).conversations


def _named(kept: Conversations, given: str) -> Conversation:
    """The one conversation whose id begins so.

    Raises:
        UnknownNameError: there is none.
        UsageError: there are several.
    """
    found = [item for item in kept.list(-1) if given and item.id.startswith(given)]
    if not found:
        known = [item.id[:_SHOWN] for item in kept.list(20)]
        raise UnknownNameError("conversation", given, known)
    if len(found) > 1 and found[0].id != given:
        raise UsageError(
            f"{len(found)} conversations begin with '{given}'", remedy="give more of the id"
        )
    return found[0]


@conversations.command("list")
def list_conversations(
    context: typer.Context, tag: TagOption = "", limit: LimitOption = 200, as_json: JsonFlag = False
) -> None:
    """Pinned ones first, then latest first."""
    found = _kept(context).list(limit, tag=tag)
    if as_json:
        write_json({"conversations": [_told(item) for item in found]})
    elif found:
        console().print(table("", ("id", "last", "", "title", "tags"), map(_row, found)))
    else:
        console().print("no conversations; begin one: assistant ask QUESTION")


@conversations.command("search")
def search_conversations(
    context: typer.Context,
    words: Annotated[str, typer.Argument(help="All of them have to occur, in any case.")],
    tag: TagOption = "",
    limit: LimitOption = 30,
    as_json: JsonFlag = False,
) -> None:
    """Conversations in which all words occur in one question with its answer, or in the title.

    Examples:

      assistant conversations search "lease notice"
    """
    found = _kept(context).search(words, limit, tag=tag)
    looked_for = words_of(words)
    texts = [
        snippet(f"{turn.question} – {turn.answer}", looked_for).text if turn.turn_id else ""
        for _, turn in found
    ]
    if as_json:
        write_json(
            {
                "words": words,
                "conversations": [
                    {**_told(item), "turn": turn.turn_id, "snippet": text}
                    for (item, turn), text in zip(found, texts, strict=True)
                ],
            }
        )
        return
    out = console()
    if not found:
        out.print("nothing found")
    for (item, _), text in zip(found, texts, strict=True):
        out.print(f"{item.id[:_SHOWN]}  {item.title}", markup=False)
        if text:
            out.print(f"          {text}", markup=False, style="dim")


@conversations.command("show")
def show_conversation(
    context: typer.Context,
    identity: IdArgument,
    last: Annotated[int | None, typer.Option(min=1, help="The last so many turns.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """What was asked and answered."""
    kept = _kept(context)
    item = _named(kept, identity)
    turns = kept.turns(item.id, last=last)
    if as_json:
        told = [
            {"id": t.id, "question": t.question, "answer": t.answer, "state": t.state}
            for t in turns
        ]
        write_json({"conversation": _told(item), "turns": told})
        return
    out = console()
    out.print(item.title, markup=False, style="bold")
    for turn in turns:
        out.print(f"\n[bold]you:[/bold] {escape(turn.question)}")
        out.print(turn.answer or f"({turn.state})", markup=False)


@conversations.command("rename")
def rename_conversation(
    context: typer.Context,
    identity: IdArgument,
    title: Annotated[str, typer.Argument(help="At most 60 characters are kept.")],
    as_json: JsonFlag = False,
) -> None:
    """Give a conversation another title."""
    if not title.strip():
        raise UsageError("the title is empty", remedy="write a few words")
    kept = _kept(context)
    item = _named(kept, identity)
    kept.rename(item.id, title)
    _changed(kept, item, as_json=as_json)


@conversations.command("pin")
def pin_conversation(
    context: typer.Context,
    identity: IdArgument,
    off: Annotated[bool, typer.Option("--off", help="No longer.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Let a conversation stand before all that are not pinned."""
    kept = _kept(context)
    item = _named(kept, identity)
    kept.pin(item.id, pinned=not off)
    _changed(kept, item, as_json=as_json)


@conversations.command("tag")
def tag_conversation(
    context: typer.Context,
    identity: IdArgument,
    tags: Annotated[list[str] | None, typer.Argument(help="None removes all.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Give a conversation these tags and no others.

    Examples:

      assistant conversations tag 3f2a "tax 2026" house
    """
    kept = _kept(context)
    item = _named(kept, identity)
    kept.tag(item.id, tags or [])
    _changed(kept, item, as_json=as_json)


@conversations.command("delete")
def delete_conversations(
    context: typer.Context,
    identities: Annotated[list[str], typer.Argument(metavar="ID…", help="See `list`.")],
    as_json: JsonFlag = False,
) -> None:
    """Remove conversations for good: at once, with no way back, and from the disk."""
    kept = _kept(context)
    chosen = {item.id: item for item in (_named(kept, given) for given in identities)}
    for identity in chosen:
        kept.delete(identity)
    if as_json:
        write_json({"deleted": len(chosen)})
    else:
        for item in chosen.values():
            console().print(f"deleted: {item.title}", markup=False)


@conversations.command("export")
def export_conversations(
    context: typer.Context,
    identities: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]…", help="All if left out.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--to", help="Where to write; standard output if left out.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Conversations as one JSON file: turns with all their events, pins, tags.

    Examples:

      assistant conversations export --to conversations.json
    """
    kept = _kept(context)
    chosen = identities or [item.id for item in kept.list(-1)]
    ids = list(dict.fromkeys(_named(kept, given).id for given in chosen))
    text = archived(kept, ids)
    if file is None:
        sys.stdout.write(text)
        return
    write_export(file, text, len(ids), as_json=as_json)


@conversations.command("import")
def import_conversations(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `export` wrote.")],
    as_json: JsonFlag = False,
) -> None:
    """Read conversations in. None that is there is changed; the same one is not taken twice."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", remedy="name a file") from error
    done = import_archive(_kept(context), data)
    if as_json:
        write_json({"imported": done.added, "known": done.known})
    else:
        console().print(f"{len(done.added)} imported, {done.known} were there already")


def _changed(kept: Conversations, item: Conversation, *, as_json: bool) -> None:
    now = kept.get(item.id)
    if as_json:
        write_json({"conversation": _told(now)})
    else:
        console().print(table("", ("id", "last", "", "title", "tags"), [_row(now)]))


def _told(item: Conversation) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "updated": item.updated.isoformat(timespec="seconds"),
        "pinned": item.pinned,
        "tags": item.tags,
    }


def _row(item: Conversation) -> Sequence[str]:
    return (
        item.id[:_SHOWN],
        f"{item.updated:%Y-%m-%d}",
        "pinned" if item.pinned else "",
        item.title or "Untitled",
        ", ".join(item.tags),
    )
