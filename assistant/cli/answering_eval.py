"""`assistant eval forms` and `eval reliance`: how knowledge is given to the reader, and weighed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from assistant.cli.context import JsonFlag, LimitOption, ReaderOption, workspace
from assistant.cli.output import console, progress_bars, table, write_json
from assistant.errors import UnknownNameError, UsageError
from assistant.workspace import Workspace
from indexes.files import storage_errors
from indexes.progress import OnProgress

if TYPE_CHECKING:
    from eval.forms import FormRow
    from eval.reliance import Dialled, KnownEdit, RelianceRow
    from eval.reliance_choice import Choice

_Row = TypeVar("_Row")
_HALVES = ("all", "development", "held-out")
_EFFORTS = ("off", "quick", "normal", "deep")
RowsOption = Annotated[
    Path | None, typer.Option("--rows", help="Write each result here as it comes, as JSON lines.")
]


def forms(
    context: typer.Context,
    collection: Annotated[
        Path, typer.Argument(help="Folder in BEIR's layout; its queries have answers.")
    ],
    form: Annotated[
        list[str] | None,
        typer.Option("--form", help="Only these; the others are compared with the first."),
    ] = None,
    effort: Annotated[str, typer.Option(help="How hard to think beforehand.")] = "quick",
    half: Annotated[str, typer.Option(help="all, development or held-out questions.")] = "all",
    reader: ReaderOption = None,
    limit: LimitOption = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sample.")] = 0,
    rows_file: RowsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Answers from passages, from triples, and from both: the same questions, the same model.

    Example:

      assistant eval forms data/hotpotqa --half development --rows forms.jsonl
    """
    from assistant.reading import answering_model
    from eval.collections import load_collection
    from eval.forms import VARIANTS, evaluate_forms, report

    for kind, name, known in (("effort", effort, _EFFORTS), ("half", half, _HALVES)):
        if name not in known:
            raise UnknownNameError(kind, name, known)
    opened = workspace(context, answering__reader=reader)
    model, model_kind = answering_model(opened)
    loaded = load_collection(collection)
    keep = _keeper(rows_file, _form_line)
    with progress_bars(quiet=as_json) as on_progress:
        rows = evaluate_forms(
            opened,
            loaded,
            model,
            model_kind,
            variants=form or list(VARIANTS),
            effort=effort,  # type: ignore[arg-type]  # one of the names, checked above
            half=half,  # type: ignore[arg-type]
            limit=limit,
            seed=seed,
            on_row=keep,
            on_progress=on_progress,
        )
    found = report(rows)
    if as_json:
        write_json(found)
        return
    _show_forms(f"{loaded.name}, {half}: {found['questions']} questions", found)


def _show_forms(title: str, found: dict[str, Any]) -> None:
    columns = ("EM", "p", "F1", "95 % from", "to", "p", "abstained", "facts", "seconds")
    lines = [
        (
            name,
            own["em"],
            own.get("p_em", "–"),
            own["f1"],
            *own["f1_95"],
            own.get("p_f1", "–"),
            own["abstained"],
            own["facts"],
            own["seconds"],
        )
        for name, own in found["forms"].items()
    ]
    console().print(table(title, ["", *columns], lines))
    console().print(f"p: against '{found['compared_with']}', paired randomisation, Holm")


def _keeper(file: Path | None, line: Callable[[_Row], str]) -> Callable[[_Row], None]:
    """Empties the file; then each row is added as it comes."""
    if file is None:
        return lambda row: None
    with storage_errors(file):
        file.write_text("", encoding="utf-8")

    def keep(row: _Row) -> None:
        with storage_errors(file), file.open("a", encoding="utf-8") as opened:
            opened.write(f"{line(row)}\n")

    return keep


def _form_line(row: FormRow) -> str:
    answers = {name: dataclasses.asdict(answer) for name, answer in row.answers.items()}
    value = {
        "id": row.asked.id,
        "question": row.asked.text,
        "gold": row.asked.answer,
        "answers": answers,
    }
    return json.dumps(value, ensure_ascii=False)


