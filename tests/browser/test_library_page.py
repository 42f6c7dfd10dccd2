"""The library on the real page: documents come, change, go and come back; checks and watches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Watched, small_home
from tests.browser.navigating import go_to, open_tab, select
from tests.browser.serving import QUOTING

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def home(root: Path) -> Path:
    """A home with the index of the small folder, whose files the tests change."""
    return small_home(root, f'{QUOTING}thoughts.graph = "off"\n')


@pytest.fixture
def library(watched: Watched) -> Page:
    page = watched.page
    go_to(page, "Library")
    expect(page.get_by_text("Choose documents in the list")).to_be_visible()
    return page


def documents(page: Page) -> Locator:
    return page.get_by_role("tabpanel", name="Documents").get_by_test_id("stDataFrame")


def choose(page: Page, title: str) -> None:
    """Choose the row of that title: its box is drawn at the left of the grid."""
    grid = documents(page).filter(has=page.locator("td", has_text=title))
    expect(grid).to_have_count(1)  # a list before it has gone
    row = grid.locator("tr", has=page.locator("td", has_text=title))
    expect(row).to_have_count(1)
    number = int(row.get_attribute("aria-rowindex") or "0")  # the head is 1
    grid.click(position={"x": 15, "y": 35 * number - 17})
    expect(
        page.get_by_role("button", name=re.compile("^(Look at it|Put back|Try to)"))
    ).to_be_visible()


def titled(page: Page, title: str) -> Locator:
    """The cell of exactly this title."""
    return documents(page).locator("td", has_text=re.compile(f"^{title}$"))


def cell(page: Page, title: str, text: str) -> Locator:
    row = documents(page).locator("tr", has=page.locator("td", has_text=title))
    return row.locator("td", has_text=text)


def show(page: Page, state: str) -> None:
    select(page, "Show", re.compile(f"^{re.escape(state)}"))


def ended(page: Page, title: str) -> None:
    """Wait until the work of that title is under way no more."""
    expect(page.get_by_text(re.compile(f"^{title} –"))).to_have_count(0)


def test_a_folder_becomes_an_index_while_the_page_is_left(library: Page, root: Path) -> None:
    folder = root / "more"
    folder.mkdir()
    (folder / "owls.md").write_text("# Owls\n\nOwls hunt at night.\n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"no pdf")
    library.get_by_text("New index").click()
    library.get_by_label("Name of the index").fill("more")
    library.get_by_role("textbox", name="Or folders, files").first.fill(str(folder))
    library.get_by_role("button", name="Make the index").click()
    expect(library.get_by_text(re.compile("^index more –"))).to_be_visible()
    go_to(library, "Models")
    expect(library.get_by_role("heading", name="Models")).to_be_visible()
    go_to(library, "Library")
    ended(library, "index more")
    overview = library.get_by_test_id("stDataFrame").first
    complete = overview.locator("tr", has_text="more").locator("td", has_text="complete")
    expect(complete).to_have_count(1)
    select(library, "Index", "more")
    expect(titled(library, "Owls")).to_have_count(1)

    # What could not be read says why, and what to do.
    show(library, "Not read (1)")
    choose(library, "broken.pdf")
    panel = library.get_by_role("tabpanel", name="Documents")
    expect(panel.get_by_text("broken.pdf is not a PDF").last).to_be_visible()
    expect(panel.get_by_text("What to do: give it the file name ending")).to_be_visible()

    # The whole index is deleted by its name.
    open_tab(library, "Sources")
    library.get_by_role("button", name="Delete the index").click()
    library.get_by_label("Type its name, more, to confirm").fill("mor")
    library.get_by_test_id("stPopoverBody").get_by_role("button", name="Delete the index").click()
    expect(library.get_by_text("The name is not 'more'")).to_be_visible()
    library.get_by_label("Type its name, more, to confirm").fill("more")
    library.get_by_test_id("stPopoverBody").get_by_role("button", name="Delete the index").click()
    expect(
        library.get_by_test_id("stDataFrame").first.locator("td", has_text="more")
    ).to_have_count(0)
    assert (folder / "owls.md").exists()


def test_the_preview_shows_passages_with_their_pages(library: Page) -> None:
    choose(library, "The Lighthouse of Kerring")
    library.get_by_role("button", name="Look at it").click()
    drawer = library.get_by_role("dialog")
    expect(
        drawer.get_by_text(re.compile(r"^Passage 2 · page 2 · characters \d+ to \d+"))
    ).to_be_visible()
    passages = drawer.get_by_role("tabpanel", name="Passages")
    expect(passages.get_by_text("Agnes Thorvald")).to_be_visible()
    open_tab(drawer, "Text")
    expect(drawer.get_by_role("button", name="Download the text")).to_be_visible()
    library.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_a_document_is_taken_out_and_put_back(library: Page) -> None:
    choose(library, "Sea otters")
    library.get_by_role("button", name="Take out of the index").click()
    library.get_by_role("button", name="Take out", exact=True).click()
    expect(titled(library, "Sea otters")).to_have_count(0)
    ended(library, "index notes")
    show(library, "Taken out (1)")
    choose(library, "otters.md")
    library.get_by_role("button", name="Put back").click()
    ended(library, "index notes")
    expect(titled(library, "Sea otters")).to_have_count(1)


def test_a_changed_file_is_seen_looked_at_and_read_again(library: Page, root: Path) -> None:
    markup = root / "documents" / "markup.txt"
    markup.write_text(markup.read_text() + "\nOne more line.\n", encoding="utf-8")
    show(library, "Changed on disk")
    expect(cell(library, "markup", "changed on disk")).to_have_count(1)
    open_tab(library, "Sources")
    library.get_by_role("button", name="Look what has changed").click()
    expect(library.get_by_text("1 changed, 2 unchanged.")).to_be_visible()
    expect(library.get_by_text(re.compile(r"^1 document to read, 1 passage"))).to_be_visible()
    library.get_by_role("button", name="Put away").click()
    open_tab(library, "Documents")
    choose(library, "markup")
    library.get_by_role("button", name="Read again").click()
    expect(library.get_by_text("No file has changed since it was read.")).to_be_visible()
    expect(library.get_by_text("Last change: 1 changed.")).to_be_visible()


def test_an_index_is_checked(library: Page) -> None:
    open_tab(library, "Upkeep")
    panel = library.get_by_role("tabpanel", name="Upkeep")
    expect(panel.get_by_text(re.compile("^Together .* on the disk"))).to_be_visible()
    panel.get_by_role("button", name="Check it").click()
    expect(panel.get_by_text(re.compile(r"Sound: \d+ checks passed"))).to_be_visible()


def test_a_watched_folder_is_followed_until_it_is_not(library: Page, root: Path) -> None:
    open_tab(library, "Sources")
    library.get_by_text("Watch its folders").click()
    expect(library.get_by_text("Following 1 place.")).to_be_visible()
    go_to(library, "Models")  # it goes on meanwhile
    expect(library.get_by_role("heading", name="Models")).to_be_visible()
    (root / "documents" / "bees.md").write_text("# Bees\n\nBees dance.\n", encoding="utf-8")
    go_to(library, "Library")
    expect(titled(library, "Bees")).to_have_count(1)
    open_tab(library, "Sources")
    expect(library.get_by_text(re.compile("Last change taken over at .*: 1 new"))).to_be_visible()
    library.get_by_text("Watch its folders").click()
    expect(library.get_by_text("Following 1 place.")).to_be_hidden()


def test_the_library_fits_a_phone_in_the_dark(library: Page) -> None:
    library.emulate_media(color_scheme="dark")
    library.set_viewport_size({"width": 390, "height": 800})
    for tab in ("Add", "Sources", "Upkeep", "Adapt", "Documents"):
        open_tab(library, tab)
        expect(library.get_by_role("tabpanel", name=tab)).to_be_visible()
        assert library.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    expect(library.get_by_test_id("stAlert")).to_have_count(0)
