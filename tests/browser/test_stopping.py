"""An answer stopped while it is written, on the real page; what writes is a slow endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched, small_home
from tests.browser.endpoints import slow_endpoint
from tests.browser.navigating import settled
from tests.browser.test_page import ask, send

pytestmark = pytest.mark.browser

HEIGHT = "How high is the tower of the lighthouse?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with slow_endpoint() as url:
        settings = f'models.remote_url = "{url}"\nmodels.remote_model = "toy"\n'
        yield small_home(tmp_path_factory.mktemp("stopping"), settings)


def test_what_was_written_is_kept_and_the_next_question_answered(watched: Watched) -> None:
    page = watched.page
    send(page, HEIGHT)
    answer = page.get_by_test_id("stChatMessage").nth(1)
    expect(answer.get_by_text("forty-one metres").first).to_be_visible()
    page.get_by_test_id("stChatInputStopButton").click()
    expect(answer.get_by_text("Stopped.")).to_be_visible()
    settled(page)
    page.reload()
    expect(answer).to_contain_text("forty-one metres")
    expect(answer).to_contain_text("Stopped.")
    assert answer.inner_text().count("forty-one metres") < 30  # of sixty

    # The next question is answered by another reader.
    send(page, "/reader extractive")
    settled(page)
    again = ask(page, "What does an adult otter eat?")
    expect(again).to_contain_text("[1]")
    expect(page.get_by_test_id("stChatMessage")).to_have_count(4)
