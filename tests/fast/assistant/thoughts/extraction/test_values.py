"""Dates as written and as ISO."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.thoughts.extraction.values import PERIOD, bounds, is_date, is_number, iso_date


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("1889", "1889", "1889"),
        ("April 25, 2011", "2011-04-25", "2011-04-25"),
        ("25 April 2011", "2011-04-25", "2011-04-25"),
        ("9th July 1956", "1956-07-09", "1956-07-09"),
        ("the 3rd of May 1808", "1808-05-03", "1808-05-03"),
        ("April 1992", "1992-04", "1992-04"),
        ("Sept. 1992", "1992-09", "1992-09"),
        ("2011-04-25", "2011-04-25", "2011-04-25"),
        ("1930s", "1930", "1939"),
        ("the 1800s", "1800", "1899"),
        ("late 19th century", "1801", "1900"),
        ("44 BC", "", ""),
        ("present time", "", ""),
        ("", "", ""),
        ("May 99, 2011", "2011-05", "2011-05"),
    ],
)
def test_iso(text: str, begin: str, end: str) -> None:
    assert (iso_date(text, "from"), iso_date(text, "to")) == (begin, end)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("mayor from 1990 to 1995", ("1990", "1995")),
        ("taken between April 1992 and April 1994 at a lab", ("1992-04", "1994-04")),
        ("in use since the 1930s", ("1930", "")),
        ("known until 1988 as", ("", "1988")),
        ("from the late 19th century to the present time", ("1801", "")),
        ("from 1990 on", None),
        ("from Paris to Lyon", None),
        ("in 1990", None),
        ("since then", None),
    ],
)
def test_periods(text: str, ends: tuple[str, str] | None) -> None:
    found = PERIOD.search(text)
    assert (bounds(found) if found else None) == ends


@given(st.text(max_size=60))
def test_iso_is_iso_or_nothing(text: str) -> None:
    for side in ("from", "to"):
        assert re.fullmatch(r"(\d{3,4}(-\d{2}){0,2})?", iso_date(text, side))


@pytest.mark.parametrize("text", ["228 hp", "1,565 kg", "about 60 %", "330 metres", "13 million"])
def test_numbers_with_units(text: str) -> None:
    assert is_number(text) and not is_date(text)


@pytest.mark.parametrize("text", ["3 classes", "tower", "two", "U2 album", "May"])
def test_no_plain_values(text: str) -> None:
    assert not is_number(text) and not is_date(text)
