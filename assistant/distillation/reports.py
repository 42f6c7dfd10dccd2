"""Runs, steps and estimates as text."""

from __future__ import annotations

from typing import Any

from assistant.distillation.loop import Step
from assistant.distillation.run_folder import RunFolder


def step_line(generation: int, step: Step) -> str:
    """One line: step, loss, its terms, tokens a second, remaining time.

    The remaining time goes by the pace since the report before, and is this generation's.
    """
    terms = "  ".join(f"{name} {value:.4f}" for name, value in step.terms.items())
    return (
        f"generation {generation}  step {step.step}/{step.steps}  loss {step.loss:.4f}  {terms}  "
        f"{step.tokens_per_second:,.0f} tokens/s  {step.remaining:,.0f} s remaining"
    )


def run_summary(folder: RunFolder) -> dict[str, Any]:
    """What a run came to."""
    rows = folder.table("curves.csv")
    return {
        "run": str(folder.path),
        "state": folder.state["state"],
        "steps": sum(1 for _ in rows) and int(rows[-1]["step"]),
        "loss": float(rows[-1]["loss"]) if rows else None,
        "seconds": round(sum(float(row["seconds"]) for row in rows), 1),
        "tokens": sum(int(row["tokens"]) for row in rows),
        "data": folder.read_json("data.json"),
        "evaluation": folder.read_json("evaluation.json"),
        "export": str(folder.path / "export"),
    }


def summary_text(summary: dict[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"run: {summary['run']}",
        f"{summary['steps']} steps, {summary['tokens']:,} tokens, {summary['seconds']:,.0f} s, "
        f"last loss {summary['loss']:.4f}",
        *(f"{name}: {value}" for name, value in summary["evaluation"].items()),
        f"exported to {summary['export']}",
    ]
    return "\n".join(lines)


def estimate_text(found: dict[str, Any]) -> str:
    """What a dry run found."""
    return "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in found.items())
