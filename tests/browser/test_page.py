"""A person's way over the real page: ask, open the source, be told what is not there, stop."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Watched
from tests.browser.navigating import go_to, open_tab, select, settled

pytestmark = pytest.mark.browser


def ask(page: Page, question: str) -> Locator:
    """Ask and wait until the turn has ended; returns the answer.

    Messages are counted at the end, not before: a page that has just found its server again shows
    for a moment what it had beside what it is sent.
    """
    send(page, question)
    messages = page.get_by_test_id("stChatMessage")
    asked = page.get_by_label("Chat message from user").last
    expect(asked).to_contain_text(question)
    expect(messages.last.get_by_text("How this answer came about")).to_be_visible()
    settled(page)
    return messages.nth(messages.count() - 1)


def send(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_enabled()
    box.fill(question)
    box.press("Enter")


def open_source(answer: Locator) -> Locator:
    answer.get_by_role("button", name=re.compile(r"^\[\d+\] ")).first.click()
    dialog = answer.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def marked(dialog: Locator) -> Locator:
    return dialog.locator(".stMarkdownColoredBackground")


def test_a_question_is_answered_and_its_source_opened(watched: Watched) -> None:
    page = watched.page
    answer = ask(page, "Why do sea otters wrap themselves in kelp?")
    expect(answer).to_contain_text("kelp")
    expect(answer.get_by_text("[1]", exact=True).first).to_be_visible()
    dialog = open_source(answer)
    expect(dialog).to_contain_text("otters.md")
    expect(marked(dialog).first).to_contain_text("kelp")
    expect(dialog).to_contain_text("A resting group of otters is called a raft.")
    expect(marked(dialog).filter(has_text="quarter of its body weight")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_conversation_has_an_address(watched: Watched) -> None:
    page = watched.page
    ask(page, "What is a resting group of otters called?")
    assert "conversation=" in page.url
    page.reload()
    expect(page.get_by_test_id("stChatMessage").nth(1)).to_contain_text("raft")
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("heading", name="Ask your documents")).to_be_visible()
    assert "conversation=" not in page.url


def test_the_page_of_a_pdf_is_shown_with_the_sentence_marked(watched: Watched) -> None:
    answer = ask(watched.page, "Who was the last keeper of the Kerring lighthouse?")
    expect(answer).to_contain_text("Thorvald")
    dialog = open_source(answer)
    expect(dialog.get_by_role("tab", name="Page 2")).to_be_visible()
    picture = dialog.get_by_role("img", name="Page 2 of The Lighthouse of Kerring")
    expect(picture).to_be_visible()
    source = str(picture.get_attribute("src"))
    image = Image.open(io.BytesIO(base64.b64decode(source.partition("base64,")[2]))).convert("RGB")
    colours = {colour for _, colour in image.getcolors(1 << 24) or []}
    assert any(red > 240 and blue < 200 for red, _, blue in colours)
    open_tab(dialog, "Text")
    expect(marked(dialog).first).to_contain_text("Agnes Thorvald")


def test_what_is_not_there_is_said(watched: Watched) -> None:
    answer = ask(watched.page, "What is the capital of Mongolia?")
    expect(answer).to_contain_text("Not in your documents")
    expect(answer).to_contain_text("Closest passages")
    answer.get_by_text("How this answer came about").click()
    expect(answer.get_by_test_id("stDataFrame")).to_be_visible()
    expect(answer).to_contain_text("reader:")


def test_markup_in_a_document_stays_text(watched: Watched) -> None:
    page = watched.page
    page.on("dialog", lambda box: watched.errors.append(f"a script ran: {box.message}"))
    answer = ask(page, "What does a zeppelin ticket cost on Mondays?")
    expect(answer).to_contain_text("$45")
    dialog = open_source(answer)
    for text in (
        "<script>alert('run')</script>",
        "$45 on Mondays and $60 on Sundays",
        "[the manual](https:",
        "![a picture](https:",
        "<img src=x onerror=",
    ):
        expect(dialog).to_contain_text(text)
    for element in ("a[href*='example']", "img", "script", "b", ".katex"):
        expect(dialog.locator(element)).to_have_count(0)
    assert "taken over" not in page.title()


def test_stop_keeps_what_was_written(watched: Watched, has_answerer: bool) -> None:
    if not has_answerer:
        pytest.skip("quotations are there at once (remedy: assistant models fetch answerer)")
    page = watched.page
    send(page, "Tell me in detail everything about the lighthouse, its tower and its keepers.")
    answer = page.get_by_test_id("stChatMessage").nth(1)
    expect(answer.get_by_test_id("stMarkdown").last).to_contain_text("lighthouse")
    page.get_by_test_id("stChatInputStopButton").click()
    expect(answer).to_contain_text("Stopped.")
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_enabled()
    page.reload()
    expect(page.get_by_test_id("stChatMessage").nth(1)).to_contain_text("Stopped.")


def test_an_index_is_made_from_an_uploaded_file(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    file = tmp_path / "bees.md"
    file.write_text("# Bees\n\nA honey bee visits about two million flowers for one pound.\n")
    go_to(page, "Library")
    expect(page.get_by_text("Choose documents in the list")).to_be_visible()
    page.get_by_text("New index").click()
    page.get_by_label("Name of the index").fill("bees")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_test_id("stFileChipName")).to_have_text("bees.md")
    page.get_by_role("button", name="Make the index").click()
    expect(page.get_by_text(re.compile("^index bees –"))).to_be_visible()
    expect(page.get_by_text(re.compile("^index bees –"))).to_be_hidden()
    overview = page.get_by_test_id("stDataFrame").first
    expect(overview.locator("td", has_text="bees")).to_have_count(1)
    select(page, "Index", "bees")
    expect(page.get_by_text("1 document.", exact=True)).to_be_visible()  # not the other index's
    open_tab(page, "Sources")
    expect(page.get_by_text(re.compile(r"/documents/bees$"))).to_be_visible()


def test_what_the_person_tells_is_remembered_and_forgotten(watched: Watched) -> None:
    page = watched.page
    send(page, "Remember that I am allergic to peanuts.")
    reply = page.get_by_test_id("stChatMessage").nth(1)
    expect(reply).to_contain_text("I will remember: “I am allergic to peanuts”")
    expect(reply.get_by_test_id("stExpander")).to_have_count(0)  # no steps, no trace
    go_to(page, "About you")
    expect(page.get_by_role("heading", name="About you")).to_be_visible()
    statement = page.get_by_text("I am allergic to peanuts", exact=True)
    expect(statement).to_be_visible()
    nasty = "I like <img src=x onerror=alert(1)> for $5 and $6"
    page.get_by_label("Tell something about yourself").fill(nasty)
    page.get_by_role("button", name="Remember").click()
    expect(page.get_by_text(nasty, exact=True)).to_be_visible()
    expect(page.locator("img[src=x], .katex")).to_have_count(0)
    page.get_by_role("button", name="Forget", exact=False).first.click()
    expect(page.get_by_test_id("stToast")).to_contain_text("Forgotten")
    expect(statement).to_have_count(0)
    everything = page.get_by_role("button", name="Forget everything")
    expect(everything).to_have_count(1)  # while the page is drawn anew, it stands there twice
    everything.click()
    page.get_by_role("button", name="Forget all of it").click()
    expect(page.get_by_text("I remember nothing about you")).to_be_visible()


@pytest.mark.parametrize(
    "name", ["Library", "Retrieval", "Graph", "About you", "Health", "Models", "Settings"]
)
def test_each_page_opens_from_the_navigation(watched: Watched, name: str) -> None:
    go_to(watched.page, name)
    expect(watched.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(watched.page.get_by_test_id("stException")).to_have_count(0)
    expect(watched.page.get_by_test_id("stAlert")).to_have_count(0)


def test_the_chat_fits_a_phone(watched: Watched) -> None:
    page = watched.page
    page.set_viewport_size({"width": 390, "height": 800})
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wider <= 0
