"""What `assistant eval distillation` and `threshold` show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.cli.output import console, table

if TYPE_CHECKING:
    from eval.small_threshold import ThresholdReport

_MOST_DOMAINS = 12
_ROWS_OF_A_CURVE = 14


def show_distillation(name: str, part: dict[str, Any]) -> None:
    """The tables of one file of the report."""
    out = console()
    out.print(f"{name}: {part['questions']} questions, {part['answerable']} with an answer")
    memory = part.get("megabytes", {})
    for setting, found in part["settings"].items():
        title = "passage given" if setting == "given" else "passages found by the assistant"
        systems = found["systems"]
        phrases = {key: row for key, row in systems.items() if "f1" in row}
        if phrases:
            _space()
            rows = [
                (
                    key,
                    row["questions"],
                    _mean(row["answerable_em"]),
                    *_interval(row["answerable_f1"]),
                    _mean(row["abstain_recall"]),
                    _mean(row["abstain_precision"]),
                    *_interval(row["f1"]),
                )
                for key, row in phrases.items()
            ]
            columns = ["", "n", "EM", "F1", "95 %", "R none", "P none", "F1 all", "95 %"]
            out.print(table(f"{title}: EM and F1 where there is an answer", columns, rows))
        worded = {key: row for key, row in systems.items() if "citations" in row}
        if worded:
            _space()
            rows = [
                (
                    key,
                    row["questions"],
                    *(_short(value) for value in row["citations"].values()),
                    _mean(row["abstain_recall"]),
                    _mean(row["abstain_precision"]),
                )
                for key, row in worded.items()
            ]
            columns = ["", "n", "valid", "precision", "recall", "said", "R none", "P none"]
            out.print(table(f"{title}: citations of worded answers", columns, rows))
        _space()
        out.print(_costs(title, systems, memory))
        _show_comparisons(found["comparisons"])
        _show_calibration(found["calibration"])
        _show_domains(found["domains"])
    _show_retention(part)


def show_threshold(name: str, found: ThresholdReport) -> None:
    """The curves around the chosen threshold."""
    out = console()
    grid = list(next(iter(found.curves.values())))
    centre = grid.index(found.chosen)
    first = max(0, min(centre - _ROWS_OF_A_CURVE // 2, len(grid) - _ROWS_OF_A_CURVE))
    keys = ("f1", "has_answer_f1", "no_answer_recall", "no_answer_precision")
    for setting, curve in found.curves.items():
        rows = [
            (f"{t:.2f}", *(round(curve[t][key], 4) for key in keys))
            for t in grid[first : first + _ROWS_OF_A_CURVE]
        ]
        title = f"{name}, {setting}: {found.questions[setting]} questions"
        columns = ["threshold", "F1 all", "F1 answerable", "R none", "P none"]
        out.print(table(title, columns, rows))
        out.print(f"best F1 at {found.best[setting]:.2f}")
        _space()
    out.print(f"for all settings together: answering.small_threshold={found.chosen:.2f}")


def _costs(title: str, systems: dict[str, Any], memory: dict[str, dict[str, float]]) -> Any:
    rows = []
    for key, row in systems.items():
        speed = row.get("speed", {})
        needed = memory.get(key.split("+")[0], {})
        rows.append(
            (
                key,
                f"{row['seconds']:.3f}",
                f"{row['cpu_seconds']:.3f}",
                *(
                    f"{speed[name]:.1f}" if speed else "–"
                    for name in ("times_teacher", "times_teacher_cpu")
                ),
                *(f"{needed[name]:.0f}" if needed else "–" for name in ("peak", "reader")),
            )
        )
    columns = ["", "s / answer", "cpu-s", "× teacher", "× cpu", "peak MB", "of it reader"]
    return table(f"{title}: what an answer costs", columns, rows)


def _show_comparisons(rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    _space()
    lines = [
        (
            row["system"],
            row["against"],
            row["measure"],
            row["questions"],
            f"{row['difference']:+.3f}",
            f"{row['low']:+.3f} to {row['high']:+.3f}",
            f"{row['p_holm']:.4f}",
        )
        for row in rows
    ]
    columns = ["", "against", "measure", "n", "difference", "95 %", "p (Holm)"]
    console().print(table("paired randomisation on common questions", columns, lines))


def _show_calibration(found: dict[str, dict[str, Any]]) -> None:
    for key, values in found.items():
        _space()
        told = "" if values["auroc"] is None else f"AUROC {values['auroc']:.3f}, "
        text = f"{key}, score: {told}AURC {values['aurc']:.3f}"
        text += f" (best possible {values['aurc_best']:.3f})"
        if "ece" in values:
            text += f", ECE {values['ece']:.3f} with sigmoid({values['slope']:.2f} · score "
            text += f"{values['offset']:+.2f})"
        console().print(text)


def _show_domains(domains: dict[str, dict[str, dict[str, Any]]]) -> None:
    names = list(dict.fromkeys(name for of_title in domains.values() for name in of_title))
    if not names or len(domains) < 2:
        return
    _space()
    rows = [
        (
            title,
            max(values["questions"] for values in of_title.values()),
            *(_short(of_title[name]["f1"]) if name in of_title else "–" for name in names),
        )
        for title, of_title in list(domains.items())[:_MOST_DOMAINS]
        if of_title
    ]
    title = "F1 of all questions by title"
    if len(domains) > _MOST_DOMAINS:
        title += f", the largest {_MOST_DOMAINS} of {len(domains)} (--json has all)"
    console().print(table(title, ["", "n", *names], rows))


def _show_retention(part: dict[str, Any]) -> None:
    if "recall" not in part:
        return
    _space()
    for name, values in part["recall"].items():
        shown = ", ".join(f"{key} {value:.3f}" for key, value in values.items())
        console().print(f"right passage found ({name}): {shown}")
    rows = [
        (name, row["questions"], _short(row["oracle"]), _short(row["retained"]))
        for name, row in part["retention"].items()
    ]
    title = "answered exactly with the passage given, and of these still with passages found"
    console().print(table(title, ["", "n", "oracle", "retained"], rows))


def _interval(value: dict[str, float] | None) -> tuple[str, str]:
    if value is None:
        return "–", "–"
    return _short(value["mean"]), f"{_two(value['low'])}–{_two(value['high'])}"


def _two(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def _mean(value: dict[str, float] | None) -> str:
    return "–" if value is None else _short(value["mean"])


def _short(value: float) -> str:
    return f"{value:.3f}"


def _space() -> None:
    console().print()
