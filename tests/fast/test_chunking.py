"""Passages: what the chunker promises, by property and by example."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.chunking import Chunker, count_words
from indexes.documents import Block, Document

SENTENCE = "The quick brown fox jumps over the lazy dog near the river."


def make_document(*parts: tuple, title: str = "Title") -> Document:
    """A document of (kind, text, headings[, page]) with an empty line between its blocks."""
    text, blocks = "", []
    for kind, content, headings, *page in parts:
        text += "\n\n" if text else ""
        start = len(text)
        text += content
        blocks.append(Block(start, len(text), tuple(headings), page[0] if page else None, kind))
    return Document("doc", "/doc", title, text, tuple(blocks))


_SAMPLES = (
    "alpha~beta~gamma_delta~x1~e.g.~3.14~end.~What?~-~*~|~:~;~===~(see)~東京~ไทย~é~\n~\t~\n\n"
    "~a,b,c~\u00a0~::~🙂~" + "y" * 90
)
WORDS = st.sampled_from(_SAMPLES.split("~"))
CONTENT = st.lists(WORDS, min_size=1, max_size=120).map(" ".join)
HEADINGS = st.sampled_from([(), ("A",), ("A", "B"), ("A", "C"), ("A", "B", "D"), ("E",)])
KINDS = st.sampled_from(["text", "text", "list", "code", "table", "row", "heading"])
PAGES = st.sampled_from([None, 1, 2])


@given(
    st.lists(st.tuples(KINDS, CONTENT, HEADINGS, PAGES), min_size=1, max_size=12),
    st.integers(8, 60),
    st.integers(0, 30),
)
@settings(max_examples=200)
def test_promises(parts, max_words, small_words):
    document = make_document(*parts)
    chunker = Chunker(max_words, small_words)
    passages = chunker.split(document)
    assert passages == chunker.split(document)
    previous_end = 0
    for passage in passages:
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.text == passage.text.strip() != ""
        assert previous_end <= passage.start
        assert count_words(passage.text) <= max_words
        previous_end = passage.end
    assert len({passage.id for passage in passages}) == len(passages)
    covered = {i for p in passages for i in range(p.start, p.end)}
    only_headings = all(block.kind == "heading" for block in document.blocks)
    for block in document.blocks:
        if block.kind != "heading" or only_headings:
            for i in range(block.start, block.end):
                assert i in covered or document.text[i].isspace()
    for passage in passages:  # heading path and page hold for every block that it touches
        for block in document.blocks:
            if block.start < passage.end and passage.start < block.end:
                assert block.page == passage.page
                if block.kind != "heading":
                    shared = passage.headings[: len(block.headings)]
                    assert block.headings[: len(shared)] == shared
                    assert passage.headings[:1] == block.headings[:1] or (
                        block.kind in ("table", "list")  # with column names, an introduction
                    )


def test_blocks_of_a_section_share_a_passage_and_sections_do_not():
    document = make_document(
        ("heading", "Setup", []),
        ("text", "Run this:", ["Setup"]),
        ("code", "make app", ["Setup"]),
        ("heading", "Use", []),
        ("text", "Ask a question.", ["Use"]),
    )
    first, second = Chunker().split(document)
    assert (first.text, first.headings) == ("Run this:\n\nmake app", ("Setup",))
    assert (second.text, second.headings) == ("Ask a question.", ("Use",))
    assert second.indexed_text == "Title › Use\nAsk a question."


def test_small_siblings_come_together_with_their_headings():
    document = make_document(
        ("heading", "Options", []),
        ("heading", "depth", ["Options"]),
        ("text", "How many candidates.", ["Options", "depth"]),
        ("heading", "index", ["Options"]),
        ("text", "Which index.", ["Options", "index"]),
        ("heading", "example", ["Options"]),
        ("code", "ask --depth 3", ["Options", "example"]),
        ("heading", "About", []),
        ("text", "Written by hand.", ["About"]),
    )
    joined, code, about = Chunker().split(document)
    assert joined.text == "depth\n\nHow many candidates.\n\nindex\n\nWhich index."
    assert joined.headings == ("Options",)
    assert code.headings == ("Options", "example")
    assert about.headings == ("About",)


def test_a_long_paragraph_is_cut_between_sentences_into_equal_pieces():
    document = make_document(("text", " ".join([SENTENCE] * 15), []))
    passages = Chunker(max_words=160).split(document)
    sizes = [count_words(passage.text) for passage in passages]
    assert len(sizes) == 2
    assert max(sizes) - min(sizes) <= 24
    assert all(re.fullmatch(rf"(?:{SENTENCE} ?)+", passage.text) for passage in passages)


def test_wrapped_lines_do_not_attract_the_cut():
    wrapped = (SENTENCE + " ") * 15
    wrapped = re.sub(r"(.{60}) ", r"\1\n", wrapped).strip()
    passages = Chunker(max_words=100).split(make_document(("text", wrapped, [])))
    assert len(passages) == 2
    assert all(passage.text.endswith("river.") for passage in passages)


def test_pieces_of_a_table_name_its_columns():
    rows = "\n".join(f"item {n} | {n} pieces | in stock" for n in range(40))
    document = make_document(("table", f"Name | Amount | State\n{rows}", ["Stock"]))
    passages = Chunker(max_words=60).split(document)
    assert len(passages) > 3
    assert passages[0].headings == ("Stock",)
    assert all(p.headings == ("Stock", "Name | Amount | State") for p in passages[1:])
    assert all(p.text.endswith("in stock") for p in passages)


def test_every_piece_of_a_long_table_is_encoded_with_its_columns_and_headings():
    rows = "\n".join(f"item {n} | {n} pieces | in stock" for n in range(40))
    document = make_document(("table", f"Name | Amount | State\n{rows}", ["Stock", "May"]))
    passages = Chunker(max_words=60).split(document)
    assert len(passages) > 3
    for passage in passages:
        context, _, _ = passage.indexed_text.partition("\nitem")
        assert "Title › Stock › May" in context
        assert context.count("Name | Amount | State") == 1


def test_every_piece_of_a_long_list_is_encoded_with_what_introduces_it():
    items = "\n".join(f"- point number {n} of the list, in a few words" for n in range(40))
    document = make_document(
        ("text", "The committee decided the following points:", ["Minutes"]),
        ("list", items, ["Minutes"]),
    )
    passages = Chunker(max_words=60).split(document)
    assert len(passages) > 3
    for passage in passages:
        assert "Title › Minutes" in passage.indexed_text
        assert passage.indexed_text.count("The committee decided the following points:") == 1
        assert passage.text.startswith(("The committee", "- point"))


def test_code_that_fits_is_kept_whole():
    lines = "\n".join(f"    step_{n}(value)  # {n}" for n in range(20))
    code = f"def run(value):\n{lines}\n\n    return value"
    document = make_document(
        ("text", " ".join([SENTENCE] * 8), ["Use"]),
        ("code", code, ["Use"]),
        ("text", " ".join([SENTENCE] * 8), ["Use"]),
    )
    passages = Chunker(max_words=100).split(document)
    assert len(passages) > 1
    assert [passage for passage in passages if code in passage.text]


def test_an_announcement_goes_with_what_it_announces():
    document = make_document(
        ("text", " ".join([SENTENCE] * 5), []),
        ("text", "The command is:", []),
        ("code", "\n".join(["assistant ask"] * 20), []),
    )
    first, second = Chunker(max_words=80).split(document)
    assert first.text.endswith("river.")
    assert second.text.startswith("The command is:\n\nassistant ask")


def test_rows_stand_alone():
    document = make_document(("row", "name: Bob; age: 3", []), ("row", "name: Al; age: 5", []))
    assert [p.text for p in Chunker().split(document)] == ["name: Bob; age: 3", "name: Al; age: 5"]


def test_pages_are_not_crossed():
    document = make_document(("text", "On page one.", [], 1), ("text", "On page two.", [], 2))
    assert [p.page for p in Chunker().split(document)] == [1, 2]


def test_a_passage_of_a_collection_is_never_cut():
    text = " ".join([SENTENCE] * 100)
    (passage,) = Chunker().split(make_document(("passage", text, ["Part"])))
    assert (passage.id, passage.text, passage.headings) == ("doc", text, ("Part",))


def test_equal_texts_get_ids_of_their_own_that_stay():
    parts = [("row", "same", []), ("row", "same", []), ("row", "other", []), ("row", "same", [])]
    ids = [p.id for p in Chunker().split(make_document(*parts))]
    assert ids[1:] == [f"{ids[0]}-2", ids[2], f"{ids[0]}-3"]
    fewer = [p.id for p in Chunker().split(make_document(*parts[1:]))]
    assert fewer == [ids[0], ids[2], f"{ids[0]}-2"]


def test_a_document_of_headings_only_is_not_lost():
    document = make_document(("heading", "Only a title", []))
    assert [p.text for p in Chunker().split(document)] == ["Only a title"]


def test_nothing_comes_of_nothing():
    assert Chunker().split(make_document(("text", " \n ", []))) == []
    assert Chunker().split(Document("doc", "/doc", "Title", "", ())) == []


def test_the_size_bounds_scripts_without_spaces_and_endless_words():
    for text in ("東京都庁" * 200, "x" * 5000, "ภาษาไทย" * 300, "=-" * 3000):
        passages = Chunker(max_words=50).split(make_document(("text", text, [])))
        assert "".join(p.text for p in passages) == text
        assert all(len(p.text) <= 600 for p in passages)


def test_the_fingerprint_tells_settings_apart():
    assert Chunker().fingerprint == Chunker().fingerprint
    assert Chunker().fingerprint != Chunker(max_words=100).fingerprint
    with pytest.raises(ValueError, match="at least 8 words"):
        Chunker(max_words=0)
