"""Safe arithmetic, units and dates."""

from __future__ import annotations

import math
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import GraphError
from assistant.thoughts.calculate import MAX_EXPRESSION, calculate, value_text
from assistant.thoughts.quantities import (
    Quantity,
    compare_values,
    number_text,
    parse_date,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("2 ** 3 ** 2", "512"),
        ("2 ^ 10", "1024"),
        ("-2 ** 2", "-4"),
        ("7 // 2", "3"),
        ("7 / 2", "3.5"),
        ("1 / 3", "0.333333333333"),
        ("0.1 + 0.2", "0.3"),
        ("1,200 * 3", "3600"),
        ("6 × 7 ÷ 2 − 1", "20"),
        ("15 % * 200", "30"),
        ("2.5e3", "2500"),
        ("max(3,400)", "400"),
        ("min(1, 2, 0.5)", "0.5"),
        ("abs(3 - 5)", "2"),
        ("round(2.5)", "3"),
        ("round(-2.4)", "-2"),
        ("sqrt(16)", "4"),
        ("2 ** -1", "0.5"),
        ("300 m + 2 km", "2300 m"),
        ("2 km + 300 m", "2.3 km"),
        ("1500 m to km", "1.5 km"),
        ("324 m to ft", "1062.99212598 ft"),
        ("5 lb to kg", "2.26796185 kg"),
        ("1 mile in m", "1609.344 m"),
        ("3 m * 4 m", "12 m^2"),
        ("6 m2 / 2 m", "3 m"),
        ("100 km / 2 h", "13.8888888889 m s^-1"),
        ("6 km / 2 km", "3"),
        ("3 * 2 hours", "6 hours"),
        ("2 h to min", "120 min"),
        ("round(1.6 km)", "2 km"),
        ("max(1 km, 900 m)", "1 km"),
        ("1889-03-31 - 1832-12-15", "20560 days"),
        ("31 March 1889 - 15 December 1832", "20560 days"),
        ("March 31, 1889 + 90 days", "1889-06-29"),
        ("1889-03-31 - 1 week", "1889-03-24"),
        ("2020-02-29 + 1 year", "2021-02-28"),
        ("2020-03-31 - 1 month", "2020-02-29"),
        ("1 year + 2020-02-29", "2021-02-28"),
        ("2020-12-15 + 25 months", "2023-01-15"),
        ("years(1832-12-15, 1923-12-27)", "91 years"),
        ("years(1832-12-15, 1923-12-14)", "90 years"),
        ("days(1889-04-02, 1889-03-31)", "2 days"),
        ("1889 - 1832", "57"),
        ("(" * 90 + "1" + ")" * 90, "1"),
    ],
)
def test_value(expression: str, value: str) -> None:
    assert value_text(calculate(expression)) == value


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "characters"),
        ("1" * (MAX_EXPRESSION + 1), "characters"),
        ("1 +", "cannot be calculated"),
        ("1 2", "cannot be calculated"),
        ("1 m 2 m", "cannot be calculated"),
        ("1 < 2", "cannot be calculated"),
        ("max(*1)", "cannot be calculated"),
        ("max()", "takes"),
        ("sqrt(1, 2)", "takes"),
        ("1 / 0", "division by zero"),
        ("1 // 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("5 + 3 m", "different units"),
        ("1 km + 1 kg", "different units"),
        ("max(1 m, 1 s)", "different units"),
        ("1 km to kg", "cannot be given"),
        ("1889-03-31 to m", "cannot be given"),
        ("20 °C * 2", "temperatures"),
        ("20 celsius", "temperatures"),
        ("300 K + 1", "temperatures"),
        ("$5", "money"),
        ("5 €", "money"),
        ("5 dollars", "money"),
        ("5 parsecs", "unknown unit"),
        ("os.remove('x')", "unknown unit"),
        ("__import__('os')", "cannot be calculated"),
        ("x", "unknown unit"),
        ("lambda: 1", "unknown unit"),
        ("nan", "unknown unit"),
        ("inf", "unknown unit"),
        ("1e400", "unknown unit"),
        ("9 ** 9 ** 9", "too large"),
        ("2 ** 65", "too large"),
        ("(9 ** 60) ** 60", "too large"),
        ("*".join(["9e99"] * 20), "too large"),
        ("(2 m) ** 10", "too large"),
        ("2 ** (1 m)", "too large or has a unit"),
        ("(0 - 4) ** 0.5", "root"),
        ("sqrt(4 m2)", "root"),
        ("-" * 50 + "1", "nested"),
        ("2023-02-29 + 1 day", "no date"),
        ("9999-12-31 + 1 day", "no value"),
        ("9999-12-31 + 1 year", "no value"),
        ("0001-01-01 - 1 month", "no value"),
        ("1889-03-31 + 1 km", "no time"),
        ("1889-03-31 + 1 hour", "whole number of days"),
        ("1889-03-31 * 2", "cannot be calculated"),
        ("-1889-03-31", "cannot be calculated"),
        ("days(1, 2)", "two dates"),
    ],
)
def test_refused(expression: str, why: str) -> None:
    with pytest.raises(GraphError) as caught:
        calculate(expression)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 400


