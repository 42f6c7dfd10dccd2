"""A teacher is let write, its entries are decided about, on the real page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched, small_home
from tests.browser.endpoints import teacher_endpoint
from tests.browser.navigating import go_to, select, settled
from tests.browser.serving import QUOTING

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with an endpoint on this machine as the only teacher."""
    with teacher_endpoint() as endpoint:
        remote = f'models.remote_url = "{endpoint}"\nmodels.remote_key = "none"\n'
        settings = f'{QUOTING}models.remote_model = "toy"\n{remote}'
        yield small_home(tmp_path_factory.mktemp("page"), settings)


def test_a_teacher_writes_and_its_entries_are_decided_about(watched: Watched) -> None:
    page = watched.page
    go_to(page, "Knowledge")
    expect(page.get_by_text("Nothing is prepared for this index yet")).to_be_visible()
    select(page, re.compile("Teacher"), re.compile("toy at"))
    page.get_by_role("button", name="Let it write").click()
    expect(page.get_by_text("Passages covered")).to_be_visible()
    expect(page.get_by_text("4 entries")).to_be_visible()

    words = page.get_by_label("With the words")
    words.fill("Agnes")
    words.press("Enter")
    expect(page.get_by_text("2 entries")).to_be_visible()
    # Streamlit draws tables on a canvas: the box of the first row is clicked by its place.
    table = page.get_by_test_id("stDataFrame")
    _settled(page)  # the table of other filters is still there for a moment
    table.click(position={"x": 16, "y": 52})
    passage = page.get_by_role("button", name=re.compile("^From The Lighthouse"))
    expect(passage).to_be_visible()
    page.get_by_label("The right answer").fill("the keeper Agnes Thorvald")
    page.get_by_role("button", name="Correct").click()
    expect(page.get_by_text("Corrected.")).to_be_visible()
    page.get_by_test_id("stButtonGroup").get_by_text("approved").click()
    expect(page.get_by_text("1 entry")).to_be_visible()
    _settled(page)
    table.click(position={"x": 16, "y": 52})
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("0 entries")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def _settled(page: Page) -> None:
    """Wait until the page is drawn as it stays."""
    settled(page)
    expect(page.get_by_test_id("stDataFrame")).to_have_count(1)
    page.wait_for_timeout(500)
