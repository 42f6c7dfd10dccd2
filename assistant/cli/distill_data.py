"""`assistant distill prepare|conversations|texts|wordings`: the data of the shipped recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.context import JsonFlag, workspace
from assistant.cli.distill import distill as distill  # its commands here are registered
from assistant.cli.output import console, messages, table, write_json
from assistant.errors import UsageError

ToFolder = Annotated[Path, typer.Option("--to", help="The folder of the files that are written.")]
Without = Annotated[
    list[Path] | None,
    typer.Option("--without", help="Queries that are reported on; what shares with them goes."),
]


@distill.command("prepare")
def prepare(
    squad: Annotated[Path, typer.Argument(help="SQuAD's train-v2.0.json, as published.")],
    to: ToFolder,
    negatives: Annotated[
        int, typer.Option("--negatives", min=0, help="Questions beside a wrong passage.")
    ] = 25_000,
    as_json: JsonFlag = False,
) -> None:
    """Make the training and selection files of the small reader's recipes from SQuAD 2.0."""
    from assistant.distillation.preparing import prepare_squad

    found = prepare_squad(squad, to, negatives=negatives)
    _show_rows(found, as_json=as_json)


@distill.command("wordings")
def wordings(
    context: typer.Context,
    rows: Annotated[Path, typer.Argument(help="JSON lines: passage, question, answers.")],
    to: Annotated[Path, typer.Option("--to", help="The file; goes on where it stopped.")],
    count: Annotated[int, typer.Option("--count", min=1, help="How many answers.")] = 500,
    as_json: JsonFlag = False,
) -> None:
    """Let the model that answers (the teacher) word answers: what `reader-words.yaml` learns."""
    from assistant.distillation.wordings import write_wordings
    from assistant.reading import answering_model

    teacher, _ = answering_model(workspace(context))

    def show(done: int, whole: int, kept: bool) -> None:
        if not as_json and done % 10 == 0:
            messages().print(f"{done} of {whole}")

    found = write_wordings(teacher, rows, to, count, show)
    if as_json:
        write_json(found)
    else:
        console().print(f"{found['written']} sentences, {found['faithful']} of them faithful: {to}")


@distill.command("conversations")
def conversations(
    to: ToFolder,
    canard: Annotated[
        Path | None, typer.Option("--canard", help="A file of CANARD, as published.")
    ] = None,
    cast: Annotated[
        Path | None, typer.Option("--cast", help="A copy of TREC CAsT's repository.")
    ] = None,
    without: Without = None,
    as_json: JsonFlag = False,
) -> None:
    """Make the data of both rewriters and of conversation.yaml from CANARD and TREC CAsT."""
    from assistant.distillation.conversations import canard_rows, cast_rows, write_conversations

    rows = [*(canard_rows(canard) if canard else ()), *(cast_rows(cast) if cast else ())]
    if not rows:
        raise UsageError(
            "there are no conversations to prepare", remedy="give --canard FILE or --cast FOLDER"
        )
    found = write_conversations(rows, to, without=without or ())
    _show_rows(found, as_json=as_json)


@distill.command("texts")
def texts(
    to: ToFolder,
    passages: Annotated[
        list[Path] | None, typer.Option("--passages", help="Files in the form of SQuAD.")
    ] = None,
    chat: Annotated[
        list[Path] | None, typer.Option("--chat", help="Files of Topical-Chat's conversations.")
    ] = None,
    without: Without = None,
    as_json: JsonFlag = False,
) -> None:
    """Make what embedder-talk.yaml reads beside conversations: passages, and what people say."""
    from assistant.distillation.everyday import chat_pairs, squad_passages, write_texts

    if not passages and not chat:
        raise UsageError(
            "there are no texts to prepare", remedy="give --passages FILE or --chat FILE"
        )
    rows, pairs = squad_passages(passages or ()), chat_pairs(chat or ())
    _show_rows(write_texts(rows, pairs, to, without=without or ()), as_json=as_json)


def _show_rows(found: dict[str, int], *, as_json: bool) -> None:
    """How many rows each file that was written has."""
    if as_json:
        write_json(found)
    else:
        console().print(table("", ("file", "rows"), list(found.items())))
