"""The page in a real browser: until it can be used, until it reacts, and what many chats cost.

    python -m benchmarks.page [--chats 1 --chats 5 --chats 20] [--turns 200] [--reader small]

A server is started as `assistant app` does it, on a temporary home with the small documents of the
browser tests, and asked by a Chromium without a window. *Ready* is from the server's first answer
to the input being there; its peer is a Streamlit page of one line in the same run; *from the
command* has the start of the program and of the server in it. *First step* is from the Enter key
to the first line of the turn, *first word* to the first of the answer, both read by an observer
inside the page, so that waiting costs no time of its own. A question is sent when the page is done
with the one before, the next questions that it offers included; several chats send at the same
instant, and ratios are to a single chat. *Memory* is that of the server's processes.

Needs Chromium and the weights (make weights).
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from playwright.async_api import Browser, Page, async_playwright

from assistant.errors import UsageError
from assistant.settings import default_home
from benchmarks.spread import spread
from tests.browser.serving import free_port, make_home, serve, wait_for

QUESTIONS = (
    "Why do sea otters wrap themselves in kelp?",
    "How high is the tower of the lighthouse?",
    "What does an adult otter eat?",
    "Who was the last keeper of the Kerring lighthouse?",
    "What does the zeppelin ticket cost on Mondays?",
)
_BOX = '[data-testid="stChatInputTextArea"]'
_DONE = "How this answer came about"
_SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'
# Notes in `window.seen` when the last message first has a step, and when its answer has a word.
_WATCH = """() => {
  const seen = window.seen = {};
  const text = (node) => node && node.textContent.trim().length > 0;
  const before = document.querySelectorAll('[data-testid="stChatMessage"]').length;
  const look = () => {
    const messages = document.querySelectorAll('[data-testid="stChatMessage"]');
    if (messages.length < before + 2) return;
    const last = messages[messages.length - 1], now = performance.now();
    const step = last.querySelector('[data-testid="stExpander"]');
    if (!seen.step && text(step)) seen.step = now;
    const words = [...last.querySelectorAll('[data-testid="stMarkdownContainer"]')];
    const outside = words.some((n) => text(n) && !n.closest('[data-testid="stExpander"]'));
    if (!seen.word && outside) seen.word = now;
  };
  new MutationObserver(look).observe(document.body,
    {subtree: true, childList: true, characterData: true});
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !seen.sent) seen.sent = performance.now();
  }, true);
}"""


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds from the Enter key."""

    step: float
    word: float
    whole: float


def main(
    chats: Annotated[list[int] | None, typer.Option(help="this many at the same time")] = None,
    turns: Annotated[int, typer.Option(help="turns one after the other, for the memory")] = 200,
    reader: Annotated[str, typer.Option(help="who answers")] = "small",
    starts: Annotated[int, typer.Option(help="times that the page is opened")] = 3,
) -> None:
    """Measure the page."""
    chromium, models = shutil.which("chromium"), default_home() / "models"
    if chromium is None or not models.is_dir():
        raise UsageError("Chromium or the weights are missing", remedy="make weights chromium")
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder), models, f'answering.reader = "{reader}"\n')
        asyncio.run(_measure(chromium, home, chats or [1, 5, 20], turns, starts))


async def _measure(
    chromium: str, home: Path, chats: Sequence[int], turns: int, starts: int
) -> None:
    report: Callable[[str], None] = print
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        await _report_ready(browser, home, starts, report)
        with serve(home) as url:
            await _ask(await _opened(browser, url), QUESTIONS[0])  # loads the models
            single: list[Turn] = []
            for count in chats:
                found = await _at_once(browser, url, count)
                single = single or found
                report(f"\n{count} at once, {len(QUESTIONS)} questions each")
                for name in ("step", "word", "whole"):
                    _report_spread(name, found, single, report)
            await _report_memory(browser, url, turns, report)
        await browser.close()


