"""Dates and quantities, read from the words that stand in a text or in an expression."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from assistant.errors import GraphError

Order = Literal["less", "greater", "equal", "earlier", "later", "same", "unknown"]
Dimensions = tuple[tuple[str, int], ...]  # base unit and exponent, sorted

MAX_VALUE_TEXT = 200
_DAY = 86_400
_UNITS: dict[str, tuple[str, str]] = {
    # name → base unit, and how many of them, exactly
    **dict.fromkeys(("m", "metre", "meter"), ("m", "1")),
    **dict.fromkeys(("km", "kilometre", "kilometer"), ("m", "1000")),
    **dict.fromkeys(("cm", "centimetre", "centimeter"), ("m", "1/100")),
    **dict.fromkeys(("mm", "millimetre", "millimeter"), ("m", "1/1000")),
    **dict.fromkeys(("ft", "foot", "feet"), ("m", "3048/10000")),
    **dict.fromkeys(("inch", "inches"), ("m", "254/10000")),
    **dict.fromkeys(("yd", "yard"), ("m", "9144/10000")),
    **dict.fromkeys(("mi", "mile"), ("m", "1609344/1000")),
    **dict.fromkeys(("kg", "kilogram", "kilogramme"), ("kg", "1")),
    **dict.fromkeys(("g", "gram", "gramme"), ("kg", "1/1000")),
    **dict.fromkeys(("mg", "milligram"), ("kg", "1/1000000")),
    **dict.fromkeys(("t", "tonne"), ("kg", "1000")),
    **dict.fromkeys(("lb", "lbs", "pound"), ("kg", "45359237/100000000")),
    **dict.fromkeys(("oz", "ounce"), ("kg", "45359237/1600000000")),
    **dict.fromkeys(("s", "sec", "second"), ("s", "1")),
    **dict.fromkeys(("min", "minute"), ("s", "60")),
    **dict.fromkeys(("h", "hour"), ("s", "3600")),
    **{n: ("s", str(_DAY)) for n in ("d", "day")},
    **{n: ("s", str(7 * _DAY)) for n in ("week",)},
    **{n: ("s", str(36525 * _DAY // 1200)) for n in ("month",)},
    **{n: ("s", str(36525 * _DAY // 100)) for n in ("year", "yr")},
}
_REFUSED = {
    "temperatures (their scales begin at different zeros)": frozenset(
        "c f k °c °f celsius fahrenheit kelvin degree degrees".split()
    ),
    "money (its worth changes)": frozenset(
        "$ € £ ¥ usd eur gbp jpy dollar dollars euro euros yen franc francs cent cents".split()
    ),
}
_NO_NOUNS = (*_REFUSED.values(), frozenset(("bc", "bce", "ad", "ce")))
_MULTIPLES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_MULTIPLES["trillion"] = 10**12
_MONTHS = {
    name.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
}
_MONTH = "(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_YEAR = r"(?P<year>\d{3,4})"
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>-?\d{4})-(?P<number>\d{2})-(?P<day>\d{2})",
        r"(?P<year>-?\d{4})-(?P<number>\d{2})",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}",
        rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}",
        rf"{_MONTH},?\s+{_YEAR}",
        r"(?P<year>\d{1,4})\s*(?P<era>bc|bce|ad|ce)\b\.?",
        r"(?:in\s+|the\s+year\s+)?(?P<year>-?\d{4})",
    )
]
_QUANTITY = re.compile(
    r"(?P<sign>[-−]?)(?P<number>\d{1,3}(?:,\d{3}){1,8}(?:\.\d{1,30})?|\d{1,30}(?:\.\d{1,30})?)"
    r"\s*(?P<unit>[^\W\d_][^\d]{0,60}|[%°$€£¥][^\d]{0,20})?"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: `amount` in base units (m, kg, s, or a noun such as "people")."""

    amount: Fraction
    dimensions: Dimensions = ()
    unit: str = ""  # in which it is shown; "" for base units

    @property
    def text(self) -> str:
        """The number and its unit, twelve significant digits at most."""
        if self.unit:
            return f"{number_text(self.amount / unit_size(self.unit)[0])} {self.unit}"
        names = [n if e == 1 else f"{n}^{e}" for n, e in self.dimensions]
        return " ".join([number_text(self.amount), *names])


@dataclass(frozen=True, slots=True)
class Day:
    """A date or part of one: the first and the last day that it can be, as (year, month, day).

    Years before the common era are 0 and less (1 BC is 0), as in ISO 8601.
    """

    first: tuple[int, int, int]
    last: tuple[int, int, int]

    @property
    def text(self) -> str:
        """The ISO date, as precise as it is known."""
        year = f"{self.first[0]:04d}"
        if self.first == self.last:
            return f"{year}-{self.first[1]:02d}-{self.first[2]:02d}"
        return year if self.first[1] != self.last[1] else f"{year}-{self.first[1]:02d}"


