"""`assistant ask` and `assistant chat`: readers of the event stream, like the page."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from assistant.cli.context import IndexOption, JsonFlag, ReaderOption, workspace
from assistant.cli.only import OnlyOption, filter_of
from assistant.cli.output import console, messages, write_json
from assistant.cli.trace import Trace
from assistant.cli.turn_options import (
    AttachOption,
    EffortOption,
    FormOption,
    InsteadOption,
    LanguageOption,
    LengthOption,
    RelianceOption,
    attach_files,
    given_options,
)
from assistant.errors import KnowledgeAssistantError, UnknownNameError, UsageError
from assistant.events import (
    AnswerDone,
    Event,
    PassagesFound,
    QueriesWritten,
    SentenceChecked,
    Token,
    TurnFailed,
    TurnStarted,
    to_dict,
)
from assistant.warming import warm_up
from assistant.workspace import Workspace

ABSTAINED = 3


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    index: IndexOption = None,
    reader: ReaderOption = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", help="Go on with this conversation.")
    ] = None,
    understood_as: Annotated[
        str | None,
        typer.Option("--understood-as", metavar="TEXT", help="The question as it is meant."),
    ] = None,
    without_statement: Annotated[
        list[str] | None,
        typer.Option(
            "--without-statement",
            metavar="ID",
            help="Leave out what you told (`assistant memory list`). May be given several times.",
        ),
    ] = None,
    without_fact: Annotated[
        list[str] | None,
        typer.Option(
            "--without-fact",
            metavar="ID",
            help="A fact that does not count (`assistant graph show`). May be given several times.",
        ),
    ] = None,
    effort: EffortOption = None,
    reliance: RelianceOption = None,
    form: FormOption = None,
    length: LengthOption = None,
    language: LanguageOption = None,
    attach: AttachOption = None,
    instead_of: InsteadOption = None,
    only: OnlyOption = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show the steps of the turn.")] = False,
    as_json: JsonFlag = False,
) -> int:
    """One answer with its sources. Exit status 3 when the documents do not say.

    Examples:

      assistant ask "What is PageRank?"

      assistant ask "When does the lease end?" --index contracts --json

      assistant ask "What was decided?" --only folder=~/notes/2026 --only since=2026-05

      assistant ask "And the rent?" --understood-as "How much is the rent of the flat?"
    """
    from assistant.pipeline import Assistant

    where = filter_of(only)
    text = sys.stdin.read() if question == "-" else question
    opened = workspace(context, answering__reader=reader, answering__reliance=reliance)
    options = given_options(reader, effort, reliance, form, length, language)
    left_out = without_statement or []
    _check_statements(left_out, opened)
    # The weights load while the question is searched for.
    warm_up(opened, follow_up=conversation is not None)
    if attach:
        conversation = attach_files(opened, conversation, attach)
    assistant = Assistant(opened)
    events = assistant.ask(
        text,
        conversation,
        index=index,
        understood_as=_meant(understood_as),
        without_statements=left_out,
        options=options,
        version_of=instead_of or "",
        without_facts=without_fact or [],
        where=where,
    )
    if as_json:
        return _as_json(events)
    return _show(events, console(), trace=trace)


def chat(
    context: typer.Context,
    index: IndexOption = None,
    reader: ReaderOption = None,
    effort: EffortOption = None,
    reliance: RelianceOption = None,
    form: FormOption = None,
    length: LengthOption = None,
    language: LanguageOption = None,
) -> int:
    """A conversation in the terminal. An empty line or Ctrl-D ends it, Ctrl-C stops an answer."""
    from assistant.pipeline import Assistant

    opened = workspace(context, answering__reader=reader, answering__reliance=reliance)
    options = given_options(reader, effort, reliance, form, length, language)
    warm_up(opened)
    assistant = Assistant(opened)
    out = console()
    conversation = opened.conversations.start()
    while True:
        try:
            question = out.input("[bold]you:[/bold] ").strip()
        except (EOFError, KeyboardInterrupt):
            break
        if not question:
            break
        try:
            events = assistant.ask(question, conversation, index=index, options=options)
            _show(events, out, trace=False)
        except KeyboardInterrupt:
            out.print("\n[dim](stopped)[/dim]")
        except KnowledgeAssistantError as error:
            out.print(f"[red]error:[/red] {escape(str(error))}")
    return 0


def _meant(understood_as: str | None) -> str:
    """What `--understood-as` gives, or nothing where it was left out."""
    if understood_as is None:
        return ""
    text = understood_as.strip()
    if not text:
        raise UsageError("--understood-as is empty", remedy="write the question as it is meant")
    return text


def _check_statements(left_out: Sequence[str], opened: Workspace) -> None:
    if left_out:
        known = [statement.id for statement in opened.person.statements()]
        for identity in left_out:
            if identity not in known:
                raise UnknownNameError("statement", identity, known)


def _show(events: Iterator[Event], out: Console, *, trace: bool) -> int:
    """Write a turn for a person; returns the exit status."""
    question = ""
    found: PassagesFound | None = None
    notes = messages()
    steps = Trace(notes) if trace else None
    streaming = out.is_terminal
    done: AnswerDone | None = None
    for event in events:
        if steps is not None:
            steps.add(event)
        match event:
            case TurnStarted():
                question = event.question
            case QueriesWritten() if not trace and _differs(event, question):
                notes.print(f"[dim]understood as: {escape(event.standalone)}[/dim]")
            case PassagesFound():
                found = event
            case Token() if streaming:
                out.print(escape(event.text), end="", style="dim")
            case AnswerDone():
                done = event
            case TurnFailed():
                raise _as_error(event)
            case _:
                pass
    if done is None:
        raise UsageError("the answer did not finish")
    if streaming:
        out.print("\n")
    _show_answer(done, found, out)
    if trace:
        times = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in done.seconds.items())
        notes.print(f"[dim]{done.reader}: {times}[/dim]")
    return ABSTAINED if done.abstained else 0


def _differs(event: QueriesWritten, question: str) -> bool:
    """Whether it is worth saying how the question was understood."""
    if event.act in ("small talk", "command"):
        return False
    return event.standalone.casefold() != " ".join(question.split()).casefold()


def _show_answer(done: AnswerDone, found: PassagesFound | None, out: Console) -> None:
    if done.quoted and not done.abstained:
        out.print("[dim]Quoted from your documents:[/dim]")
    out.print(escape(done.text))
    cited = [c for s in done.sentences if s.status == "supported" for c in s.citations]
    numbers = list(done.closest) if done.abstained else sorted({c.number for c in cited})
    passages = {p.number: p for p in found.passages} if found else {}
    if numbers:
        out.print("\n[dim]Closest passages:[/dim]" if done.abstained else "\n[dim]Sources:[/dim]")
    for number in numbers:
        passage = passages[number]
        page = f", page {passage.page}" if passage.page else ""
        out.print(f"  [{number}] {passage.title}{page}", markup=False)
        out.print(f"      {passage.uri}", markup=False, style="dim")


def _as_json(events: Iterator[Event]) -> int:
    """The documented shape: docs/command-line.md, `ask --json`."""
    result: dict[str, Any] = {}
    kept: list[Event] = []
    for event in events:
        if not isinstance(event, Token):
            kept.append(event)
        match event:
            case TurnStarted():
                result.update(
                    question=event.question,
                    conversation=event.conversation_id,
                    index=event.index,
                )
            case AnswerDone():
                result.update(
                    answer=event.text,
                    abstained=event.abstained,
                    missing=event.missing,
                    reader=event.reader,
                    quoted=event.quoted,
                    seconds=event.seconds,
                )
            case TurnFailed():
                raise _as_error(event)
            case _:
                pass
    result["sources"] = _sources(kept)
    result["events"] = [to_dict(event) for event in kept]
    write_json(result)
    return ABSTAINED if result["abstained"] else 0


def _sources(events: list[Event]) -> list[dict[str, Any]]:
    passages = {p.number: p for e in events if isinstance(e, PassagesFound) for p in e.passages}
    sources = []
    for event in events:
        if isinstance(event, SentenceChecked) and event.status == "supported":
            for citation in event.citations:
                passage = passages[citation.number]
                sources.append(
                    {
                        "number": citation.number,
                        "title": passage.title,
                        "uri": passage.uri,
                        "page": passage.page,
                        "quote": citation.quote,
                        "start": citation.start,
                        "end": citation.end,
                        "support": citation.support,
                    }
                )
    return sources


def _as_error(event: TurnFailed) -> KnowledgeAssistantError:
    error = KnowledgeAssistantError(event.message, remedy=event.remedy)
    error.exit_status = event.exit_status
    return error
