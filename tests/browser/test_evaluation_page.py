"""The evaluation on the real page: an answer kept as a test, a collection, runs of iKAT."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched, small_home
from tests.browser.navigating import go_to, open_tab
from tests.browser.serving import QUOTING
from tests.fast.eval.ikat.samples import PASSAGES, run_file, topics, write

pytestmark = pytest.mark.browser

QUESTION = "Who was the last keeper of the Kerring lighthouse?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Answers are quotations here: what a model writes is no matter of these pages."""
    return small_home(tmp_path_factory.mktemp("page"), QUOTING)


def test_an_answer_becomes_a_test(watched: Watched) -> None:
    page = watched.page
    box = page.get_by_placeholder("Ask your documents")
    box.fill(QUESTION)
    box.press("Enter")
    keep = page.get_by_role("button", name="Keep as a test")
    keep.click()  # the first search waits for the weights
    words = page.get_by_label("and to contain")
    words.fill("Agnes Thorvald")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("Kept as a test. You find it")).to_be_visible()

    go_to(page, "Evaluation")
    page.get_by_role("button", name="Ask it again").click()
    expect(page.get_by_text("1 of 1 question passes.")).to_be_visible()
    expect(page.get_by_text("Asked for the first time")).to_be_visible()

    page.get_by_text("Write one yourself").click()
    page.get_by_label("Question", exact=True).fill("What is the capital of Mongolia?")
    page.get_by_text("say that it is not there").click()
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("button", name="Ask all 2 again").click()
    expect(page.get_by_text("2 of 2 questions pass.")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_a_collection_is_measured_and_runs_are_compared(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    _collection(tmp_path / "data" / "small")
    go_to(page, "Evaluation")
    open_tab(page, "Collections")
    folder = page.get_by_label("Folder with collections")
    folder.fill(str(tmp_path / "data"))
    folder.press("Enter")
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_role("heading", name="Measured")).to_be_visible()
    expect(page.get_by_text("2 queries, 3 passages")).to_be_visible()

    open_tab(page, "iKAT runs")
    qrels = tmp_path / "some.qrels"
    qrels.write_text(f"3_1 0 {PASSAGES[1]} 4\n3_2 0 {PASSAGES[2]} 4\n", encoding="utf-8")
    other = write(tmp_path / "other.json", {"3_1": {PASSAGES[1]: 1.0}, "3_2": {}})
    said = write(tmp_path / "topics.json", topics(2024))
    chooser = page.locator("input[type=file]")
    chooser.nth(0).set_input_files([run_file(tmp_path, 2024), other])
    path = page.get_by_label("Judgements: or a path on this computer")
    path.fill(str(qrels))
    path.press("Enter")
    path = page.get_by_label("Topics: or a path on this computer")
    path.fill(str(said))
    path.press("Enter")
    expect(
        page.get_by_text("other is better in 1, worse in 1, the same in 0 turns.")
    ).to_be_visible()
    expect(page.get_by_text("hill keeps the organisers' rules.")).to_be_visible()
    path.fill("/no/such/file")
    path.press("Enter")
    expect(page.get_by_text("/no/such/file cannot be read")).to_be_visible()


def _collection(folder: Path) -> None:
    (folder / "qrels").mkdir(parents=True)
    texts = ["Kelp grows half a metre a day.", "Bread is baked.", "Otters sleep on their backs."]
    rows = [json.dumps({"_id": str(n), "title": "", "text": text}) for n, text in enumerate(texts)]
    (folder / "corpus.jsonl").write_text("\n".join(rows), encoding="utf-8")
    queries = {"a": "how fast does kelp grow", "b": "how do otters sleep"}
    rows = [json.dumps({"_id": name, "text": text}) for name, text in queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("a\t0\t1\nb\t2\t1\n", encoding="utf-8")
