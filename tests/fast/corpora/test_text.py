"""Plain text: encodings, paragraphs, cleaning, and the builder that all readers use."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.corpora.blocks import DocumentBuilder, clean
from indexes.corpora.formats import parse
from indexes.corpora.text import decode, read_text
from indexes.errors import ReadError
from tests.fast.corpora.helpers import blocks_of, check

GERMAN = "Fußgänger müssen an der Straße warten – „Größe“ zählt."
FRENCH = (
    "L’été dernier, nous sommes allés à la plage où il faisait très chaud. Les enfants ont joué "
    "près de la mer pendant que leurs parents préparaient un dîner. À la fin de la journée, le "
    "garçon a trouvé une étoile échouée; il était émerveillé. Déjà, le coût est élevé."
)
CZECH = (
    "Příliš žluťoučký kůň úpěl ďábelské ódy. Včera jsme byli na výletě v horách a viděli jsme "
    "krásné květiny. Děti si hrály u řeky, zatímco rodiče připravovali večeři."
)
RUSSIAN = "Привет, мир! Это проверка кодировки текста. Она должна быть узнана по буквам."
JAPANESE = "これは日本語の文章です。文字コードの判定を確かめます。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-32"),
        (GERMAN, "cp1252"),
        ("naïve", "cp1252"),
        ("Ärger im Büro", "latin-1"),
        ("“Smart quotes” and dashes — it’s fine.", "cp1252"),
        (FRENCH, "cp1252"),
        (CZECH, "cp1250"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        ("这是一个中文句子，用来测试编码检测。", "gb18030"),
        ("한국어 문장입니다. 인코딩을 확인합니다.", "euc_kr"),
        ("plain words only", "utf-16-le"),
    ],
)
def test_encodings_are_found_out(text, encoding):
    assert decode(text.encode(encoding), "file") == text


def test_a_declared_encoding_is_believed_and_an_unknown_one_ignored():
    assert decode("Zażółć".encode("iso8859_2"), "file", "iso-8859-2") == "Zażółć"
    assert decode("Zażółć".encode(), "file", "no-such-encoding") == "Zażółć"


def test_a_few_damaged_bytes_do_not_turn_utf8_into_something_else():
    data = (GERMAN * 20).encode()
    assert decode(data[:-40] + b"\xff" + data[-40:], "file").count("Fußgänger") >= 19
    cut = data[: data.rindex("ä".encode()) + 1]
    assert decode(cut, "file").startswith(GERMAN)


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)) * 4,
        b"some text\x00\x01\x02 and more",
        bytes(range(256)) * 10,
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    ],
)
def test_binary_data_is_refused(data):
    with pytest.raises(ReadError, match="looks binary"):
        parse(data, "file.txt")


def test_paragraphs_keep_their_lines():
    parsed = read_text(b"One\nline\r\n\r\n \t\r\nTwo\n\n\n\n  Three\n", "a.txt")
    assert [text for _, text, _ in blocks_of(parsed)] == ["One\nline", "Two", "Three"]


def test_cleaning():
    assert clean("a\r\nb\rc\u2028d\x85e") == "a\nb\nc\nd\ne"
    assert clean("page one\fpage two") == "page one\n\npage two"
    assert clean("e\u0301\u00a0so\u00adft\ufeff\x07\ud800") == "é soft"


@given(st.text())
def test_cleaned_text_is_normal_and_stays_so(text):
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode("utf-8")


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("heading"), st.integers(1, 6), st.text(max_size=20)),
            st.tuples(
                st.sampled_from(["text", "code", "list", "table", "row"]),
                st.none(),
                st.text(max_size=60),
            ),
        ),
        max_size=30,
    )
)
def test_the_builder_keeps_offsets_and_heading_paths_true(steps):
    builder = DocumentBuilder("title")
    for kind, level, text in steps:
        if kind == "heading":
            builder.heading(level, text)
        else:
            builder.add(text, kind)
    parsed = builder.parsed()
    check(parsed)
    above: list[str] = []
    for block in parsed.blocks:
        assert list(block.headings) == above[: len(block.headings)]
        if block.kind == "heading":
            above = [*block.headings, parsed.text[block.start : block.end]]
        else:
            assert list(block.headings) == above


def test_a_paragraph_styled_as_a_heading_is_no_heading():
    builder = DocumentBuilder("title")
    builder.heading(1, "Short")
    builder.heading(2, "word " * 60)
    builder.add("Text.")
    assert builder.parsed().blocks[-1].headings == ("Short",)
