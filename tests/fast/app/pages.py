"""The pages run by Streamlit's own test runner."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

import app

MAIN = Path(app.__file__).with_name("main.py")
VIEWS = MAIN.parent / "views"


def page(name: str) -> AppTest:
    run = AppTest.from_file(str(VIEWS / f"{name}.py"), default_timeout=60).run()
    assert not run.exception
    return run


def markdown(run: AppTest) -> str:
    return "\n".join(element.value for element in run.markdown)


def captions(run: AppTest) -> str:
    return "\n".join(element.value for element in run.caption)


def click(run: AppTest, label: str) -> AppTest:
    """Click the button of that label or key; there has to be one."""
    (button,) = [b for b in run.button if label in (b.label, b.key)]
    button.click().run()
    assert not run.exception
    return run


def labels(run: AppTest) -> list[str]:
    return [button.label for button in run.button]
