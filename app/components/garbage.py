"""Collections of garbage that do not look at what stays.

A collection looks at every object of the process: with torch and what stands on it these are some
700,000, during which nothing else can run. Streamlit would make one after every run of a page
(`postScriptGC`, which is off). Here objects that are there once everything is loaded are set aside,
and runs are followed by a collection from then on.
"""

from __future__ import annotations

import gc
import threading

from assistant.warming import is_warming_up


def set_aside() -> None:
    """From now on a collection looks only at objects that were made since.

    What was set aside before is looked at once more: a home that was closed with its weights is
    freed then.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def collect() -> None:
    """Collect what a run of a page left, unless much is being loaded or nothing was set aside."""
    if gc.get_freeze_count() and not is_warming_up():
        gc.collect()


def set_aside_after(loading: threading.Thread) -> threading.Thread:
    """`set_aside` as soon as this thread has ended."""

    def work() -> None:
        loading.join()
        set_aside()

    thread = threading.Thread(target=work, name="set-aside", daemon=True)
    thread.start()
    return thread
