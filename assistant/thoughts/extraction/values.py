"""Dates as they are written, and as ISO; numbers with units."""

from __future__ import annotations

import re
from typing import Literal

_MONTHS = (
    "january february march april may june july august september october november december"
).split()
_MONTH = "|".join(f"{m}|{m[:3]}\\.?" for m in _MONTHS) + r"|sept\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
DATE = (
    rf"(?:(?:{_DAY}\s+(?:of\s+)?)?(?:{_MONTH}),?\s+(?:{_DAY},?\s+)?\d{{4}}"
    rf"|\d{{4}}-\d{{2}}(?:-\d{{2}})?(?!\d)"
    rf"|(?:(?:early|mid|late)[\s-]+)?(?:the\s+)?(?:\d{{1,2}}(?:st|nd|rd|th)\s+century|\d{{3,4}}s?))"
)
_ANY_DATE = re.compile(rf"^{DATE}$", re.IGNORECASE)
_ISO = re.compile(r"^\d{4}(?:-\d{2}(?:-\d{2})?)?$")
_YEAR = re.compile(r"\b(\d{3,4})(s?)\b")
_CENTURY = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\s+century\b")
_MONTH_WORD = re.compile(rf"\b({_MONTH})(?=\W|$)", re.IGNORECASE)
_DAY_WORD = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?(?![\d.]|th|\s*century)")

PERIOD = re.compile(
    rf"\b(?P<word>from|between|since|until|till)\s+(?:(?:the|at\s+least)\s+)?(?P<first>{DATE})"
    rf"(?:\s*(?:to|until|till|through|and|–|-)\s+(?:the\s+)?"
    rf"(?P<second>{DATE}|(?:the\s+)?present(?:\s+\w+)?|today|now))?",
    re.IGNORECASE,
)

UNITS = frozenset(
    """
    m metre metres meter meters km kilometre kilometres kilometer kilometers cm mm mile miles foot
    feet ft inch inches kg kilogram kilograms gram grams g mg tonne tonnes ton tons pound pounds lb
    lbs hp kw mw gw watt watts volt volts litre litres liter liters ml acre acres hectare hectares
    second seconds minute minutes hour hours day days week weeks month months year years degree
    degrees percent % dollar dollars euro euros $ € £ km/h mph byte bytes kb mb gb tb hz khz mhz ghz
    """.split()
)
_NUMBER = re.compile(r"\d")


def is_date(text: str) -> bool:
    """It is written like a date, a year, a decade or a century."""
    return bool(_ANY_DATE.match(text.strip()))


def is_number(text: str) -> bool:
    """It holds a digit and nothing but numbers, units and approximations."""
    words = re.findall(r"[^\s,]+", text.lower())
    rest = [w for w in words if not _NUMBER.search(w) and w not in UNITS and w not in _AROUND]
    return bool(_NUMBER.search(text)) and not rest


_AROUND = frozenset(
    "about around approximately nearly almost over under up to at least most more less than some "
    "million billion trillion thousand hundred square cubic per of".split()
)


def iso_date(text: str, side: Literal["from", "to"] = "from") -> str:
    """A date as ISO, as far as it is said ("1889", "1889-03"); "" where it cannot be read.

    A decade or a century is its first year as a beginning and its last as an end.
    """
    text = text.strip()
    if re.search(r"\bB\.?C", text):
        return ""
    if _ISO.match(text):
        return text
    if found := _CENTURY.search(text.lower()):
        first = 100 * (int(found[1]) - 1) + 1
        return f"{first if side == 'from' else first + 99:04d}"
    if not (year := _YEAR.search(text)):
        return ""
    number = int(year[1])
    if year[2]:
        length = 100 if number % 100 == 0 else 10
        return f"{number if side == 'from' else number + length - 1:04d}"
    month = _MONTH_WORD.search(text)
    if not month:
        return f"{number:04d}"
    index = [m[:3] for m in _MONTHS].index(month[1].lower()[:3]) + 1
    rest = text[: year.start()] + text[year.end() :]
    day = _DAY_WORD.search(rest)
    if day and 1 <= int(day[1]) <= 31:
        return f"{number:04d}-{index:02d}-{int(day[1]):02d}"
    return f"{number:04d}-{index:02d}"


def bounds(found: re.Match[str]) -> tuple[str, str] | None:
    """Beginning and end from a match of `PERIOD`."""
    word, first, second = found["word"].lower(), found["first"], found["second"] or ""
    if word in ("until", "till"):
        return ("", iso_date(first, "to"))
    if word in ("from", "between") and not second:
        return None  # "from 1990" may be anything
    return iso_date(first), iso_date(second, "to")
