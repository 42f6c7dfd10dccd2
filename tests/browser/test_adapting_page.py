"""An adapted search is looked at and taken back on the real page, which sees it at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from safetensors.torch import load_file, save_file

from assistant.adapting.installed import FOLDER, WEIGHTS, AdaptedPart
from assistant.adapting.serving import embedder_fingerprint
from assistant.adapting.swapping import install
from assistant.settings import load_settings
from assistant.workspace import Workspace
from tests.browser.conftest import Watched, small_home
from tests.browser.navigating import go_to, open_tab, settled
from tests.browser.serving import QUOTING
from tests.conftest import weights

pytestmark = pytest.mark.browser

_HELD_OUT = {
    "questions": 40,
    "before": {"nDCG@10": 0.5},
    "after": {"nDCG@10": 0.625},
    "p": 0.002,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose index has an embedder of its own: the common one without its last layer."""
    root = tmp_path_factory.mktemp("adapting")
    home = small_home(root, f'{QUOTING}thoughts.graph = "off"\n')
    place = _another_embedder(root)
    judgement = {"better": True, "held_out": _HELD_OUT, "kept": None, "notes": []}
    part = AdaptedPart(
        place.name, place.name.removeprefix("embedder-"), "", report={"judgement": judgement}
    )
    workspace = Workspace(load_settings(home=home, environ={}))
    install(workspace, "notes", "embedder", place, part, first=True, on_progress=lambda _: None)
    return home


def _another_embedder(root: Path) -> Path:
    new = root / "new"
    shutil.copytree(weights("minilm"), new)
    tensors = load_file(new / WEIGHTS)
    for name, values in tensors.items():
        if ".layer.5.output.dense." in name:
            values.zero_()
    save_file(tensors, new / WEIGHTS, metadata={"format": "pt"})
    return new.rename(root / f"embedder-{embedder_fingerprint(new)}")


def test_what_is_adapted_is_seen_and_taken_back_without_a_restart(
    watched: Watched, home: Path
) -> None:
    page = watched.page
    adapted = _by_meaning(page)
    go_to(page, "Library")
    open_tab(page, "Adapt")
    panel = page.get_by_role("tabpanel", name="Adapt")
    expect(panel.get_by_text(re.compile("The search by meaning: adapted since"))).to_be_visible()
    panel.get_by_text("What was measured then").click()
    expect(panel.get_by_role("cell", name="0.625")).to_be_visible()

    # By the keyboard alone: it asks before it does anything.
    panel.get_by_role("button", name="Take it back").press("Enter")
    page.get_by_role("button", name="Take it back now").press("Enter")
    expect(page.get_by_text(re.compile("^undo adapting notes –"))).to_be_visible()
    expect(panel.get_by_text("Nothing is adapted to this index")).to_be_visible()
    assert not (home / "indexes" / "notes" / FOLDER).exists()

    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.set_viewport_size({"width": 1280, "height": 860})
    assert _by_meaning(page) != adapted


def _by_meaning(page: Page) -> str:
    """What the page's search by meaning finds, with its scores."""
    go_to(page, "Retrieval")
    page.get_by_label("Search for").fill("Where do sea otters sleep?")
    page.get_by_label("Search for").press("Enter")
    expect(page.get_by_role("tab", name="What is found")).to_be_visible()
    settled(page)
    return page.get_by_role("tabpanel", name="What is found").inner_text()
