"""The theme's colours keep the contrast that WCAG 2.2 asks for at level AA."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import app

THEME = tomllib.loads(
    (Path(app.__file__).parent / ".streamlit" / "config.toml").read_text(encoding="utf-8")
)["theme"]
TEXT, GRAPHIC = 4.5, 3.0  # smallest ratios: of text, and of what is no text


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(colour: str, ground: str, share: float) -> str:
    """`share` of a colour over a ground."""
    parts = [
        round(int(colour[s : s + 2], 16) * share + int(ground[s : s + 2], 16) * (1 - share))
        for s in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_can_be_read(name: str, ground: str) -> None:
    theme = THEME[name]
    assert contrast(theme["textColor"], theme[ground]) >= 7
    # Captions are the text colour, made paler by Streamlit.
    caption = mixed(theme["textColor"], theme[ground], 0.6)
    assert contrast(caption, theme[ground]) >= TEXT


@pytest.mark.parametrize("name", ["light", "dark"])
def test_links_and_primary_buttons_can_be_read(name: str) -> None:
    theme = THEME[name]
    link = theme.get("linkColor", theme["primaryColor"])
    mark = theme["greenTextColor"]  # of a citation
    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(link, theme[ground]) >= TEXT
        assert contrast(mark, theme[ground]) >= TEXT
        # The ring around what has the focus, and the border of what is chosen.
        assert contrast(theme["primaryColor"], theme[ground]) >= GRAPHIC
    assert contrast("#ffffff", theme["primaryColor"]) >= TEXT
