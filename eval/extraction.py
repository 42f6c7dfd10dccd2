"""How well facts are extracted: against facts annotated by hand, or one annotator against another.

`eval/data/facts.jsonl` (rules in docs/fact-annotation.md): one passage a line, with `id`, `split`,
`heading`, `text` and `facts`.

How facts are matched, strictly and leniently, is said in `eval.fact_matching`. Precision is the
share of found facts that are matched, recall that of annotated ones. The flags are measured over
the lenient pairs: the share of pairs with the same negation, the same hedge, the same dates (ISO).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import UsageError
from assistant.thoughts.extraction.types import Extraction, Extractor, Source
from assistant.thoughts.extraction.values import iso_date
from eval.collections import numbered_rows
from eval.fact_matching import Statement, alike, match, strictly_equal

FACTS = Path(__file__).parent / "data" / "facts.jsonl"
SECOND = FACTS.with_name("facts-second.jsonl")


@dataclass(frozen=True, slots=True)
class Annotated:
    """One annotated passage."""

    id: str
    split: str
    heading: str
    text: str
    facts: tuple[Statement, ...]

    @property
    def source(self) -> Source:
        return Source(self.id, self.text, self.heading)


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one way of matching over some passages."""

    matched: int
    found: int
    wanted: int

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.matched / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        both = self.found + self.wanted
        return 2 * self.matched / both if both else 0.0


@dataclass(frozen=True, slots=True)
class ExtractionReport:
    """Scores by split; `flags` are accuracies over the lenient pairs, with their number."""

    what: str
    passages: dict[str, int]
    strict: dict[str, Score]
    lenient: dict[str, Score]
    flags: dict[str, dict[str, float]]
    seconds: float


def load_annotated(path: Path, *, split: str | None = None) -> list[Annotated]:
    """The passages of a file, or of one of its splits.

    Raises:
        UsageError: the file cannot be read, a line is not as described, or there is no such split.
    """
    rows: list[Annotated] = []
    splits: set[str] = set()
    for number, row in numbered_rows(path, ("id", "split", "heading", "text", "facts")):
        try:
            one = Annotated(
                str(row["id"]),
                str(row["split"]),
                str(row["heading"] or ""),
                str(row["text"]),
                tuple(_statement(fact) for fact in row["facts"]),
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise UsageError(
                f"{path}, line {number}: not an annotated passage ({error!r})",
                remedy="docs/fact-annotation.md describes the lines",
            ) from error
        splits.add(one.split)
        if split is None or one.split == split:
            rows.append(one)
    if not rows:
        raise UsageError(
            f"{path} has no passages" + (f" of split '{split}'" if split else ""),
            remedy=f"splits: {', '.join(sorted(splits))}" if splits else "",
        )
    return rows


def _statement(fact: dict[str, Any]) -> Statement:
    return Statement(
        str(fact["subject"]),
        str(fact["relation"]),
        str(fact["object"]),
        bool(fact.get("negated")),
        bool(fact.get("hedged")),
        iso_date(str(fact.get("from") or ""), "from"),
        iso_date(str(fact.get("to") or ""), "to"),
    )


def statements_of(extraction: Extraction) -> list[Statement]:
    """An extractor's triples in the form to compare."""
    return [
        Statement(
            t.subject.label,
            t.relation,
            t.object.label,
            t.negated,
            t.hedged,
            t.valid_from,
            t.valid_to,
        )
        for t in extraction.triples
    ]


def evaluate_extraction(
    extractor: Extractor, rows: Sequence[Annotated], *, what: str = ""
) -> ExtractionReport:
    """Compares an extractor with the annotation."""
    extractor.extract([])  # loads what it needs, so that the seconds are those of reading
    started = time.monotonic()
    found = extractor.extract([row.source for row in rows])
    seconds = time.monotonic() - started
    pairs = [(row, statements_of(one)) for row, one in zip(rows, found, strict=True)]
    return _report(what or extractor.fingerprint, pairs, seconds)


def agreement(first: Sequence[Annotated], second: Sequence[Annotated]) -> ExtractionReport:
    """The second annotator's facts against the first's, over the passages that both have.

    Raises:
        UsageError: there is none, or the two texts of one differ.
    """
    others = {row.id: row for row in second}
    pairs = []
    for row in first:
        if (other := others.get(row.id)) is None:
            continue
        if other.text != row.text:
            raise UsageError(f"passage {row.id} has another text in the second file")
        pairs.append((row, list(other.facts)))
    if not pairs:
        raise UsageError("the two files have no passage in common")
    return _report("second annotator", pairs, 0.0)


def _report(
    what: str, pairs: Sequence[tuple[Annotated, list[Statement]]], seconds: float
) -> ExtractionReport:
    passages: Counter[str] = Counter()
    strict: dict[str, Counter[str]] = {}
    lenient: dict[str, Counter[str]] = {}
    flags: dict[str, Counter[str]] = {}
    for row, found in pairs:
        for split in (row.split, "all"):
            passages[split] += 1
            size = {"found": len(found), "wanted": len(row.facts)}
            strict.setdefault(split, Counter()).update(
                size, matched=len(match(found, row.facts, strictly_equal))
            )
            same = match(found, row.facts, alike, prefer=strictly_equal)
            lenient.setdefault(split, Counter()).update(size, matched=len(same))
            count = flags.setdefault(split, Counter())
            for i, j in same:
                count.update(_same_flags(found[i], row.facts[j]))
    splits = sorted(passages)
    return ExtractionReport(
        what,
        {split: passages[split] for split in splits},
        {split: _score(strict[split]) for split in splits},
        {split: _score(lenient[split]) for split in splits},
        {split: _accuracy(flags[split]) for split in splits},
        round(seconds, 3),
    )


def _same_flags(found: Statement, wanted: Statement) -> dict[str, int]:
    return {
        "pairs": 1,
        "negated": found.negated == wanted.negated,
        "hedged": found.hedged == wanted.hedged,
        "dates": (found.valid_from, found.valid_to) == (wanted.valid_from, wanted.valid_to),
    }


def _score(counts: Counter[str]) -> Score:
    return Score(counts["matched"], counts["found"], counts["wanted"])


def _accuracy(counts: Counter[str]) -> dict[str, float]:
    pairs = counts["pairs"]
    shares = {
        name: counts[name] / pairs if pairs else 0.0 for name in ("negated", "hedged", "dates")
    }
    return {"pairs": float(pairs), **shares}


def report_json(report: ExtractionReport) -> dict[str, Any]:
    """The report as one JSON object; figures with four digits."""
    return {
        "what": report.what,
        "seconds": report.seconds,
        "splits": {
            split: {
                "passages": report.passages[split],
                "strict": _score_json(report.strict[split]),
                "lenient": _score_json(report.lenient[split]),
                "flags": {k: round(v, 4) for k, v in report.flags[split].items()},
            }
            for split in report.passages
        },
    }


def _score_json(score: Score) -> dict[str, float]:
    return {
        "precision": round(score.precision, 4),
        "recall": round(score.recall, 4),
        "f1": round(score.f1, 4),
        "matched": score.matched,
        "found": score.found,
        "annotated": score.wanted,
    }
