"""The page with much in it: conversations of thousands of turns, indexes of thousands of documents.

    python -m benchmarks.page_sizes [--turns 5000] [--documents 10000] [--rounds 5]

Each figure has its peer beside it: the same done on a conversation of five turns, on an index of
five documents, by the same server in the same run. No weights are needed: what is measured here
does not read with a model. Needs Chromium (make chromium).
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Browser, Page, sync_playwright

from app.components.words import counted
from assistant.errors import ModelMissingError, UsageError
from assistant.events import AnswerDone, SentenceChecked, TurnStarted
from assistant.settings import load_settings
from assistant.workspace import Workspace
from benchmarks.spread import spread
from indexes.corpora import open_source
from tests.browser.navigating import go_to, settled
from tests.browser.serving import serve

_FEW = 5
_MESSAGES = "stChatMessage"


def main(
    turns: Annotated[int, typer.Option(help="of the long conversation")] = 5_000,
    documents: Annotated[int, typer.Option(help="of the large index")] = 10_000,
    rounds: Annotated[int, typer.Option(help="times that each is done")] = 5,
) -> None:
    """Measure the page with much in it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise UsageError("Chromium is missing", remedy="make chromium")
    report: Callable[[str], None] = print
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / "config.toml").write_text(
            'retrieval.index = "few"\nanswering.reader = "extractive"\n', encoding="utf-8"
        )
        workspace = Workspace(load_settings(home=home, environ={}))
        for name, count in (("few", _FEW), ("many", documents)):
            _make_index(workspace, Path(folder) / name, name, count)
        long, short = (_make_conversation(workspace, count) for count in (turns, _FEW))
        workspace.conversations.close()
        with serve(home) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            _report_conversations(browser, url, (long, short), turns, rounds, report)
            _report_library(browser, url, documents, rounds, report)
            browser.close()


def _make_index(workspace: Workspace, folder: Path, name: str, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        text = f"# Note {number}\n\nThe parcel number {number} weighs {number % 97} grams.\n"
        (folder / f"note-{number:05}.md").write_text(text, encoding="utf-8")
    with contextlib.suppress(ModelMissingError):  # words can be searched for by then
        workspace.writer(name).build([open_source(str(folder))])


def _make_conversation(workspace: Workspace, turns: int) -> str:
    identity = workspace.conversations.start(f"{turns} turns")
    for number in range(turns):
        turn = uuid.uuid4().hex
        question, answer = (
            f"How heavy is parcel {number}?",
            f"Parcel {number} weighs {number} grams.",
        )
        workspace.conversations.begin_turn(identity, turn, question)
        sentence = SentenceChecked(0, answer, "unsupported", 0.0, ())
        events = (
            TurnStarted(turn, identity, question, "few", datetime.now(UTC).isoformat()),
            sentence,
            AnswerDone(answer, (sentence,), "extractive", True, False, "", ()),
        )
        workspace.conversations.end_turn(turn, "done", answer, events)
    return identity


def _report_conversations(
    browser: Browser,
    url: str,
    conversations: tuple[str, str],
    turns: int,
    rounds: int,
    report: Callable[[str], None],
) -> None:
    report(f"a conversation of {turns:,} turns, beside one of {_FEW}")
    page = _opened(browser, url)
    found = []
    for conversation in conversations:
        found.append([_seconds(partial(_open, page, url, conversation)) for _ in range(rounds)])
    _report("opened", found, report)
    searched = [_seconds(partial(_search, page, turns - 7 - n)) for n in range(rounds)]
    _report("a turn of it searched for", [searched], report)
    page.context.close()


def _report_library(
    browser: Browser, url: str, documents: int, rounds: int, report: Callable[[str], None]
) -> None:
    report(f"\nan index of {documents:,} documents, beside one of {_FEW}")
    page = _opened(browser, url)
    go_to(page, "Library")
    settled(page)
    counts = {"many": documents, "few": _FEW}
    shown, filtered = [], []
    for name, other in (("many", "few"), ("few", "many")):
        times, parts = [], []
        for number in range(rounds):
            _choose(page, other, counts[other])
            times.append(_seconds(partial(_choose, page, name, counts[name])))
            part = f"note-{(counts[name] - 1 - number) % counts[name]:05}"
            parts.append(_seconds(partial(_filter, page, part, 1)))
            _filter(page, "", counts[name])
        shown.append(times)
        filtered.append(parts)
    _report("its documents listed", shown, report)
    _report("a part of a name looked for", filtered, report)
    page.context.close()


def _opened(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    page.get_by_test_id("stChatInputTextArea").wait_for()
    settled(page)
    return page


def _open(page: Page, url: str, conversation: str) -> None:
    page.goto(f"{url}/?conversation={conversation}")
    page.get_by_test_id(_MESSAGES).nth(2 * _FEW - 1).wait_for()
    settled(page)


def _search(page: Page, number: int) -> None:
    field = page.get_by_label("Search conversations")
    field.fill(f"parcel {number}?")
    field.press("Enter")
    page.get_by_test_id("stSidebar").get_by_text(f"parcel {number}").first.wait_for()
    settled(page)


def _choose(page: Page, name: str, documents: int) -> None:
    page.get_by_role("combobox", name="Index").click()
    page.get_by_role("option", name=name, exact=True).click()
    _listed(page, documents)


def _filter(page: Page, part: str, documents: int) -> None:
    field = page.get_by_label("Filter")
    field.fill(part)
    field.press("Enter")
    _listed(page, documents)


def _listed(page: Page, documents: int) -> None:
    page.get_by_text(f"{counted(documents, 'document')}.", exact=True).wait_for()
    settled(page)


def _seconds(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _report(name: str, found: list[list[float]], report: Callable[[str], None]) -> None:
    first, *peer = found
    line = f"  {name:<28} {spread(first)}"
    if peer:
        ratio = statistics.median(first) / statistics.median(peer[0])
        line += f"   {ratio:.1f} × the small one"
    report(line)


if __name__ == "__main__":
    typer.run(main)
