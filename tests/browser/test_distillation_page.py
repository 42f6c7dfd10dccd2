"""A recipe is estimated, run and looked at on the real page; its models are tiny."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import expect

from tests.browser.conftest import Watched
from tests.browser.navigating import go_to, open_tab, select
from tests.browser.serving import serve
from tests.fast.assistant.distillation import tiny

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page on an empty home."""
    home = tmp_path_factory.mktemp("page") / "home"
    home.mkdir()
    with serve(home) as url:
        yield url


def test_a_recipe_is_estimated_run_and_looked_at(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(tiny.span_recipe(tmp_path)), encoding="utf-8")
    go_to(page, "Distillation")
    expect(page.get_by_text("There is no run in this folder yet.")).to_be_visible()
    open_tab(page, "Start a recipe")
    select(page, "Recipe", "a file of your own")
    file = page.get_by_label("Recipe file")
    file.fill(str(recipe))
    file.press("Enter")
    page.get_by_role("button", name="Look what it costs").click()
    start = page.get_by_role("button", name="Start it")
    start.click()
    expect(start).to_be_hidden()  # while it runs
    expect(start).to_be_visible()
    open_tab(page, "Runs")
    # Streamlit draws tables on a canvas: the box of the first row is clicked by its place.
    page.get_by_test_id("stDataFrame").first.click(position={"x": 16, "y": 52})
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    open_tab(page, "Recipe")
    expect(page.get_by_text("name: tiny")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