def unit_size(name: str) -> tuple[Fraction, Dimensions]:
    """How many base units one of this unit is, and its dimension; "m2" and "m²" are squares.

    Raises:
        GraphError: no such unit, or one that cannot be converted (temperature, money).
    """
    for what, names in _REFUSED.items():
        if name.casefold() in names and name not in _UNITS:
            raise GraphError(
                f"no calculation with {what}: {name[:20]!r}",
                remedy="use lengths, masses, times or plain numbers",
            )
    stem, power = name, 1
    for ending, exponent in (("2", 2), ("²", 2), ("3", 3), ("³", 3)):
        if name.endswith(ending):
            stem, power = name[:-1], exponent
    for form in (stem, stem.casefold(), stem.casefold().removesuffix("s")):
        if form in _UNITS:
            base, size = _UNITS[form]
            return Fraction(size) ** power, ((base, power),)
    raise GraphError(f"unknown unit {name[:20]!r}", remedy="known: m, km, ft, kg, lb, h, day, year")


def parse_quantity(text: str) -> Quantity | None:
    """ "1,083 ft", "3.2 million people", "12 %"; None where it is none, or a refused unit.

    A noun that is no unit is a dimension of its own: people are compared with people.
    """
    match = _QUANTITY.fullmatch(_trimmed(text))
    if match is None:
        return None
    amount = Fraction(match["number"].replace(",", ""))
    words = (match["unit"] or "").strip(" .").split()
    if words and words[0].casefold() in _MULTIPLES:
        amount *= _MULTIPLES[words.pop(0).casefold()]
    if match["sign"]:
        amount = -amount
    unit = " ".join(words)
    if not unit:
        return Quantity(amount)
    try:
        size, dimensions = unit_size(unit)
    except GraphError:
        if any(word.casefold() in names for word in words for names in _NO_NOUNS):
            return None
        noun = unit.casefold()
        return Quantity(amount, ((noun if noun == "%" else noun.removesuffix("s"), 1),))
    return Quantity(amount * size, dimensions, unit)


def parse_date(text: str) -> Day | None:
    """ISO dates ("1889", "1889-03-31"), "31 March 1889", "March 1889", "44 BC"; else None."""
    text = _trimmed(text)
    for pattern in _DATES:
        match = pattern.fullmatch(text)
        if match is not None:
            return _day(match.groupdict())
    return None


def compare_values(left: str, right: str, *, dates: bool | None = None) -> Order:
    """How one value's text compares with another's.

    Args:
        dates: read bare numbers as years, or never; None: where the other is clearly a date.

    Returns:
        "unknown" where they are not comparable, or the less precise date contains the other.
    """
    first, second = parse_date(left), parse_date(right)
    if first and second and dates is not False:
        bare = parse_quantity(left) is not None and parse_quantity(right) is not None
        if dates or not bare:
            return _date_order(first, second)
    one, other = parse_quantity(left), parse_quantity(right)
    if dates or one is None or other is None or one.dimensions != other.dimensions:
        return "unknown"
    if one.amount == other.amount:
        return "equal"
    return "less" if one.amount < other.amount else "greater"


def as_date(day: Day) -> date:
    """
    Raises:
        GraphError: it is not one day of the years 1 to 9999.
    """
    try:
        if day.first != day.last:
            raise ValueError
        return date(*day.first)
    except ValueError:
        raise GraphError(
            f"{day.text} is not one day of the years 1 to 9999", remedy="write YYYY-MM-DD"
        ) from None


def number_text(number: Fraction) -> str:
    """An integer as it is, another number with twelve significant digits at most."""
    if number.denominator == 1:
        return str(number.numerator)
    return f"{float(number):.12g}"


def _date_order(first: Day, second: Day) -> Order:
    if first.last < second.first:
        return "earlier"
    if second.last < first.first:
        return "later"
    return "same" if first == second else "unknown"


def _day(found: dict[str, str | None]) -> Day | None:
    year = int(found["year"] or 0)
    if (found.get("era") or "").lower() in ("bc", "bce"):
        year = 1 - year
    month = int(found.get("number") or _MONTHS.get((found.get("month") or "").lower(), 0))
    if not month and found.get("number") is None:
        return Day((year, 1, 1), (year, 12, 31))
    if not 1 <= month <= 12:
        return None
    # Leap years as the Gregorian calendar would have them, also before it.
    days = calendar.monthrange(2000 + year % 400, month)[1]
    if found.get("day") is None:
        return Day((year, month, 1), (year, month, days))
    day = int(found["day"] or 0)
    return Day((year, month, day), (year, month, day)) if 1 <= day <= days else None


def _trimmed(text: str) -> str:
    text = " ".join(text[: MAX_VALUE_TEXT + 1].split()) if len(text) <= MAX_VALUE_TEXT else ""
    return re.sub(r"^(?:about|around|approximately|circa|c\.|some|over|nearly)\s+", "", text)
