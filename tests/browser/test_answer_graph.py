"""What can be done with an answer's graph: read it as a table, visit an entity, take a fact away."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.browser.navigating import open_tab
from tests.browser.test_graph import home  # noqa: F401 - the same small index
from tests.browser.test_page import ask

pytestmark = pytest.mark.browser


def test_a_fact_is_read_in_the_table_and_taken_away(watched: Watched) -> None:
    page = watched.page
    answer = ask(page, "Where was the designer of Harrow Bridge born?")
    answer.get_by_text("Graph of this answer").click()
    open_tab(answer, "Table")
    row = answer.get_by_role("row", name="Harrow Bridge", exact=False).filter(has_text="yes")
    expect(row.first).to_contain_text("Ida Holm")
    answer.get_by_role("button", name="Ask again without it").first.click()
    # Another version of the answer, at the same place.
    expect(answer.get_by_role("radio", name="2 of 2")).to_be_checked()
    expect(answer).not_to_contain_text("designed by Ida Holm", use_inner_text=True)
    answer.get_by_text("Searched, found").first.click()
    expect(answer.get_by_text("Left out, as you asked")).to_be_visible()


def test_from_a_fact_to_all_that_is_said_of_its_end(watched: Watched) -> None:
    page = watched.page
    answer = ask(page, "Who designed Harrow Bridge?")
    answer.get_by_text("Graph of this answer").click()
    answer.get_by_role("button", name="More on Ida Holm").first.click()
    expect(page.get_by_role("heading", name="Graph", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Ida Holm")).to_be_visible()
    expect(page.get_by_text("“Ida Holm was born in Trondheim in 1851.”").first).to_be_visible()
