"""Serves the page: `python -m app.server run …`, with Streamlit's own arguments.

What every page needs is imported before the server answers. A page that comes first would have to
import it while it is drawn, in the same Python that serves it.
"""

from __future__ import annotations

from importlib import import_module

from streamlit.web.cli import main

PARTS = ("stored", "stream", "context", "typed_commands", "welcome", "attached", "tour")

if __name__ == "__main__":
    for part in PARTS:
        import_module(f"app.components.{part}")
    main(prog_name="assistant app")
