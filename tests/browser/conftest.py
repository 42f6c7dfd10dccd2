"""The real page on a temporary home, and a browser on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from assistant.models.store import ModelStore
from tests.browser.navigating import PATIENCE
from tests.browser.serving import make_home, serve
from tests.conftest import MODELS, weights

expect.set_options(timeout=PATIENCE)


@dataclass
class Watched:
    """A browser page with what went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


# Not for the whole session: while it is open, Playwright runs an event loop in this thread, and
# the asynchronous tests of other modules could not run theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed (remedy: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def small_home(root: Path, settings: str = "") -> Path:
    """`make_home` with the installed weights; the test is skipped where they are not installed."""
    for name in ("minilm", "splade-tiny", "en-core-web-sm"):
        weights(name)
    return make_home(root, MODELS, settings)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the installed weights and an index of the small folder."""
    return small_home(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """The page on the home."""
    with serve(home) as url:
        yield url


def is_error(message: ConsoleMessage) -> bool:
    """Whether a message of the console says that something went wrong on the page.

    Not a download's file that is gone: Streamlit drops the file of the run before when the next
    has made its own (the log has grown), and a slow browser still asks for the first; it then
    draws the button with the second.
    """
    if message.type != "error":
        return False
    gone_file = "404" in message.text and "/media/" in message.location.get("url", "")
    return not gone_file and message.text != "Client Error: Download Button source error - 404"


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    """A fresh page of the chat; afterwards there were no errors and nothing came from outside."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    found = Watched(page)
    page.on("console", lambda m: found.errors.append(m.text) if is_error(m) else None)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))
            else found.outside.append(request.url)
        ),
    )
    page.goto(address)
    page.get_by_role("heading", name="Ask your documents").wait_for()
    yield found
    context.close()
    assert found.errors == []
    assert found.outside == []


@pytest.fixture(scope="session")
def has_answerer() -> bool:
    return ModelStore(MODELS).is_installed("qwen2.5-1.5b")
