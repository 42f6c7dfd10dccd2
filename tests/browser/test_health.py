"""The health page: a finding is mended, turns are timed, the log is read and taken along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from assistant.pipeline import Assistant
from assistant.settings import load_settings
from assistant.workspace import Workspace
from tests.browser.conftest import Watched, small_home
from tests.browser.navigating import go_to, open_tab
from tests.browser.serving import QUOTING

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one turn, in which a killed build left a generation and a file is damaged."""
    home = small_home(tmp_path_factory.mktemp("health"), f'{QUOTING}thoughts.graph = "off"\n')
    workspace = Workspace(load_settings(home=home, environ={}))
    list(Assistant(workspace).ask("Where do sea otters sleep?"))
    left = home / "indexes" / "notes" / "g000099"
    left.mkdir()
    (left / "passages.sqlite").write_bytes(b"left behind")
    return home


def test_what_is_found_is_mended(watched: Watched, home: Path) -> None:
    page = watched.page
    go_to(page, "Health")
    expect(page.get_by_text(re.compile(r"^\d+ checks: .*notes?\.$"))).to_be_visible()
    expect(page.get_by_text("Files of a killed build of notes")).to_be_visible()
    page.get_by_role("button", name="Remove them").click()
    expect(page.get_by_text("Files of a killed build of notes")).to_have_count(0)
    assert not (home / "indexes" / "notes" / "g000099").exists()

    # A damaged file is found by the thorough check, and mended from what is stored.
    damaged = next((home / "indexes" / "notes").glob("g*/sparse-*/weights.npy"))
    damaged.write_bytes(damaged.read_bytes()[:-4] + b"oops")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text(re.compile("the last check failed"))).to_be_visible()
    page.get_by_role("button", name="Repair", exact=True).click()
    expect(page.get_by_text(re.compile("the last check failed"))).to_have_count(0)


def test_times_and_logs(watched: Watched) -> None:
    page = watched.page
    go_to(page, "Health")
    open_tab(page, "Times")
    expect(page.get_by_text("The last 1 turn, the latest first")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    open_tab(page, "Logs")
    expect(page.get_by_text("the home folder was opened")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the whole log").click()
    assert "otters" not in Path(download.value.path()).read_text(encoding="utf-8")


def test_health_fits_a_phone_in_the_dark(watched: Watched) -> None:
    page = watched.page
    page.emulate_media(color_scheme="dark")
    go_to(page, "Health")
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    for tab in ("Times", "Logs", "Checks"):
        open_tab(page, tab)
        expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    expect(page.get_by_test_id("stException")).to_have_count(0)
