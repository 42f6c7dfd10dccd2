"""The command tree and what happens around every command."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli import (
    adapt,
    ask,
    conversations,
    doctor,
    evaluation,
    feedback,
    graph,
    index,
    knowledge,
    memory,
    models,
    people,
    serve_app,
)
from assistant.cli.context import JsonFlag, Options, parse_assignments, settings
from assistant.cli.output import console, messages, table, write_json
from assistant.errors import KnowledgeAssistantError
from assistant.settings import PERSON_VARIABLE, known_keys, save_settings

HELP = """Answers from your own documents, with sources, on this machine.

Examples:

  assistant app

  assistant index build notes --from ~/Documents/notes

  assistant ask "When does the lease end?" --index notes

Exit status: 0 done, 1 failed, 2 wrong usage, 3 the answer is not in the documents.
"""

# Typer brings its own click and exports no common base of its usage errors; this is it.
_COMMAND_LINE_ERROR: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)

INTERRUPTED = 130

app = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(index.index, name="index")
app.add_typer(models.models, name="models")
app.add_typer(memory.memory, name="memory")
app.add_typer(conversations.conversations, name="conversations")
app.add_typer(people.people, name="people")
app.add_typer(feedback.feedback, name="feedback")
app.add_typer(knowledge.knowledge, name="knowledge")
app.add_typer(graph.graph, name="graph")
app.add_typer(evaluation.evaluation, name="eval")
app.add_typer(adapt.distill, name="distill")
app.command("app")(serve_app.app_command)
app.command("ask")(ask.ask)
app.command("chat")(ask.chat)
app.command("doctor")(doctor.doctor)
app.command("tidy")(doctor.tidy_command)


@app.callback()
def options(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option("--home", help="Folder of indexes, conversations and weights.")
    ] = None,
    person: Annotated[
        str,
        typer.Option(
            "--person",
            envvar=PERSON_VARIABLE,
            help="Whose conversations and statements (`assistant people`).",
        ),
    ] = "",
    assignment: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", metavar="KEY=VALUE", help="A setting for this call."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show stack traces.")] = False,
) -> None:
    """Flags that come before the command."""
    overrides = parse_assignments(assignment or [])
    context.obj = Options(home.absolute() if home else None, person.strip(), dict(overrides), debug)


@app.command("settings")
def show_settings(
    context: typer.Context,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings to keep.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show all settings, or keep new values: assistant settings retrieval.depth=50."""
    current = settings(context)
    if changes:
        current = save_settings(current.home, parse_assignments(changes))
    values: dict[str, Any] = {"home": str(current.home)}
    rows = [("home", str(current.home), "folder of indexes, conversations and weights")]
    for key, section in known_keys().items():
        if "." in key:
            group, name = key.split(".")
            value = getattr(getattr(current, group), name)
            shown = "(set)" if name == "remote_key" and value else value
            values[key] = shown
            rows.append((key, str(shown), section.model_fields[name].description or ""))
    if as_json:
        write_json(values)
    else:
        console().print(table("", ("setting", "value", "meaning"), rows))
        console().print(f"kept in {current.config_file}")


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit status. Never shows a stack trace unasked."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    _quiet_libraries(debug=debug)
    if "--job" in arguments:
        # An interrupt is how a job is stopped. Where the page was started in the background of a
        # shell, its processes would not hear it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = app(args=arguments, standalone_mode=False, prog_name="assistant")
        status = int(result) if isinstance(result, int) else 0
        return _stopped() if status == INTERRUPTED else status
    except KnowledgeAssistantError as error:
        return _fail(error.message, error.remedy, error.exit_status, debug=debug)
    except (KeyboardInterrupt, typer.Abort):
        return _stopped()
    except _COMMAND_LINE_ERROR as error:
        return _wrong_usage(error, debug=debug)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last place where an error can be caught
        remedy = "run again with --debug (before the command) to see where"
        return _fail(f"{type(error).__name__}: {str(error)[:300]}", remedy, 1, debug=debug)


def _stopped() -> int:
    return _fail("stopped", "nothing is lost: the same command goes on", INTERRUPTED, debug=False)


def _wrong_usage(error: Exception, *, debug: bool) -> int:
    describe = getattr(error, "format_message", lambda: str(error))
    message = str(describe()).strip()
    if message:  # without one, the command's help has been shown already
        _fail(message[:1].lower() + message[1:], "see `assistant --help`", 2, debug=debug)
    return 2


def _fail(message: str, remedy: str, status: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    out = messages()
    out.print(f"[red]error:[/red] {_escape(message)}")
    if remedy:
        out.print(f"[dim]what to do:[/dim] {_escape(remedy)}")
    return status


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _quiet_libraries(*, debug: bool) -> None:
    """Libraries may not write progress bars and warnings between our lines, nor go online."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if not debug:
        logging.disable(logging.WARNING)
        if not sys.warnoptions:
            import warnings

            warnings.simplefilter("ignore")
