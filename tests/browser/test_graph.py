"""The graph of an answer and the graph of an index, on the real page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched, small_home
from tests.browser.navigating import go_to, open_tab
from tests.browser.serving import QUOTING
from tests.browser.test_page import ask

pytestmark = pytest.mark.browser

BRIDGE = """# Harrow Bridge

Harrow Bridge is an iron bridge over the river Linn. Harrow Bridge was designed by Ida Holm.
"""
HOLM = """# Ida Holm

Ida Holm was a Norwegian engineer. Ida Holm was born in Trondheim in 1851. She studied in Dresden.
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small folder and two documents of which neither answers alone; no model."""
    root: Path = tmp_path_factory.mktemp("graph")
    documents = root / "documents"
    documents.mkdir()
    (documents / "bridge.md").write_text(BRIDGE, encoding="utf-8")
    (documents / "holm.md").write_text(HOLM, encoding="utf-8")
    return small_home(root, QUOTING)


def test_the_graph_of_an_answer_and_of_its_index(watched: Watched) -> None:
    page = watched.page
    answer = ask(page, "Where was the designer of Harrow Bridge born?")
    answer.get_by_text("Graph of this answer").click()
    expect(answer.get_by_text("What the answer rests on")).to_be_visible()
    expect(
        answer.get_by_text("“Harrow Bridge was designed by Ida Holm.”", exact=True)
    ).to_be_visible()
    expect(answer.get_by_text("“Ida Holm was born in Trondheim in 1851.”")).to_be_visible()

    # A click on a node shows what is said of it, and opens the place in its document.
    answer.locator("svg text", has_text=re.compile("^Dresden$")).first.click()
    fact = answer.get_by_text("Ida Holm studies in Dresden", exact=True)
    expect(fact).to_be_visible()
    expect(answer.get_by_text("“She studied in Dresden.”")).to_be_visible()
    # What was shown before the click goes last; its buttons lead nowhere any more.
    expect(answer.get_by_text("“Ida Holm was born in Trondheim in 1851.”")).to_be_hidden()
    place = answer.get_by_test_id("stExpander").last.get_by_role(
        "button", name=re.compile(r"^(\[\d+\] )?Ida Holm$")
    )
    expect(place).to_have_count(1)
    place.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".stMarkdownColoredBackground")).to_contain_text("She studied in Dresden")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    answer.get_by_role("button", name="Keep this fact").first.click()
    expect(page.get_by_test_id("stToast")).to_contain_text("Kept")

    go_to(page, "Graph")
    search = page.get_by_label("Look for")
    search.fill("holm")
    search.press("Enter")
    page.get_by_role("button", name=re.compile(r"^Ida Holm \(person\)")).click()
    expect(page.get_by_role("heading", name="Ida Holm")).to_be_visible()
    expect(page.get_by_text("“Ida Holm was born in Trondheim in 1851.”").first).to_be_visible()
    open_tab(page, "Changes")
    expect(page.get_by_text("new fact: Ida Holm studies in Dresden")).to_be_visible()
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.get_by_text("Nothing was changed by hand.")).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
