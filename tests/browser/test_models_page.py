"""Another embedder is chosen and an index encoded again; a speed is measured, on the real page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched, small_home
from tests.browser.navigating import go_to, select
from tests.browser.serving import QUOTING

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with answers that are quotations, so that no large model is loaded."""
    return small_home(tmp_path_factory.mktemp("page"), QUOTING)


def test_an_embedder_is_changed_and_a_speed_measured(watched: Watched) -> None:
    page = watched.page
    go_to(page, "Models")
    page.get_by_text("Who does what").click()
    select(page, re.compile(r"Embedder \(by meaning\)"), "minilm-3")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("now without meaning")).to_be_visible()
    page.get_by_role("button", name="Encode again").click()
    expect(page.get_by_text("now without meaning")).to_be_hidden()

    measure = page.get_by_role("button", name="Measure the speed")
    measure.nth(1).click()
    expect(page.get_by_text(re.compile(r"passages a second · measured"))).to_be_visible()
    expect(page.get_by_text("now without meaning")).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