def reliance(
    context: typer.Context,
    edits: Annotated[
        Path, typer.Argument(help="JSON list of edited facts and questions (MQuAKE's paraphrases).")
    ],
    reader: Annotated[
        str,
        typer.Option(help="answerer, or torch:PATH (a model folder or GGUF file; much faster)."),
    ] = "answerer",
    half: Annotated[
        str, typer.Option(help="choosing (for constants), reporting or all of the facts.")
    ] = "reporting",
    limit: LimitOption = None,
    constants: Annotated[
        bool,
        typer.Option("--constants", help="Compare the method's constants instead (torch only)."),
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the sample.")] = 0,
    rows_file: RowsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Does the reliance dial work? Contexts that contradict what the model knows, or say nothing.

    --limit is the number of facts; only those that the model knows count.

    Example:

      assistant eval reliance mquake.json --reader torch:models/qwen --limit 100
    """
    from eval.counterfactual import load_edits
    from eval.reliance import evaluate_reliance, known_edits, report

    if half not in ("choosing", "reporting", "all"):
        raise UnknownNameError("half", half, ("choosing", "reporting", "all"))
    model = _dialled(reader, workspace(context))
    wanted = limit or 100
    loaded = load_edits(edits, half=half, seed=seed, limit=None)  # type: ignore[arg-type]
    keep = _keeper(rows_file, _reliance_line)
    with progress_bars(quiet=as_json) as on_progress:
        known = known_edits(model, loaded, wanted=wanted, on_progress=on_progress)
        if constants:
            chosen = _compared(model, known, on_progress)
            _show_constants(chosen, as_json=as_json)
            return
        rows = evaluate_reliance(model, known, on_row=keep, on_progress=on_progress)
    found = report(rows)
    if as_json:
        write_json(found)
        return
    _show_reliance(f"{edits.name}, {half}: {found['facts']} facts that {reader} knows", found)


def _dialled(reader: str, opened: Workspace) -> Dialled:
    from eval.dialled import ChatDialled, TorchDialled

    kind, _, path = reader.partition(":")
    if kind == "torch" and path:
        from assistant.models.torch_runtime import TorchRuntime

        return TorchDialled(TorchRuntime(Path(path).expanduser()))
    if reader != "answerer":
        raise UnknownNameError("reader", reader, ("answerer", "torch:PATH"))
    return ChatDialled(opened.answerer())


def _compared(
    model: Dialled, known: Sequence[KnownEdit], on_progress: OnProgress
) -> Sequence[Choice]:
    from eval.dialled import TorchDialled
    from eval.reliance_choice import compare_constants

    if not isinstance(model, TorchDialled):
        raise UsageError("--constants needs a torch model", remedy="--reader torch:PATH")
    if not known:
        raise UsageError("the model knows none of these facts", remedy="another model")
    return compare_constants(model, known, on_progress=on_progress)


def _show_constants(chosen: Sequence[Choice], *, as_json: bool) -> None:
    if as_json:
        # JSON has no infinity.
        write_json({"constants": [{**dataclasses.asdict(o), "k": f"{o.k:g}"} for o in chosen]})
        return
    columns = ("k", "plausible", "follows 0", ".5", "1", "mix 0", ".5", "1", "auto", "worth")
    lines = [
        (
            f"{one.k:g}",
            f"{one.plausible:g}",
            *(f"{value:.3f}" for value in (*one.follows, *one.mix, one.worth)),
        )
        for one in chosen
    ]
    console().print(table("constants of the reliance dial", columns, lines))


def _show_reliance(title: str, found: dict[str, Any]) -> None:
    names = ("follows", "recalls", "right_beside", "right_mix")
    lines = [
        (
            at,
            *(f"{own[n]['share']:.3f} [{own[n]['low']:.2f}, {own[n]['high']:.2f}]" for n in names),
        )
        for at, own in found["dial"].items()
    ]
    out = console()
    out.print(table(title, ["reliance", *(n.replace("_", " ") for n in names)], lines))
    word = "never rises" if found["monotone"] else "does NOT fall monotonically"
    out.print(f"following the context {word} over the dial; range {found['range']:.3f}")
    for step, own in found["steps"].items():
        out.print(f"  from {step}: {own['change']:+.3f} (p = {own['p']:.4f})")
    for at, own in found.get("auto_against", {}).items():
        out.print(f"auto against {at} on the mix: {own['gain']:+.3f} (p = {own['p']:.4f})")


def _reliance_line(row: RelianceRow) -> str:
    value = {
        "id": row.known.edit.id,
        "kind": row.kind,
        "question": row.known.question,
        "context": row.context,
        "edited": row.known.edit.object,
        "own": row.known.own,
        "answers": {str(at): answer for at, answer in row.answers.items()},
    }
    return json.dumps(value, ensure_ascii=False)
