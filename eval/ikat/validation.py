"""Whether a run keeps the organisers' rules, before it is handed in.

The rules are those of the track's guidelines and of its validators, one set a year
(`document_rules.py`, `line_rules.py`). Nothing here raises for what is wrong with the run: a check
goes on and finds everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assistant.errors import UsageError
from eval.ikat import YEARS, document_rules, line_rules
from eval.ikat.findings import ERROR, WARNING, Findings, Violation
from eval.ikat.source import Source
from eval.ikat.topics import Topic

__all__ = ["ERROR", "WARNING", "Violation", "validate"]


def validate(path: Path, topics: Iterable[Topic], year: int) -> list[Violation]:
    """All violations of a run of `year`, by line; those of the whole run come last.

    Raises:
        UsageError: the file cannot be read, or there is no such year.
    """
    if year not in YEARS:
        raise UsageError(f"no rules of {year}", remedy=f"years: {', '.join(map(str, YEARS))}")
    findings = Findings.of(Source.read(path), topics)
    if not findings.source.text.strip():
        findings.add("json", "the file is empty", line=1)
    elif year == 2025:
        line_rules.check(findings)
    else:
        document_rules.check(findings, year)
    last = findings.source.text.count("\n") + 2
    return sorted(findings.found, key=lambda violation: violation.line or last)