async def _report_ready(
    browser: Browser, home: Path, starts: int, report: Callable[[str], None]
) -> None:
    ours, plain, whole = [], [], []
    for _ in range(starts):
        started = time.monotonic()
        with serve(home) as url:
            ours.append(await _seconds_until(browser, url, _BOX))
            whole.append(time.monotonic() - started)
        with _plain_page(home) as url:
            plain.append(await _seconds_until(browser, url, '[data-testid="stMarkdown"]'))
    ratio = statistics.median(ours) / statistics.median(plain)
    report(f"ready, {starts} starts of the server")
    report(f"  the page            {spread(ours)}   {ratio:.1f} × a page of one line")
    report(f"  a page of one line  {spread(plain)}")
    report(f"  from the command    {spread(whole)}")


async def _seconds_until(browser: Browser, url: str, selector: str) -> float:
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    page = await context.new_page()
    started = time.monotonic()
    await page.goto(url)
    await page.locator(selector).first.wait_for(timeout=120_000)
    seconds = time.monotonic() - started
    await context.close()
    return seconds


@contextmanager
def _plain_page(home: Path) -> Iterator[str]:
    script = home / "plain.py"
    script.write_text('import streamlit as st\nst.write("ready")\n', encoding="utf-8")
    port = free_port()
    arguments = [str(script), "--server.port", str(port), "--server.headless", "true"]
    child = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", *arguments, "--server.address", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(30)


async def _at_once(browser: Browser, url: str, count: int) -> list[Turn]:
    """Chats that ask at the same instant, question by question."""
    pages = [await _opened(browser, url) for _ in range(count)]
    found: list[Turn] = []
    for question in QUESTIONS:
        await asyncio.gather(*(_settle(page) for page in pages))
        found += await asyncio.gather(*(_ask(page, question) for page in pages))
    for page in pages:
        await page.context.close()
    return found


async def _opened(browser: Browser, url: str) -> Page:
    context = await browser.new_context(viewport={"width": 1280, "height": 860})
    page = await context.new_page()
    page.set_default_timeout(600_000)
    await page.goto(url)
    await page.locator(_BOX).wait_for()
    return page


async def _settle(page: Page) -> None:
    """Wait until the page is drawn: before, an answer may be there twice."""
    await page.locator(_SETTLED).wait_for()


async def _ask(page: Page, question: str) -> Turn:
    done = page.get_by_text(_DONE)
    before = await done.count()
    box = page.locator(_BOX)
    await box.fill(question)
    await page.evaluate(_WATCH)
    started = time.monotonic()
    await box.press("Enter")
    await done.nth(before).wait_for()
    whole = time.monotonic() - started
    seen: dict[str, float] = await page.evaluate("window.seen")
    sent = seen["sent"]
    return Turn(
        (seen.get("step", sent + whole * 1000) - sent) / 1000,
        (seen.get("word", sent + whole * 1000) - sent) / 1000,
        whole,
    )


async def _report_memory(
    browser: Browser, url: str, turns: int, report: Callable[[str], None]
) -> None:
    """What the server holds, before and after many turns in conversations of ten."""
    port = int(url.rsplit(":", 1)[1])
    before = _resident(port)
    report(f"\nmemory of the server: {before:.0f} MB before")
    for first in range(0, turns, 10):
        page = await _opened(browser, url)
        for number in range(first, min(first + 10, turns)):
            await _settle(page)
            await _ask(page, QUESTIONS[number % len(QUESTIONS)])
        await page.context.close()
        if (first + 10) % 50 == 0 or first + 10 >= turns:
            now = _resident(port)
            done = min(first + 10, turns)
            report(
                f"  after {done} turns {now:.0f} MB ({(now - before) / done * 1000:+.0f} kB a turn)"
            )


def _resident(port: int) -> float:
    """Megabytes of the processes that serve this port."""
    total = 0
    for process in psutil.process_iter(["cmdline", "memory_info"]):
        line: list[str] = process.info["cmdline"] or []
        if str(port) in line and {"app", "app.server"} & set(line):
            memory: Any = process.info["memory_info"]
            total += memory.rss
    return total / 1e6


def _report_spread(
    name: str, found: Sequence[Turn], single: Sequence[Turn], report: Callable[[str], None]
) -> None:
    values, alone = [getattr(t, name) for t in found], [getattr(t, name) for t in single]
    ratio = statistics.median(values) / max(1e-9, statistics.median(alone))
    label = {"step": "first step", "word": "first word", "whole": "whole turn"}[name]
    report(f"  {label}  {spread(values)}   {ratio:.1f} × a single chat")


if __name__ == "__main__":
    typer.run(main)
