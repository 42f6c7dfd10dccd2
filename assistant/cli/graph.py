"""`assistant graph`: a graph of thoughts and its changes; log, show, diff, undo, export, import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from assistant.cli.context import IndexOption, JsonFlag, workspace
from assistant.cli.graph_places import Place, find_place, index_graph
from assistant.cli.graph_views import entity_page, fact_row, labels_of, show_entity, show_graph
from assistant.cli.output import console, write_json, write_text
from assistant.errors import UsageError
from assistant.thoughts.changes import BATCHES, Batch
from assistant.thoughts.diff import difference, difference_in_words
from assistant.thoughts.exchange import (
    FORMATS,
    IMPORT_FORMATS,
    MAX_CHARACTERS,
    additions,
    export,
    import_graph,
)
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.state import Snapshot
from assistant.thoughts.verbalise import Narrator, one_line

graph = typer.Typer(
    help="The graph of thoughts of an answer or an index, and its changes.", no_args_is_help=True
)

TurnOption = Annotated[str | None, typer.Option("--turn", help="The graph of this turn's answer.")]
ConversationOption = Annotated[
    str | None, typer.Option("--conversation", help="The graph of its last answer.")
]
FormatOption = Annotated[
    str | None, typer.Option("--format", help="The format; by the file's ending if left out.")
]
_ENDINGS = {
    ".graphml": "graphml",
    ".xml": "graphml",
    ".jsonld": "jsonld",
    ".json": "jsonld",
    ".kgcl": "kgcl",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
}


@graph.command("log")
def log(
    context: typer.Context,
    index: IndexOption = None,
    turn: TurnOption = None,
    conversation: ConversationOption = None,
    last: Annotated[int | None, typer.Option("--last", min=1, help="Only the last ones.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Every change in force, oldest first: who, at which step, why, and what."""
    place = find_place(workspace(context), index, turn, conversation)
    batches = place.graph.log[-last:] if last else place.graph.log
    if as_json:
        write_json({"graph": place.title, "batches": _plain(batches)})
        return
    narrator = Narrator(place.graph.log[: len(place.graph.log) - len(batches)])
    for batch in batches:
        console().print(narrator.tell(batch), markup=False)


@graph.command("show")
def show(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One entity, by name or id.")] = None,
    index: IndexOption = None,
    turn: TurnOption = None,
    conversation: ConversationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """What was wanted and found, with its sources; or all about one entity.

    Examples:

      assistant graph show --conversation 7f3a…

      assistant graph show "Eiffel Tower" --index notes
    """
    place = find_place(workspace(context), index, turn, conversation)
    if name is None:
        show_graph(place, as_json=as_json)
        return
    page = entity_page(place, name)
    labels = labels_of(place, page)
    if as_json:
        rows = [fact_row(fact, labels) for fact in page.facts]
        write_json({"graph": place.title, "entity": page.node, "facts": rows})
    else:
        show_entity(page, labels)


@graph.command("search")
def search(
    context: typer.Context,
    words: Annotated[str, typer.Argument(help="Words of a name, or their beginnings.")],
    index: IndexOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000)] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Entities and values of an index's graph by name; what most passages name first."""
    opened = workspace(context)
    name = index or opened.settings.retrieval.index
    found = index_graph(opened, name).search(words, limit)
    if as_json:
        write_json({"index": name, "words": words, "nodes": found})
        return
    for node in found or ():
        line = f"{node.label} ({node.type or node.kind}), {node.id}"
        console().print(one_line(line), markup=False)
    if not found:
        console().print("nothing found")


@graph.command("diff")
def diff(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="An exported graph to compare with.")] = None,
    index: IndexOption = None,
    turn: TurnOption = None,
    conversation: ConversationOption = None,
    first: Annotated[int, typer.Option("--from", min=0, help="After this change; 0: empty.")] = 0,
    second: Annotated[
        int | None, typer.Option("--to", min=0, help="After this change; default: the last.")
    ] = None,
    format: FormatOption = None,
    as_json: JsonFlag = False,
) -> None:
    """What changed between two points of the log; or from FILE to the graph."""
    place = find_place(workspace(context), index, turn, conversation)
    end = _state_after(place, second)
    start = _read(file, format).snapshot() if file is not None else _state_after(place, first)
    changes = difference(start, end)
    if as_json:
        made = _plain([Batch(1, "person", "difference", 0, tuple(changes))])[0]["changes"]
        write_json({"graph": place.title, "changes": made})
    else:
        console().print(difference_in_words(changes, start, end), markup=False)


