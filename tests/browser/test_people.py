"""Conversations found, marked, deleted and brought back; two people who never see each other's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from assistant.memory.people import People
from tests.browser.conftest import Watched, small_home
from tests.browser.navigating import PATIENCE, go_to, settled
from tests.browser.serving import QUOTING
from tests.browser.test_page import ask

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an index of the small folder; answers are quotations."""
    return small_home(tmp_path_factory.mktemp("people"), QUOTING)


def sidebar_entry(page: Page, title: str) -> None:
    expect(page.get_by_test_id("stSidebar").get_by_role("button", name=title)).to_be_visible()


def test_a_conversation_is_found_pinned_deleted_and_brought_back(
    watched: Watched, tmp_path: Path
) -> None:
    page = watched.page
    ask(page, "What is a resting group of otters called?")
    sidebar = page.get_by_test_id("stSidebar")
    page.get_by_role("button", name="New conversation").click()
    search = sidebar.get_by_label("Search conversations")
    search.fill("called RAFT")
    search.press("Enter")
    expect(sidebar.locator(".stMarkdownColoredBackground", has_text="raft").first).to_be_visible()
    sidebar.get_by_role("button", name="What is a resting group").click()
    expect(page.get_by_test_id("stChatMessage").nth(1)).to_contain_text("raft")
    # What is typed while the page is still being drawn may get lost.
    settled(page)
    search.fill("")
    search.press("Enter")

    sidebar.get_by_role("button", name="Change").click()
    page.get_by_label("Title").fill("Otters")
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Save").click()
    sidebar_entry(page, "Otters")
    sidebar.get_by_role("button", name="Change").click()
    page.get_by_role("button", name="Pin to the top").click()
    expect(sidebar.get_by_text("Pinned", exact=True)).to_be_visible()

    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_test_id("stChatMessage").nth(1)).to_contain_text("raft")
    second.close()

    sidebar.get_by_role("button", name="Change").click()
    page.get_by_role("button", name="Delete this conversation").click()
    expect(page.get_by_role("heading", name="Ask your documents")).to_be_visible()
    expect(sidebar.get_by_role("button", name="Otters", exact=True)).to_have_count(0)
    sidebar.get_by_role("button", name="Undo").click()
    sidebar_entry(page, "Otters")

    sidebar.get_by_role("button", name="Export or import").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export all conversations").click()
    file = tmp_path / "conversations.json"
    download.value.save_as(file)
    assert "Otters" in [c["title"] for c in json.loads(file.read_text())["conversations"]]
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(page.get_by_test_id("stFileChipName")).to_have_text(file.name)
    page.get_by_role("button", name="Import", exact=True).click()
    toast = page.get_by_test_id("stToast")
    expect(toast).to_contain_text("0 conversations imported")


def test_the_page_is_usable_at_twice_the_size(watched: Watched) -> None:
    """200 % of a window of 1,280 pixels leaves 640."""
    page = watched.page
    page.set_viewport_size({"width": 640, "height": 450})
    answer = ask(page, "Why do sea otters wrap themselves in kelp?")
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wider <= 0
    answer.get_by_role("button", name=re.compile(r"^\[1\]")).first.click()
    expect(page.get_by_role("dialog")).to_contain_text("otters.md")


def test_the_tour_is_closed_for_good_with_the_keyboard(watched: Watched) -> None:
    page = watched.page
    close = page.get_by_role("button", name="Close the tour")
    expect(close).to_be_visible()
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Tab")
    expect(close).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take the tour")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Take the tour")).to_be_visible()
    expect(close).to_have_count(0)


def test_two_people_never_see_each_others(browser: Browser, address: str, home: Path) -> None:
    people = People(home)
    anna = people.add("Anna")
    try:
        contexts = [browser.new_context() for _ in range(2)]
        pages = [context.new_page() for context in contexts]
        for page, name in zip(pages, ("Main", "Anna"), strict=True):
            page.set_default_timeout(PATIENCE)
            page.goto(address)
            expect(page.get_by_role("heading", name="Who is asking?")).to_be_visible()
            page.get_by_role("button", name=name).click()
            page.get_by_role("heading", name="Ask your documents").wait_for()
        questions = ("Where do sea otters sleep?", "Who was the last keeper?")
        for page, question in zip(pages, questions, strict=True):
            ask(page, question)
        addresses = [page.url for page in pages]
        for page, own, other in ((pages[0], *questions), (pages[1], *questions[::-1])):
            sidebar_entry(page, own)
            expect(page.get_by_text(other)).to_have_count(0)
        foreign = re.search("conversation=[0-9a-f]+", addresses[0])
        assert foreign is not None
        pages[1].goto(f"{address}/?person={anna.id}&{foreign.group()}")
        expect(pages[1].get_by_text("does not exist any more")).to_be_visible()
        expect(pages[1].get_by_text(questions[0])).to_have_count(0)
        # The own address opens after a reload, and other pages know who it is.
        pages[1].goto(addresses[1])
        expect(pages[1].get_by_test_id("stChatMessage").first).to_contain_text(questions[1])
        go_to(pages[1], "About you")
        expect(pages[1].get_by_role("heading", name="About you")).to_be_visible()
        for context in contexts:
            context.close()
    finally:
        people.remove(anna)
