"""What docs/graph.md shows is what the code writes."""

from __future__ import annotations

import re
from pathlib import Path

from assistant.thoughts.exchange import export
from assistant.thoughts.graph import ThoughtGraph
from assistant.thoughts.kgcl import from_kgcl, to_kgcl
from assistant.thoughts.verbalise import Narrator

TEXT = (Path(__file__).parents[3] / "docs" / "graph.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documented_log() -> None:
    log = from_kgcl(_block("kgcl"))
    assert to_kgcl(log) == _block("kgcl")
    assert export(ThoughtGraph.replay(log), "mermaid") == _block("mermaid")
    narrator = Narrator()
    told = "\n".join(narrator.tell(batch) for batch in log)
    assert f"$ assistant graph log --turn t1\n{told}\n" in TEXT
