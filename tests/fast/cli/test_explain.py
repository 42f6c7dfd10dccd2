"""`assistant index search --explain` and `--why-not`."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.workspace import Workspace
from indexes.build import IndexWriter
from tests.fast.cli.conftest import Call
from tests.fast.indexes.sources import HashedEncoders, MemorySource
from tests.fast.indexes.test_queries import TEXTS


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "encoders", HashedEncoders())
    texts = {**TEXTS, "[bold]": "A [red]marked[/red] text of otters [/]", "/broken.pdf": None}
    IndexWriter(tmp_path / "home" / "indexes" / "notes", HashedEncoders()).build(
        [MemorySource(texts)]
    )


def test_the_explanation_has_the_hits_of_the_search(call: Call) -> None:
    plain = call("index", "search", "notes", "otters in kelp", "--json").json
    explained = call("index", "search", "notes", "otters in kelp", "--explain", "--json").json
    assert explained.keys() - plain.keys() == {"fusion", "depth", "weights", "lists"}
    assert explained["depth"] == 100 and explained["weights"]["dense"] == 0.35
    for hit, own in zip(plain["hits"], explained["hits"], strict=True):
        assert own.keys() - hit.keys() == {"words", "terms", "similarity"}
        for stage, place in hit["stages"].items():
            assert place.items() <= own["stages"][stage].items()
        assert sum(s["share"] for s in own["stages"].values()) == pytest.approx(
            own["score"], abs=1e-5
        )
    best = explained["hits"][0]
    assert {word["term"] for word in best["words"]} == {"otter", "kelp"}
    assert sum(w["share"] for w in best["words"]) == pytest.approx(
        best["stages"]["lexical"]["score"], rel=1e-3
    )
    assert set(explained["lists"]) == {"lexical", "dense", "sparse"}
    lexical = explained["lists"]["lexical"]
    assert [hit["rank"] for hit in lexical["hits"]] == list(range(1, lexical["candidates"] + 1))


def test_for_reading(call: Call) -> None:
    done = call("index", "search", "notes", "marked otters in kelp", "--explain", "-n", 3)
    assert done.status == 0 and done.err == ""
    for text in ("lexical alone", "dense alone", "sparse alone", "words: ", "similarity: "):
        assert text in done.out
    assert "[red]marked[/red] text of otters [/]" in done.out


def test_why_not(call: Call) -> None:
    arguments = ("index", "search", "notes", "otters in kelp", "-n", 1)
    found = call(*arguments, "--why-not", "open shells", "--json").json["why_not"]
    assert (found["how"], found["found"]) == ("text", False)
    assert found["passage"]["uri"] == "e" and found["rank"] > 1
    assert found["stages"]["lexical"]["given"] and found["words"][0]["term"] == "otter"
    assert "lost in the fusion" in found["verdict"]
    shown = call(*arguments, "--why-not", "open shells").out
    assert found["verdict"] in shown and "last taken" in shown
    absent = call(*arguments, "--why-not", "alpine marmots breed", "--json").json["why_not"]
    assert (absent["how"], absent["passage"], absent["stages"]) == ("nowhere", None, {})
    failed = call(*arguments, "--why-not", "broken.pdf")
    assert failed.status == 0 and "could not be read: cannot be read (look at it)" in failed.out
    nothing = call(*arguments, "--why-not", " ")
    assert nothing.status == 2 and "nothing to look for" in nothing.err