@graph.command("undo")
def undo(
    context: typer.Context,
    number: Annotated[
        int | None, typer.Argument(help="Take back this change only, as a new one; see `log`.")
    ] = None,
    index: IndexOption = None,
    turn: TurnOption = None,
    conversation: ConversationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Take back the last change of an index's graph, or one change in the middle."""
    place = find_place(workspace(context), index, turn, conversation)
    kept = place.changeable
    done = kept.undo() if number is None else kept.revert(number)
    _done("undone", done, place, as_json=as_json)


@graph.command("redo")
def redo(
    context: typer.Context,
    index: IndexOption = None,
    turn: TurnOption = None,
    conversation: ConversationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Make again what was undone last."""
    place = find_place(workspace(context), index, turn, conversation)
    _done("redone", place.changeable.redo(), place, as_json=as_json)


@graph.command("keep")
def keep(
    context: typer.Context,
    facts: Annotated[list[str], typer.Argument(help="Ids of facts: `assistant graph show`.")],
    turn: TurnOption = None,
    conversation: ConversationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep facts of an answer with its index, as yours; `assistant graph undo` takes them back.

    Example:

      assistant graph keep 3f2a… --conversation ID
    """
    if turn is None and conversation is None:
        raise UsageError("whose facts?", remedy="give --turn ID or --conversation ID")
    opened = workspace(context)
    place = find_place(opened, None, turn, conversation)
    chosen = [place.graph.fact(identity) for identity in facts]
    ends = {end for fact in chosen for end in (fact.subject, fact.object)}
    batch = index_graph(opened, place.index).promote(
        chosen, [place.graph.node(end) for end in sorted(ends)], f"kept from {place.title}"
    )
    if as_json:
        write_json({"index": place.index, "kept": BATCHES.dump_python([batch], mode="json")[0]})
        return
    console().print(f"kept with the index '{place.index}' as change {batch.number}", markup=False)


@graph.command("export")
def export_graph(
    context: typer.Context,
    index: IndexOption = None,
    turn: TurnOption = None,
    conversation: ConversationOption = None,
    format: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}; or by --out's ending.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write; standard output if left out.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the graph: GraphML and JSON-LD hold its state, KGCL its whole log, Mermaid draws it.

    Examples:

      assistant graph export --conversation 7f3a… --out tower.graphml

      assistant graph export --index notes --format kgcl > notes.kgcl
    """
    place = find_place(workspace(context), index, turn, conversation)
    chosen = _format(format, out, FORMATS)
    whole = place.whole()
    text = export(whole, chosen)
    if out is not None:
        write_text(out, text)
    counts = {"nodes": len(list(whole.nodes())), "facts": len(whole)}
    if as_json:
        shown = {"file": out} if out is not None else {"text": text}
        write_json({"graph": place.title, "format": chosen, **counts, **shown})
    elif out is not None:
        said = f"{counts['nodes']} nodes and {counts['facts']} facts written to {out}"
        console().print(escape(said))
    else:
        typer.echo(text, nl=False)


@graph.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help=f"In one of: {', '.join(IMPORT_FORMATS)}.")],
    index: IndexOption = None,
    format: FormatOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add a file's nodes and facts to an index's graph, as one change that can be undone."""
    more = _read(file, format)
    place = find_place(workspace(context), index, None, None)
    changes = additions(place.graph, more.snapshot())
    if dry_run or not changes:
        plain = _plain([Batch(1, "person", "", 0, tuple(changes))])[0]["changes"]
        if as_json:
            write_json({"graph": place.title, "changes": plain, "imported": False})
        else:
            made = place.after(len(place.graph.log))
            if changes:
                made.apply(changes, author="person", reason="trial")
            first, second = place.graph.snapshot(), made.snapshot()
            console().print(difference_in_words(changes, first, second), markup=False)
        return
    reason = f"imported from {file.name}"
    batch = place.changeable.apply(changes, author="person", reason=reason)
    _done("imported", batch, place, as_json=as_json)


def _done(what: str, batch: Batch, place: Place, *, as_json: bool) -> None:
    if as_json:
        write_json({"graph": place.title, what: _plain([batch])[0]})
        return
    said = f"{what}: {batch.number}. {one_line(batch.reason)} ({len(batch.changes)} changes)"
    console().print(said, markup=False)


def _plain(batches: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = BATCHES.dump_python(list(batches), mode="json")
    return made


def _state_after(place: Place, number: int | None) -> Snapshot:
    log = place.graph.log
    if number is None:
        return place.graph.snapshot()
    if number > len(log):
        raise UsageError(f"there is no change {number}", remedy=f"the last is {len(log)}")
    return place.after(number).snapshot()


def _read(file: Path, format: str | None) -> ThoughtGraph:
    chosen = _format(format, file, IMPORT_FORMATS)
    try:
        # A character is at most four bytes; a file that is larger is not read at all.
        if file.stat().st_size > 4 * MAX_CHARACTERS:
            raise UsageError(f"{file} is too large for a graph", remedy="import it in parts")
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not a text in UTF-8", remedy="save it as UTF-8") from error
    except OSError as error:
        raise UsageError(
            f"cannot read {file}: {error.strerror}", remedy="name a file that is there"
        ) from error
    return import_graph(text, chosen, name=file.name)


def _format(format: str | None, file: Path | None, known: tuple[str, ...]) -> str:
    if format is not None:
        return format
    found = _ENDINGS.get(file.suffix.lower()) if file is not None else None
    if found is None:
        raise UsageError("in which format?", remedy=f"give --format: {', '.join(known)}")
    return found
