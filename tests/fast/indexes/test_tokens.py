"""What a text is cut into: words, identifiers, pairs of characters; and stems by language."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.lexical.languages import language_code, stems
from indexes.lexical.tokens import Tokenizer, identifiers, words


def extras(text: str) -> list[str]:
    return Tokenizer().tokens(text).extras


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("error E0308:", "e0308"),
        ("(ERR_CONN_RESET)", "err_conn_reset"),
        ("since v2.13.0.", "v2.13.0"),
        ("GPT-4, or", "gpt-4"),
        ("an AC-130J flew", "ac-130j"),
        ("at 192.168.0.1:8080;", "192.168.0.1:8080"),
        ("write to Me.Too@home.example.org!", "me.too@home.example.org"),
        ("in ~/src/app/main.py", "~/src/app/main.py"),
        ("C:\\Users\\me", "c:\\users\\me"),
        ("https://a.org/x_1", "https://a.org/x_1"),
        ("std::vector<int>", "std::vector"),
        ("call numpy.linalg.solve()", "numpy.linalg.solve"),
        ("my_function(x)", "my_function"),
        ("getUserName()", "getusername"),
        ("in C++ or C#", "c++"),
        ("in C++ or C#", "c#"),
        ("with --dry-run,", "--dry-run"),
        ("使用GPT-4模型", "gpt-4"),
        ("ＧＰＴ－４", "gpt-4"),
    ],
)
def test_identifiers_are_kept_whole(text: str, whole: str) -> None:
    assert f"={whole}" in extras(text)


@pytest.mark.parametrize(
    "prose",
    [
        "A well-known and/or plain sentence. It ends here, in 2013!",
        "«Don't», he said: 5 o'clock.",
        "Größe und Maß",
        "Yes—or no? (Perhaps.)",
    ],
)
def test_prose_has_no_identifiers(prose: str) -> None:
    assert [token for token in extras(prose) if token.startswith("=")] == []


def test_parts_of_names_and_names_inside_paths() -> None:
    assert extras("parseHTTPResponse") == ["=parsehttpresponse", "parse", "http", "response"]
    assert extras("max_row_count") == ["=max_row_count", "max", "row", "count"]
    assert "=main.py" in extras("/srv/app/main.py")
    assert "=home.example.org" in extras("me@home.example.org")


def test_words_keep_their_order_and_stop_words() -> None:
    assert words("To be, or NOT to be") == ["to", "be", "or", "not", "to", "be"]
    assert words("東京都 Tokyo") == ["東", "京", "都", "tokyo"]
    assert words("हिन्दी भाषा") == ["हिन्दी", "भाषा"]  # marks are part of their word


def test_scripts_without_spaces_have_pairs() -> None:
    assert extras("東京都は") == ["東京", "京都", "都は"]
    assert extras("한국어") == ["한국", "국어"]
    assert "ภา" in extras("ภาษาไทย")


def test_accents_are_kept_and_folded_beside() -> None:
    found = Tokenizer().tokens("Café Łódź schön")
    assert found.words == ["café", "łódź", "schön"]
    assert found.extras == ["cafe", "lodz", "schon"]


@given(st.text())
def test_equal_texts_in_other_forms_have_equal_tokens(text: str) -> None:
    composed = Tokenizer().tokens(unicodedata.normalize("NFC", text))
    decomposed = Tokenizer().tokens(unicodedata.normalize("NFD", text))
    assert composed == decomposed


@given(st.lists(st.text(max_size=12), max_size=6))
def test_what_was_cut_before_makes_no_difference(texts: list[str]) -> None:
    tokenizer = Tokenizer()
    assert [tokenizer.tokens(text) for text in texts] == [Tokenizer().tokens(t) for t in texts]


@given(st.text())
def test_tokens_hold_no_white_space(text: str) -> None:
    found = Tokenizer().tokens(text)
    assert all(token and not any(c.isspace() for c in token) for token in found.words)
    assert all(token and not any(c.isspace() for c in token) for token in found.extras)


def test_stems_by_language() -> None:
    assert stems(["the", "running", "x"], "en") == ["", "run", ""]
    assert stems(["die", "häuser", "running"], "de") == ["", "haus", "running"]
    assert stems(["maisons", "les"], "fr") == ["maison", ""]
    assert stems(["=running", "e0308s", "東"], "en") == ["=running", "e0308s", "東"]
    assert stems(["running"], "xx") == ["running"]


def test_language_codes() -> None:
    assert [language_code(code) for code in ("pt-BR", "DE", "zh_CN", "", None)] == [
        "pt", "de", "zh", "en", "en",
    ]  # fmt: skip


def test_an_identifier_says_what_it_is_made_of() -> None:
    (found,) = identifiers("getUserName")
    assert (found.whole, found.parts) == ("getusername", ("get", "user", "name"))
