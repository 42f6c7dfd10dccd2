"""`assistant eval distillation` and `assistant eval threshold`: how good the small reader is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.cli.context import JsonFlag, LimitOption, workspace
from assistant.cli.distillation_tables import show_distillation, show_threshold
from assistant.cli.output import progress_bars, write_json
from assistant.errors import UsageError
from indexes.files import storage_errors

if TYPE_CHECKING:
    from assistant.workspace import Workspace
    from eval.distillation_runs import FinderOf
    from eval.questions import Question
    from eval.reader_memory import Memory
    from indexes.progress import OnProgress

_READERS = "teacher,untrained,student,student-words,extractive"
_MEMORY_QUESTIONS = 2
_CALIBRATION_QUESTIONS = 1000  # two numbers are fitted

RowsArgument = Annotated[
    list[Path],
    typer.Argument(help="JSON lines: passage, question, answers, answerable; or SQuAD's own form."),
]
IndexFlag = Annotated[
    str | None, typer.Option("--index", help="Also with passages found in this index.")
]


def distillation(
    context: typer.Context,
    rows: RowsArgument,
    readers: Annotated[
        str,
        typer.Option(
            help="Some of teacher, untrained, student, teacher-words, student-words, extractive; "
            "each may have +knowledge after it."
        ),
    ] = _READERS,
    index: IndexFlag = None,
    open_book: Annotated[
        bool,
        typer.Option("--open-book", help="Also with passages found in an index of the rows' own."),
    ] = False,
    limit: LimitOption = None,
    slow_limit: Annotated[
        int | None,
        typer.Option(min=1, help="Teacher and untrained model answer a sample of so many."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the samples.")] = 0,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Held-out rows that the score's sigmoid is fitted on."),
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option(
            "--earlier",
            help="A file of --out: its answers of teacher and untrained model are taken over.",
        ),
    ] = None,
    memory: Annotated[
        bool, typer.Option(help="Measure each reader's peak memory in a process of its own.")
    ] = True,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the report with every answer here.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Teacher, untrained student, student and others on the same questions.

    Example:

      assistant eval distillation squad2/dev.jsonl --slow-limit 150 --open-book --out dev.json
    """
    from eval.distillation_report import answers_json, report
    from eval.distillation_runs import Plan, evaluate
    from eval.earlier_answers import load_earlier
    from eval.questions import load_questions
    from eval.systems import make_system

    names = list(dict.fromkeys(name.strip() for name in readers.split(",") if name.strip()))
    if not names:
        raise UsageError("no reader was named", remedy=f"--readers {_READERS}")
    if index is not None and open_book:
        raise UsageError("--index and --open-book exclude each other", remedy="give one of them")
    files = [(file, load_questions(file, limit=limit, seed=seed)) for file in rows]
    for file, questions in files:
        if not questions:
            raise UsageError(f"{file} has no questions")
        _require_unseen(file, [question.passage for question in questions])
    held_out: list[Question] = []
    if calibration is not None:
        held_out = load_questions(calibration, limit=_CALIBRATION_QUESTIONS, seed=seed)
    opened = workspace(context)
    found: dict[str, Any] = {"seed": seed, "readers": names, "files": {}}
    answers: dict[str, Any] = {}
    with progress_bars(quiet=as_json) as on_progress:
        needed = _memory(opened, names, files[0][1], on_progress) if memory else {}
        for file, questions in files:
            finder = _finder(opened, index, file if open_book else None, on_progress)
            known = load_earlier(earlier, file.name, questions) if earlier is not None else {}
            plan = Plan(names, slow_limit, seed, finder, known, held_out)
            evaluation = evaluate(opened, questions, plan, make_system, on_progress=on_progress)
            found["files"][file.name] = report(evaluation, needed)
            answers[file.name] = answers_json(evaluation)
            if out is not None:  # after each file: the next one may take an hour
                _write(out, {**found, "answers": answers})
    if as_json:
        write_json(found)
        return
    for name, part in found["files"].items():
        show_distillation(name, part)


def threshold(
    context: typer.Context,
    rows: Annotated[
        Path, typer.Argument(help="Rows held out from training, that no figure is reported on.")
    ],
    index: IndexFlag = None,
    open_book: Annotated[
        bool,
        typer.Option("--open-book", help="Also with the row's passage among its neighbours."),
    ] = False,
    neighbours: Annotated[
        int, typer.Option(min=2, help="With --open-book: so many passages by BM25.")
    ] = 5,
    limit: LimitOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sample.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Choose the score from which the small reader takes words for an answer.

    Prints the measures over thresholds for a given passage, and for several passages at once; the
    value with the best mean of both overall F1 is the one to set.

    Example:

      assistant eval threshold squad-select.jsonl --open-book --limit 1500
    """
    from assistant.reading import small_reader
    from eval.open_book import Finder, found_in, given
    from eval.open_book import neighbours as neighbours_of
    from eval.questions import load_questions
    from eval.small_threshold import choose_threshold, scored

    questions = load_questions(rows, limit=limit, seed=seed)
    if not questions:
        raise UsageError(f"{rows} has no questions")
    opened = workspace(context)
    finders: dict[str, Finder] = {"given": given}
    if open_book:
        name = f"{neighbours} passages"
        finders[name] = neighbours_of(questions, load_questions(rows), neighbours)
    if index is not None:
        finders[f"index {index}"] = found_in(opened, index)
    reader = small_reader(opened, short=True)
    with progress_bars(quiet=as_json) as on_progress:
        judged = {
            name: scored(reader, questions, find, stage=name, on_progress=on_progress)
            for name, find in finders.items()
        }
    found = choose_threshold(judged)
    if as_json:
        write_json(found)
        return
    show_threshold(rows.name, found)


def _finder(
    opened: Workspace, index: str | None, file: Path | None, on_progress: OnProgress
) -> FinderOf | None:
    """What finds passages: in the index that was named, or in one of the file's own passages."""
    from eval.open_book import found_in, index_passages, knowledge_workspace
    from eval.questions import load_questions

    if file is not None:
        # Of all rows, whatever sample is asked: a small collection would make searching easy.
        index = index_passages(opened, load_questions(file), on_progress)
    if index is None:
        return None
    name = index
    opened.index(name)  # an unknown name is told before any answer
    return lambda knowledge: found_in(knowledge_workspace(opened, used=knowledge), name)


def _memory(
    opened: Workspace, names: list[str], questions: list[Question], on_progress: OnProgress
) -> dict[str, Memory]:
    from eval.reader_memory import reader_memory
    from eval.systems import KNOWLEDGE
    from indexes.progress import Progress

    bare = list(dict.fromkeys(name.removesuffix(KNOWLEDGE) for name in names))
    found: dict[str, Memory] = {}
    for number, name in enumerate(bare, start=1):
        found[name] = reader_memory(opened.settings, name, questions[:_MEMORY_QUESTIONS])
        on_progress(Progress("memory", number, len(bare), "readers", 0.0))
    return found


def _write(out: Path, found: dict[str, Any]) -> None:
    with storage_errors(out):
        out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _require_unseen(file: Path, passages: list[str]) -> None:
    """Refuse to report on passages that the small reader was trained on."""
    from assistant.distillation.trained_on import trained_on
    from assistant.models.shipped import READER_SPAN, shipped

    if seen := trained_on(passages, shipped(READER_SPAN)):
        raise UsageError(
            f"the small reader was trained on {len(set(seen))} passages of {file.name}",
            remedy="report on questions about other passages",
        )
