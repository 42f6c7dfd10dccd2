"""From page to page by the navigation, as a person goes."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import Locator, Page, TimeoutError, expect

_GROUPS = {
    **dict.fromkeys(("Retrieval", "Graph", "Knowledge"), "Look inside"),
    **dict.fromkeys(("Evaluation", "Distillation"), "Quality"),
    **dict.fromkeys(("Models", "Settings", "Health"), "Set up"),
}

PATIENCE = 180_000
"""Milliseconds until something must have happened: a machine that does other work is slow."""
_TRIES, _SOON = 20, 8_000  # milliseconds


def go_to(page: Page, name: str) -> None:
    """Open the page of this title. On a phone all titles stand in the sidebar, else some in menus.

    A menu closes when the page is drawn anew beneath it, and is then opened once more.
    """
    link = page.get_by_role("link", name=name).or_(page.get_by_role("menuitem", name=name)).first
    menu = page.get_by_test_id("stTopNavSection").filter(has_text=_GROUPS.get(name, name))
    for _ in range(_TRIES):
        if not link.is_visible() and menu.count():
            menu.click()
        with suppress(TimeoutError):
            return link.click(timeout=_SOON)
    raise AssertionError(f"the navigation has no {name}")


def settled(page: Page) -> None:
    """Wait until nothing runs on the server for this page."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def open_tab(scope: Page | Locator, name: str) -> None:
    """Open the tab of this title.

    What is under way may put other tabs in the place of those that were clicked (those of another
    index, say), with the first one open: then once more.
    """
    page = scope if isinstance(scope, Page) else scope.page
    tab = scope.get_by_role("tab", name=name, exact=True)
    for _ in range(_TRIES):
        settled(page)
        tab.click()
        settled(page)
        if tab.get_attribute("aria-selected") == "true":
            return
    raise AssertionError(f"the tab {name} does not stay open")


def select(
    scope: Page | Locator, box: str | re.Pattern[str], option: str | re.Pattern[str]
) -> None:
    """Choose that option in the box of this label.

    A list that is open closes when the page is drawn anew beneath it, and is then opened once more.
    """
    page = scope if isinstance(scope, Page) else scope.page
    for _ in range(_TRIES):
        settled(page)
        scope.get_by_role("combobox", name=box).click()
        with suppress(TimeoutError):
            return page.get_by_role("option", name=option).click(timeout=_SOON)
        if page.get_by_role("listbox").is_visible():
            page.keyboard.press("Escape")  # a second click on an open list would close it
    raise AssertionError(f"{box} does not offer {option}")