_numbers = st.integers(-999, 999)


@given(_numbers, _numbers, _numbers, st.sampled_from(("+", "-", "*")), st.sampled_from("+-*/"))
def test_equals_exact_arithmetic(a: int, b: int, c: int, first: str, second: str) -> None:
    expression = f"({a}) {first} ({b}) {second} ({c})"
    if second == "/" and c == 0:
        with pytest.raises(GraphError, match="zero"):
            calculate(expression)
        return
    wrapped = f"Fraction({a}) {first} Fraction({b}) {second} Fraction({c})"
    expected = eval(wrapped, {"Fraction": Fraction})
    assert calculate(expression) == Quantity(expected)


@given(st.dates(date(1000, 1, 1), date(3000, 1, 1)), st.integers(0, 100_000))
def test_dates_there_and_back(start: date, days: int) -> None:
    later = start + timedelta(days=days)
    assert value_text(calculate(f"{start} + {days} days")) == later.isoformat()
    assert value_text(calculate(f"{later} - {start}")) == f"{days} days"


@settings(max_examples=300)
@given(st.text(alphabet="0123456789+-*/^(),. mkgsh%$eE_dayirx'\"[]:\n", max_size=60))
def test_any_text_gives_a_value_or_a_refusal(text: str) -> None:
    try:
        value = calculate(text)
    except GraphError:
        return
    assert len(value_text(value)) < 400
    if isinstance(value, Quantity):
        assert math.isfinite(float(value.amount))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,083 ft", "330.0984 m"),
        ("about 330 metres", "330 m"),
        ("3.2 million people", "3200000 people"),
        ("12 %", "12 %"),
        ("-40", "-40"),
        ("2 weeks", "1209600 s"),
        ("$3 million", None),
        ("3 million dollars", None),
        ("20 °C", None),
        ("44 BC", None),
        ("seven", None),
        ("", None),
        ("1" * 300, None),
        ("NaN", None),
        ("1,2,3", None),
    ],
)
def test_quantities_in_text(text: str, amount: str | None) -> None:
    found = parse_quantity(text)
    shown = found and Quantity(found.amount, found.dimensions).text
    assert shown == amount


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1889", "1889"),
        ("in 1889", "1889"),
        ("1889-03", "1889-03"),
        ("1889-03-31", "1889-03-31"),
        ("31 March 1889", "1889-03-31"),
        ("31st of March 1889", "1889-03-31"),
        ("March 31, 1889", "1889-03-31"),
        ("Sept. 1889", None),
        ("Sep. 1889", "1889-09"),
        ("44 BC", "-043"),
        ("1889-13-01", None),
        ("1889-02-29", None),
        ("1888-02-29", "1888-02-29"),
        ("32 March 1889", None),
        ("330 m", None),
        ("", None),
    ],
)
def test_dates_in_text(text: str, day: str | None) -> None:
    found = parse_date(text)
    assert (found and found.text) == day


@pytest.mark.parametrize(
    ("left", "right", "dates", "order"),
    [
        ("1889", "1832", None, "greater"),
        ("1889", "1832", True, "later"),
        ("1889", "March 1832", None, "later"),
        ("1889", "1889", True, "same"),
        ("1889", "1889-03", None, "unknown"),
        ("44 BC", "1889", True, "earlier"),
        ("324 m", "1,083 ft", None, "less"),
        ("1 km", "1000 m", None, "equal"),
        ("5 people", "7 people", None, "less"),
        ("5 people", "7 dogs", None, "unknown"),
        ("5 people", "7", None, "unknown"),
        ("$5", "$7", None, "unknown"),
        ("1889", "330 m", True, "unknown"),
        ("Ann", "Bob", None, "unknown"),
    ],
)
def test_order(left: str, right: str, dates: bool | None, order: str) -> None:
    assert compare_values(left, right, dates=dates) == order
    turned = {"greater": "less", "less": "greater", "later": "earlier", "earlier": "later"}
    assert compare_values(right, left, dates=dates) == turned.get(order, order)


def test_numbers_are_shown_short() -> None:
    assert number_text(Fraction(10**20)) == "1" + "0" * 20
    assert number_text(Fraction(2, 3)) == "0.666666666667"
