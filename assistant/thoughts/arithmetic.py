"""What can be done with quantities and dates: products, powers, durations, functions.

Numbers are exact fractions, bounded in size, so that no expression can take long.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction

from assistant.errors import GraphError
from assistant.thoughts.quantities import Quantity, unit_size

Value = Quantity | date

MAX_BITS = 900  # of a numerator or denominator; a float holds what is shown of it
MAX_EXPONENT = 64
_MAX_UNIT_POWER = 9
_SECONDS = 86_400
_TIME = (("s", 1),)


def value_text(value: Value) -> str:
    """A date in ISO form, a quantity with its unit."""
    return value.text if isinstance(value, Quantity) else value.isoformat()


def bounded(number: Fraction) -> Fraction:
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_BITS:
        raise GraphError("the number grows too large", remedy="calculate with smaller numbers")
    return number


def times(left: Quantity, right: Quantity, sign: int) -> Quantity:
    """The product, or the quotient where `sign` is -1."""
    powers = dict(left.dimensions)
    for base, power in right.dimensions:
        powers[base] = powers.get(base, 0) + sign * power
    if any(abs(power) > _MAX_UNIT_POWER for power in powers.values()):
        raise GraphError("the unit's exponent is too large", remedy="calculate in parts")
    amount = left.amount * right.amount if sign > 0 else left.amount / right.amount
    one_has_none = not (left.dimensions and right.dimensions)
    keeps = one_has_none and (sign > 0 or not right.dimensions)
    dimensions = tuple(sorted((b, p) for b, p in powers.items() if p))
    return Quantity(bounded(amount), dimensions, (left.unit or right.unit) if keeps else "")


def converted(value: Value, unit: str) -> Quantity:
    size, dimensions = unit_size(unit)
    if not isinstance(value, Quantity) or value.dimensions != dimensions or not size:
        raise GraphError(f"{value_text(value)} cannot be given in {unit}")
    return Quantity(value.amount, dimensions, unit)


def same_dimensions(values: list[Quantity]) -> None:
    if len({value.dimensions for value in values}) > 1:
        raise GraphError(
            f"{values[0].text} and {values[1].text} have different units",
            remedy="add and compare only what has the same unit",
        )


def power(base: Quantity, exponent: Quantity) -> Quantity:
    power = exponent.amount
    if exponent.dimensions or abs(power) > MAX_EXPONENT:
        raise GraphError(f"the exponent {exponent.text[:40]} is too large or has a unit")
    if power.denominator != 1:
        if base.dimensions or base.amount < 0:
            raise GraphError("a root of a quantity with a unit, or of a negative number")
        return Quantity(bounded(Fraction(float(base.amount) ** float(power))))
    whole = int(power)
    bits = max(base.amount.numerator.bit_length(), base.amount.denominator.bit_length())
    if bits * abs(whole) > MAX_BITS:
        raise GraphError("the number grows too large", remedy="calculate with smaller numbers")
    dimensions = tuple((unit, p * whole) for unit, p in base.dimensions if whole)
    if any(abs(p) > _MAX_UNIT_POWER for _, p in dimensions):
        raise GraphError("the unit's exponent is too large", remedy="calculate in parts")
    return Quantity(base.amount**whole, dimensions)


def days(between: timedelta) -> Quantity:
    return Quantity(Fraction(between.days) * _SECONDS, _TIME, "days")


def moved(start: date, by: Quantity, sign: int) -> date:
    """A date so much later or earlier; whole years and months go by the calendar."""
    if by.dimensions != _TIME:
        raise GraphError(f"{by.text} is no time that could be added to a date")
    unit = by.unit.removesuffix("s")
    if unit in ("year", "yr", "month"):
        count = by.amount / unit_size(by.unit)[0] * (1 if unit == "month" else 12)
        if count.denominator == 1:
            months = start.year * 12 + start.month - 1 + sign * int(count)
            year, month = divmod(months, 12)
            return _last_possible(year, month + 1, start.day)
    days = by.amount / _SECONDS
    if days.denominator != 1:
        raise GraphError(f"{by.text} is not a whole number of days")
    return start + sign * timedelta(days=int(days))


def _last_possible(year: int, month: int, day: int) -> date:
    """29 February, a year later, is 28 February."""
    for shorter in range(4):
        try:
            return date(year, month, day - shorter)
        except ValueError:
            if not 1 <= year <= 9999:
                raise
    raise ValueError(f"no day {day} in {year}-{month}")


def _quantities(values: list[Value], least: int, most: int) -> list[Quantity]:
    found = [value for value in values if isinstance(value, Quantity)]
    if len(found) != len(values) or not least <= len(found) <= most:
        raise GraphError(f"a function takes {least} to {most} numbers, not {len(values)} such")
    return found


def _two_dates(values: list[Value]) -> tuple[date, date]:
    match values:
        case [date() as start, date() as end]:
            return start, end
    raise GraphError("days and years take two dates", remedy="write years(1832-12-15, 1923-12-27)")


def _absolute(values: list[Value]) -> Value:
    (number,) = _quantities(values, 1, 1)
    return Quantity(abs(number.amount), number.dimensions, number.unit)


def _extreme(choose: Callable[..., Quantity]) -> Callable[[list[Value]], Value]:
    def extreme(values: list[Value]) -> Value:
        numbers = _quantities(values, 1, 20)
        same_dimensions(numbers)
        return choose(numbers, key=operator.attrgetter("amount"))

    return extreme


def _rounded(values: list[Value]) -> Value:
    """Halves go up, as people round; in the unit that is shown."""
    number = _quantities(values, 1, 1)[0]
    size = unit_size(number.unit)[0] if number.unit else Fraction(1)
    whole = math.floor(number.amount / size + Fraction(1, 2))
    return Quantity(whole * size, number.dimensions, number.unit)


def _root(values: list[Value]) -> Value:
    return power(_quantities(values, 1, 1)[0], Quantity(Fraction(1, 2)))


def _whole_years(values: list[Value]) -> Value:
    start, end = sorted(_two_dates(values))
    years = end.year - start.year - ((end.month, end.day) < (start.month, start.day))
    return Quantity(years * unit_size("year")[0], _TIME, "years")


def _whole_days(values: list[Value]) -> Value:
    start, end = _two_dates(values)
    return days(abs(end - start))


FUNCTIONS: dict[str, Callable[[list[Value]], Value]] = {
    "abs": _absolute,
    "min": _extreme(min),
    "max": _extreme(max),
    "round": _rounded,
    "sqrt": _root,
    "years": _whole_years,
    "days": _whole_days,
}
