"""PDF: pages, paragraphs, headings, running heads, passwords."""

import pytest

from indexes.corpora.blocks import DocumentBuilder
from indexes.corpora.pdf import read_pdf
from indexes.corpora.pdf_layout import add_pages
from indexes.documents import Block
from indexes.errors import ProtectedDocumentError, ReadError
from tests.fast.corpora.helpers import blocks_of, pdf, scanned_pdf

FULL = "This line of the paragraph is about as long as the paper is wide, more"


def test_pages_and_titles():
    data = pdf([["First page."], ["Second page."]], title="Annual report 2024")
    parsed = read_pdf(data, "report.pdf")
    assert parsed.title == "Annual report 2024"
    assert [(b.page, parsed.text[b.start : b.end]) for b in parsed.blocks] == [
        (1, "First page."),
        (2, "Second page."),
    ]


@pytest.mark.parametrize("title", ["", "untitled", "Microsoft Word - draft3", "report.docx"])
def test_meaningless_titles_give_way_to_the_file_name(title):
    assert read_pdf(pdf([["Some text here."]], title=title), "my report.pdf").title == "my report"


def test_the_outline_gives_the_headings():
    data = pdf(
        [["Introduction", "Some text.", "1.1 Aims", "Know more."], ["Results", "It works."]],
        outline=[("Introduction", 0, 1), ("Aims", 1, 1), ("Results", 0, 2)],
    )
    assert blocks_of(read_pdf(data, "a.pdf")) == [
        ("heading", "Introduction", ()),
        ("text", "Some text.", ("Introduction",)),
        ("heading", "1.1 Aims", ("Introduction",)),
        ("text", "Know more.", ("Introduction", "1.1 Aims")),
        ("heading", "Results", ()),
        ("text", "It works.", ("Results",)),
    ]


def layout(*pages: str) -> tuple[str, tuple[Block, ...]]:
    builder = DocumentBuilder("title")
    add_pages(builder, pages, [])
    parsed = builder.parsed()
    blocks_of(parsed)
    return parsed.text, parsed.blocks


def test_wrapped_lines_become_paragraphs():
    text, blocks = layout(f"{FULL}\n{FULL}\nand its end.\n{FULL}\nand an end.\n\nAfter a gap.")
    assert text.split("\n\n") == [
        f"{FULL} {FULL} and its end.",
        f"{FULL} and an end.",
        "After a gap.",
    ]
    assert len(blocks) == 3


def test_words_are_put_together_and_compounds_keep_their_hyphen():
    text, _ = layout(
        f"{FULL} docu-\nments are read here, and a well-known thing is this: a well-\n"
        f"known thing, and the efﬁcient ofﬁce. {FULL}"
    )
    assert "documents are read" in text
    assert text.count("well-known thing") == 2
    assert "efficient office" in text


def test_a_paragraph_goes_on_over_the_page():
    text, blocks = layout(f"{FULL}\n{FULL} and also a sen-", f"tence that ends here.\n\n{FULL}.")
    assert f"{FULL} {FULL} and also a sentence that ends here." in text
    assert [block.page for block in blocks] == [1, 2]


def test_short_lines_stay_lines():
    text, _ = layout(f"{FULL}\n{FULL}.\n\nname: Bob\nage: 3\n\n• tea\n• coffee with\n{FULL}")
    assert "name: Bob\nage: 3" in text
    assert "\n\n• coffee with" in text


def test_running_heads_and_page_numbers_are_left_out():
    pages = [
        f"The Annual Report\nChapter {1 + n // 4}: Money {n + 2}\n{FULL} number {n * 7}.\n"
        f"{FULL} {'abcdefgh'[n - 1] * 4}\n{n + 2}"
        for n in range(1, 9)
    ]
    text, _ = layout(*pages)
    assert text.count("The Annual Report") == 1
    assert "Chapter" not in text
    assert all(f"number {n * 7}." in text for n in range(1, 9))
    assert len(text.split()) == 3 + 8 * len(f"{FULL} number 1. {FULL} x".split())


def test_a_form_that_is_filled_in_page_by_page_keeps_its_numbers():
    text, _ = layout(*(f"Invoice\nTea: {n * 3} EUR\nTotal: {n * n + 5} EUR" for n in range(1, 9)))
    assert all(f"Total: {n * n + 5} EUR" in text for n in range(1, 9))


def test_what_stands_at_the_top_of_two_pages_is_kept():
    text, _ = layout("Budget\nfirst text", "Budget\nsecond text", "Other\nthird text")
    assert text.count("Budget") == 2


def test_numbered_headings_only_where_they_have_sections():
    _, blocks = layout("1 Introduction\nText of it.\n1.1 Aims\nMore text.\n2 Steps.\n3 Open it.")
    assert [b.headings for b in blocks if b.kind != "heading"][:2] == [
        ("1 Introduction",),
        ("1 Introduction", "1.1 Aims"),
    ]
    _, blocks = layout("1 Take the lid off\n2 Pour the water\n3 Wait")
    assert all(block.kind != "heading" for block in blocks)


def test_a_table_of_contents_is_no_row_of_headings():
    lines = "\n".join(f"1.{n} Section {chr(64 + n)} . . . . . . . . {n}" for n in range(1, 9))
    text, blocks = layout(f"Contents\n{lines}", "1.1 Section A\nText.")
    assert [text[b.start : b.end] for b in blocks if b.kind == "heading"] == ["1.1 Section A"]


@pytest.mark.parametrize("strength", [40, 128])
def test_an_empty_password_is_tried_first(strength):
    data = pdf([["Protected against changes only."]], password="", strength=strength)
    assert read_pdf(data, "a.pdf").text == "Protected against changes only."


@pytest.mark.parametrize("strength", [40, 128])
def test_a_password_is_asked_for_in_words(strength):
    data = pdf([["Secret."]], password="secret", strength=strength)
    with pytest.raises(ProtectedDocumentError, match=r"a.pdf is protected by a password") as caught:
        read_pdf(data, "a.pdf")
    assert caught.value.remedy == "save a copy without a password"


def test_pictures_of_text_ask_for_ocr():
    with pytest.raises(ReadError, match="holds no text, only pictures") as caught:
        read_pdf(scanned_pdf(), "scan.pdf")
    assert "OCR" in caught.value.remedy


def test_a_damaged_cross_reference_is_repaired():
    data = pdf([["Text that survives the damage."]])
    broken = data[: data.rindex(b"xref")] + b"startxref\n99999\n%%EOF"
    assert "Text that survives" in read_pdf(broken, "a.pdf").text


def test_a_file_cut_short_is_an_error_or_its_beginning():
    data = pdf([[f"Page {n} with a few words."] for n in range(20)])
    for share in (0.05, 0.3, 0.6, 0.95):
        try:
            blocks_of(read_pdf(data[: int(len(data) * share)], "a.pdf"))
        except ReadError as error:
            assert error.remedy
