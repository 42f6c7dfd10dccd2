"""Markdown: structure kept, marks taken off."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.corpora.formats import parse
from indexes.corpora.markdown import read_markdown
from tests.fast.corpora.helpers import blocks_of, check

NOTE = """\
---
title: "My note"
tags: [travel, 2024]
---
Intro with *emphasis*, `code`, a [link](https://example.org/x) and a
wrapped line.<br>Second line &amp; more. ![logo](logo.png) ![the map of the old town](map.png)

# Head *one*

> A quotation
> > inside another

1. first

   with a paragraph
   ```sh
   make app
   ```
2. second
   - inner a
   - inner b

| Name | Amount |
|------|-------:|
| tea  | `3`    |

Under
-----
```python
def f():
    return 1
```

<details><summary>More</summary><p>Hidden <b>text</b></p></details>

<!-- a comment -->
"""


def test_every_kind_of_block_is_kept():
    parsed = read_markdown(NOTE.encode(), "note.md")
    assert parsed.title == "My note"
    one, under = ("Head one",), ("Head one", "Under")
    assert blocks_of(parsed) == [
        ("list", "tags: [travel, 2024]", ()),
        (
            "text",
            "Intro with emphasis, code, a link and a wrapped line.\n"
            "Second line & more. the map of the old town",
            (),
        ),
        ("heading", "Head one", ()),
        ("text", "A quotation", one),
        ("text", "inside another", one),
        (
            "list",
            "1. first\n   with a paragraph\n   make app\n2. second\n   - inner a\n   - inner b",
            one,
        ),
        ("table", "Name | Amount\ntea | 3", one),
        ("heading", "Under", one),
        ("code", "def f():\n    return 1", under),
        ("text", "More", under),
        ("text", "Hidden text", under),
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The title\n\nText.", "The title"),
        ("Text first.\n\n# The only top heading\n\n## Below", "The only top heading"),
        ("## Begins small\n\n## Another", "Begins small"),
        ("# One\n\n# Two", "One"),
        ("Text.\n\n# One\n\n# Two", "file"),
        ("No heading.", "file"),
        ("---\ntitle: 'Given'\n---\n# Heading", "Given"),
    ],
)
def test_titles(text, title):
    assert read_markdown(text.encode(), "file.md").title == title


def test_a_rule_at_the_top_is_not_front_matter_without_an_end():
    parsed = read_markdown(b"---\nText below a rule.\n", "a.md")
    assert [text for _, text, _ in blocks_of(parsed)] == ["Text below a rule."]


@pytest.mark.parametrize("depth", [10, 55, 59, 61, 300])
def test_deep_nesting_loses_no_words(depth):
    quotes = ">" * depth + " innermost quotation"
    items = "".join(f"{'  ' * level}- item{level}\n" for level in range(depth))
    parsed = read_markdown(f"{quotes}\n\n{items}".encode(), "deep.md")
    check(parsed)
    assert "innermost quotation" in parsed.text
    assert all(f"item{level}" in parsed.text for level in range(depth))


_WORD = st.text("abcdefg", min_size=3, max_size=8)
_LINE = st.lists(_WORD, min_size=1, max_size=6).map(" ".join)
_PIECE = st.one_of(
    _LINE,
    _LINE.map("# {}".format),
    _LINE.map("> {}".format),
    st.lists(_LINE, min_size=1, max_size=4).map(lambda lines: "\n".join(f"- {x}" for x in lines)),
    st.lists(_LINE, min_size=1, max_size=4).map(lambda lines: "\n".join(f"3. {x}" for x in lines)),
    _LINE.map("```\n{}\n```".format),
    _LINE.map("<div>{}</div>".format),
    _LINE.map(lambda line: f"| {line} | x |\n|---|---|\n| {line} | y |"),
)


@given(st.lists(_PIECE, min_size=1, max_size=8))
def test_no_word_is_lost(pieces):
    source = "\n\n".join(pieces)
    parsed, _ = parse(source.encode(), "a.md")
    check(parsed)
    wanted = sorted(re.findall(r"[a-g]{3,}", source))
    assert sorted(re.findall(r"[a-g]{3,}", parsed.text)) == wanted
