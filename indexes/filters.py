"""Filters: which documents a search may find passages of.

A filter becomes one mask over the rows and is applied inside each stage's search, so that a
filtered search returns the best of what is allowed, not what is left of the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from indexes.errors import UsageError


@dataclass(frozen=True, slots=True)
class Filter:
    """Documents that a search is restricted to. Fields that are set must all hold; of the values
    within one field any will do.

    Attributes:
        documents: ids or uris.
        folders: folders or other beginnings of uris; whole path components.
        sources: specs that the index was made from.
        languages: ISO 639-1 codes.
        since, until: seconds since the epoch, both inclusive; documents without a date are left
            out where one of them is set.
    """

    documents: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None

    def __bool__(self) -> bool:
        return self != EVERYTHING

    def conditions(self) -> tuple[str, list[object]]:
        """The filter as a condition on the table `documents` in SQL, and its parameters."""
        parts: list[str] = []
        values: list[object] = []

        def any_of(conditions: list[str]) -> None:
            parts.append(f"({' OR '.join(conditions)})")

        if self.documents:
            marks = ",".join("?" * len(self.documents))
            any_of([f"id IN ({marks})", f"uri IN ({marks})"])
            values += [*self.documents, *self.documents]
        if self.folders:
            # Compared by length, not by LIKE, whose wildcards may be part of a name.
            any_of(["substr(uri, 1, ?) = ?"] * len(self.folders))
            for folder in self.folders:
                beginning = f"{folder.rstrip('/')}/"
                values += [len(beginning), beginning]
        for column, wanted in (("source", self.sources), ("language", self.languages)):
            if wanted:
                parts.append(f"{column} IN ({','.join('?' * len(wanted))})")
                values += wanted
        for sign, moment in ((">=", self.since), ("<=", self.until)):
            if moment is not None:
                parts.append(f"modified {sign} ?")
                values.append(moment)
        return " AND ".join(parts) or "1", values


EVERYTHING = Filter()


def moment(text: str, *, end: bool = False) -> float:
    """Seconds since the epoch of a date such as 2026-11-25, 2026-11 or 2026, or of a time.

    Args:
        end: the last moment of the day, month or year instead of the first.

    Raises:
        UsageError: it is no date.
    """
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            first = datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return (_following(first, form) if end else first).timestamp() - (1e-3 if end else 0.0)
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"'{text}' is no date", remedy="write it as 2026-11-25, 2026-11 or 2026"
        ) from error
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _following(first: datetime, form: str) -> datetime:
    if form == "%Y":
        return first.replace(year=first.year + 1)
    if form == "%Y-%m":
        return (first + timedelta(days=32)).replace(day=1)
    return first + timedelta(days=1)
