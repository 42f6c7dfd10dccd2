"""What is loaded is set aside from collections of garbage, and is freed all the same."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from app.components import garbage
from app.components.garbage import collect, set_aside, set_aside_after


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


class Weights:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.owner = self


def test_collections_pass_over_what_was_there() -> None:
    gc.unfreeze()
    weights = Weights()
    set_aside()
    assert gc.get_freeze_count() > 10_000
    seen = weakref.ref(weights)
    del weights
    gc.collect()
    assert seen() is not None  # not looked at


def test_what_was_closed_since_is_freed_the_next_time() -> None:
    weights = Weights()
    set_aside()
    seen = weakref.ref(weights)
    del weights
    set_aside()
    assert seen() is None


def test_what_a_page_leaves_is_collected_once_all_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gc.unfreeze()
    collected = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(gc.get_freeze_count()))
    collect()
    assert not collected  # it would look at everything
    gc.freeze()
    monkeypatch.setattr(garbage, "is_warming_up", lambda: True)
    collect()
    assert not collected
    monkeypatch.undo()
    left = weakref.ref(Weights())
    collect()
    assert left() is None


def test_it_waits_for_what_is_loaded() -> None:
    gc.unfreeze()
    go_on = threading.Event()
    loading = threading.Thread(target=go_on.wait)
    loading.start()
    waiting = set_aside_after(loading)
    assert gc.get_freeze_count() == 0
    go_on.set()
    waiting.join()
    assert gc.get_freeze_count() > 10_000
