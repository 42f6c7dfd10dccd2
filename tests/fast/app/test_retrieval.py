"""The retrieval playground: lists, weights tried out, kept; why a passage is not found."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from assistant.settings import load_settings
from assistant.workspace import Workspace
from indexes.build import IndexWriter
from tests.fast.app.pages import captions, click, labels, markdown, page
from tests.fast.indexes.sources import HashedEncoders, MemorySource
from tests.fast.indexes.test_queries import TEXTS

NASTY = "A $45$ <b>raft</b> of [otters](https://example.com) :smile: in kelp"


@pytest.fixture
def encoders(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> HashedEncoders:
    """A home with an index whose stages are all there, and a smaller one to compare with."""
    found = HashedEncoders()
    monkeypatch.setattr(Workspace, "encoders", found)
    empty_home.mkdir()
    (empty_home / "config.toml").write_text('retrieval.index = "notes"\n', encoding="utf-8")
    folder = empty_home / "indexes"
    texts = {**TEXTS, "nasty": NASTY, "/x/broken.pdf": None}
    IndexWriter(folder / "notes", found).build([MemorySource(texts)])
    IndexWriter(folder / "few", found).build([MemorySource({"a": TEXTS["a"], "z": "Zinnias"})])
    return found


def _search(query: str) -> AppTest:
    run = page("retrieval")
    run.text_input(key="retrieval-query").set_value(query).run()
    assert not run.exception
    assert not run.error
    return run


def _fused(run: AppTest, index: str = "notes") -> list[str]:
    """The titles of the fused list."""
    return [
        button.label.partition(" ")[2]
        for button in run.button
        if (button.key or "").startswith(f"{index}-fused-")
    ]


def _expected(home: Path, query: str, **weights: float) -> list[str]:
    index = Workspace(load_settings(home=home)).index("notes")
    hits = index.search(query, weights=weights, limit=5).hits
    return [hit.passage.title for hit in hits]


def test_every_list_with_scores_and_terms(encoders: HashedEncoders, empty_home: Path) -> None:
    run = _search("otters in kelp")
    assert _fused(run) == _expected(
        empty_home, "otters in kelp", lexical=0.4, dense=0.35, sparse=0.25
    )
    keys = {b.key for b in run.button}
    assert {f"notes-{stage}-1" for stage in ("lexical", "dense", "sparse")} <= keys
    text = captions(run)
    assert "otter" in text and "Nearness" in text and r"words \#1" in text
    shown = markdown(run)
    assert r"\$45\$ \<b\>raft\<\/b\>" in shown and "<b>" not in shown


def test_weights_are_tried_without_searching_and_kept(
    encoders: HashedEncoders, empty_home: Path
) -> None:
    run = _search("otters in kelp")
    assert "Keep these weights" not in labels(run)
    before = (encoders.dense().encoded, encoders.sparse().encoded)
    for stage, value in (("lexical", 0.0), ("dense", 1.0), ("sparse", 0.0)):
        run.slider(key=f"weighing-{stage}_weight").set_value(value)
    run.run()
    assert (encoders.dense().encoded, encoders.sparse().encoded) == before
    assert _fused(run) == _expected(empty_home, "otters in kelp", dense=1.0)
    run.slider(key="weighing-depth").set_value(2).run()
    assert len(_fused(run)) == 2

    click(run, "Back to those in force")
    assert run.slider(key="weighing-dense_weight-1").value == 0.35
    assert run.slider(key="weighing-depth-1").value == 100
    run.slider(key="weighing-dense_weight-1").set_value(0.8).run()
    click(run, "Keep these weights")
    kept = load_settings(home=empty_home).retrieval
    assert kept.dense_weight == 0.8 and kept.lexical_weight == 0.4 and kept.index == "notes"
    assert r"meaning 0\.80" in captions(run)
    assert "Keep these weights" not in labels(run)


def test_kept_weights_that_the_environment_overrules(
    encoders: HashedEncoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_RETRIEVAL__DENSE_WEIGHT", "0.5")
    run = _search("kelp")
    assert run.slider(key="weighing-dense_weight").value == 0.5
    run.slider(key="weighing-dense_weight").set_value(0.9).run()
    click(run, "Keep these weights")
    assert "the environment sets others" in run.warning[0].value


def test_the_fusion_and_the_number_of_passages(encoders: HashedEncoders) -> None:
    run = _search("otters in kelp")
    run.selectbox(key="weighing-fusion").set_value("rrf").run()
    assert r"0\.0" in captions(run)
    run.slider(key="weighing-shown").set_value(2).run()
    assert len(_fused(run)) == 2


def test_nothing_has_a_weight(encoders: HashedEncoders) -> None:
    run = _search("kelp")
    for stage in ("lexical", "dense", "sparse"):
        run.slider(key=f"weighing-{stage}_weight").set_value(0.0)
    run.run()
    assert "Nothing has a weight" in run.info[0].value
    assert _fused(run) == [] and any(b.key == "notes-dense-1" for b in run.button)


def test_why_a_passage_is_not_found(encoders: HashedEncoders) -> None:
    run = _search("otters in kelp")
    run.text_area(key="retrieval-wanted").set_value("The rent of the flat")
    run.slider(key="weighing-shown").set_value(1)
    click(run, "Find out")
    assert "No word of the query occurs in it" in markdown(run)
    assert "the search by meaning" in markdown(run)
    rows = run.dataframe[0].value
    assert rows["stage"].tolist() == ["words", "meaning", "related words", "together"]
    assert not rows["taken"].tolist()[-1]
    run.text_area(key="retrieval-wanted").set_value("alpine marmots breed here")
    click(run, "Find out")
    assert "in no passage of the index" in markdown(run) and not run.dataframe
    run.text_area(key="retrieval-wanted").set_value("broken.pdf")
    click(run, "Find out")
    assert "could not be read" in markdown(run)


def test_two_indexes_are_compared(encoders: HashedEncoders) -> None:
    run = _search("otters in kelp")
    run.selectbox(key="retrieval-other").set_value("few").run()
    assert not run.exception
    assert _fused(run, "few")[0] == "a"
    assert any(caption.value.startswith("There at rank ") for caption in run.caption)
    assert any(b.key == "few-lexical-1" for b in run.button)


def test_a_passage_is_opened_in_its_document(encoders: HashedEncoders) -> None:
    run = click(_search("lease of the flat in Lyon"), "notes-fused-1")
    assert ":yellow-background[The lease of the flat in Lyon" in markdown(run)


def test_stages_that_are_missing_have_no_slider(notes: Workspace) -> None:
    run = _search("sea otters")
    assert "Without meaning: not encoded yet" in captions(run).replace("\\", "")
    keys = {slider.key for slider in run.slider}
    assert keys == {"weighing-lexical_weight", "weighing-depth", "weighing-shown"}
    assert any(b.key == "notes-lexical-1" for b in run.button)
    assert "retrieval-other" not in {box.key for box in run.selectbox}


def test_without_a_query_it_says_what_it_is_for(encoders: HashedEncoders) -> None:
    run = page("retrieval")
    assert not run.slider and "by itself" in captions(run)
