"""Text of models and documents is shown as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.components.text import excerpt, highlighted, one_line, plain

JOINER = "\u2060"
MARKUP = st.text(st.sampled_from("ab1 \n\t$*_`#[](){}<>!&;:/\\|~-=+.@'\"^"), max_size=60)


def parsed(markdown: str) -> list[Token]:
    """Every token of the Markdown, tables and strikethrough included, inline ones flattened."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    return [t for token in tokens for t in [token, *(token.children or [])]]


def shown(markdown: str) -> str:
    parts = []
    for token in parsed(markdown):
        if token.type == "text" or token.type == "text_special":
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak", "paragraph_close"):
            parts.append("\n")
    return "".join(parts)


@given(MARKUP)
@example("<script>alert(1)</script>")
@example("![x](http://e.com/a.png) [y](javascript:1)")
@example("    indented code\n- list\n1. one\n> quote\n# head\n---\n| a |\n|---|")
@example("a\n===\n")
@example("&lt;b&gt; &amp;")
def test_nothing_in_a_text_takes_effect(text: str) -> None:
    kinds = {token.type for token in parsed(plain(text))}
    allowed = {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    assert kinds <= allowed | {"hardbreak", "softbreak"}


@given(MARKUP)
def test_every_visible_character_stays_in_its_order(text: str) -> None:
    seen = re.sub(r"\s", "", shown(plain(text)).replace(JOINER, "").replace("\u00a0", ""))
    assert seen == re.sub(r"\s", "", text)


@given(MARKUP)
def test_each_dollar_and_bracket_is_escaped(text: str) -> None:
    for found in re.finditer(r"[$\[\]<>`*_]", plain(text)):
        before = plain(text)[: found.start()]
        assert (len(before) - len(before.rstrip("\\"))) % 2 == 1


# What Streamlit's Markdown looks for after escapes were resolved.
LATER = (
    r"(?i)https?://|www(?=\.)",
    r"[-.\w+]+@[-\w]+(?:\.[-\w]+)+",
    r":[\w+-]+:",
    r":material/\w+:",
    r"(?:^|\s)(?:<->|->|<-|--|>=|<=|~=)(?:\s|$)",
)


TRICKY = (
    *("https://", "www.", "me@e.com", ":smile:", ":material/home:", ":streamlit:"),
    *(" -> ", " <- ", " <-> ", " -- ", " >= ", " <= ", " ~= ", "a", ":", "@", "."),
)


@given(
    st.lists(
        st.sampled_from(TRICKY),
        max_size=8,
    )
)
def test_addresses_emoji_and_arrows_are_not_found(parts: list[str]) -> None:
    text = shown(plain("".join(parts))).rstrip("\n")
    for pattern in LATER:
        assert not re.search(pattern, text), pattern


def test_options_of_a_command_can_be_copied() -> None:
    assert shown(plain("pip install --upgrade x")).strip() == "pip install --upgrade x"


def test_indentation_and_line_breaks_stay() -> None:
    assert shown(plain("if x:\n    y\n\nz")) == "if x:\n\u00a0\u00a0\u00a0\u00a0y\nz\n"


def test_characters_that_turn_the_direction_are_left_out() -> None:
    assert plain("a\u202eb\u2066c\x00d") == "abcd"


@given(MARKUP, st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=4))
def test_highlighting_shows_the_same_text(text: str, spans: list[tuple[int, int]]) -> None:
    marked = highlighted(text, spans)
    without = re.sub(r"(?<!\\)((?:\\\\)*):yellow-background\[", r"\1", marked)
    without = re.sub(r"(?<!\\)((?:\\\\)*)\]", r"\1", without)
    seen = re.sub(r"\s", "", shown(without).replace(JOINER, ""))
    assert seen == re.sub(r"\s", "", text)


def test_a_sentence_over_two_lines_is_marked_on_both() -> None:
    marked = highlighted("One two\nthree. Four.", [(4, 14)])
    assert marked.count(":yellow-background[") == 2
    assert ":yellow-background[two]" in marked


@given(st.text(max_size=200), st.data())
def test_an_excerpt_holds_what_it_is_about(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    left, right = excerpt(text, start, end, around=20)
    assert 0 <= left <= start <= end <= right <= len(text)


@pytest.mark.parametrize(("text", "wanted"), [("a  b\nc", "a b c"), ("x" * 90, "x" * 9 + "…")])
def test_one_line(text: str, wanted: str) -> None:
    assert one_line(text, 10) == wanted
