"""The retrieval playground on the real page: lists, a weight moved and kept, what lost a passage."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.browser.navigating import go_to, open_tab

pytestmark = pytest.mark.browser


def test_weights_are_tried_and_a_missing_passage_explained(watched: Watched) -> None:
    page = watched.page
    go_to(page, "Retrieval")
    box = page.get_by_label("Search for")
    box.fill("Where do otters sleep?")
    box.press("Enter")
    # The first search waits for the weights.
    expect(page.get_by_text("Together", exact=True)).to_be_visible()
    for title in ("Words alone", "Meaning alone", "Related words alone"):
        expect(page.get_by_text(title, exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile(r"Related words: .*otters? \d")).first).to_be_visible()

    first = page.get_by_role("button", name=re.compile(r"^1\. Sea otters")).first
    first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".stMarkdownColoredBackground").first).to_contain_text("on their backs")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    expect(page.get_by_role("button", name="Keep these weights")).to_have_count(0)
    slider = page.get_by_role("slider", name="Weight of words")
    slider.press("ArrowRight")
    keep = page.get_by_role("button", name="Keep these weights")
    expect(keep).to_be_visible()
    keep.click()
    expect(page.get_by_text(re.compile(r"^In force for answers: words 0\.41"))).to_be_visible()
    expect(keep).to_have_count(0)

    open_tab(page, "Why is a passage not found?")
    page.get_by_label("The passage that you miss").fill("Keepers were paid in coal")
    page.get_by_role("button", name="Find out").click()
    expect(page.get_by_text("No word of the query occurs in it")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
