"""HTML: the main part of a page, its structure, its title."""

import pytest

from indexes.corpora.html import read_html
from tests.fast.corpora.helpers import blocks_of

PROSE = "The library opens at nine in the morning and closes at six in the evening. " * 4
OTHER = "Readers may take four books home, each of them for four weeks at the most. " * 4

PAGE = f"""\
<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Opening hours | City Library</title>
<style>p {{ color: red }}</style><script>var tracking = 1;</script></head>
<body>
<header><a href="/">City Library</a></header>
<nav><ul><li><a href="/a">Books</a></li><li><a href="/b">Events</a></li></ul></nav>
<MAIN>
<h1>Opening hours<a class="headerlink" href="#x">¶</a></h1>
<p>{PROSE}</p>
<h2 id="when">When we are
  closed</h2>
<ul><li>on <b>Sundays</b></li><li>on holidays<ol><li>Easter</li></ol></li></ul>
<table><caption>Hours</caption><tr><th>Day</th><th>Hours</th></tr>
<tr><td>Monday</td><td>9&ndash;18</td></tr></table>
<pre><code>curl https://library.example
  --silent</code></pre>
<dl><dt>Card</dt><dd>needed to borrow</dd></dl>
<p hidden>invisible</p><p style="display: none">invisible too</p>
<p>First line<br/>second line<script>alert(1)</script></p>
</MAIN>
<footer>Copyright</footer>
</body></html>
"""


@pytest.mark.parametrize("tag", ["main", "article", "div role='main'"])
def test_the_main_part_with_its_structure(tag):
    html = PAGE.replace("</MAIN>", f"</{tag.split()[0]}>").replace("<MAIN>", f"<{tag}>")
    parsed = read_html(html.encode(), "hours.html")
    assert parsed.title == "Opening hours"
    top, closed = ("Opening hours",), ("Opening hours", "When we are closed")
    assert blocks_of(parsed) == [
        ("heading", "Opening hours", ()),
        ("text", PROSE.strip(), top),
        ("heading", "When we are closed", top),
        ("list", "- on Sundays\n- on holidays\n  1. Easter", closed),
        ("table", "Hours\nDay | Hours\nMonday | 9–18", closed),
        ("code", "curl https://library.example\n  --silent", closed),
        ("list", "Card: needed to borrow", closed),
        ("text", "First line\nsecond line", closed),
    ]


def test_of_a_page_that_marks_nothing_the_navigation_is_left_out():
    links = "".join(f'<li><a href="/{n}">Section {n}</a></li>' for n in range(30))
    html = f"""<html><head><title>Hours</title></head><body>
    <div id="menu"><ul>{links}</ul></div><nav>Menu</nav>
    <div class="content"><h1>Hours</h1><p>{PROSE}</p><p>{OTHER}</p>
    <pre>make app\nmake test</pre></div>
    <div class="footer"><a href="/imprint">Imprint</a></div><footer>Legal notice</footer>
    </body></html>"""
    parsed = read_html(html.encode(), "a.html")
    assert PROSE.strip() in parsed.text
    assert "Section 7" not in parsed.text
    assert "Legal notice" not in parsed.text
    assert ("code", "make app\nmake test", ("Hours",)) in blocks_of(parsed)


def test_a_plain_document_is_read_whole():
    html = b"<html><body><h1>A</h1><p>Short.</p><div>Bare <i>words</i></div>tail</body></html>"
    parsed = read_html(html, "a.html")
    assert blocks_of(parsed) == [
        ("heading", "A", ()),
        ("text", "Short.", ("A",)),
        ("text", "Bare words", ("A",)),
        ("text", "tail", ("A",)),
    ]


def test_tables_that_lay_out_a_page_are_no_tables():
    html = f"<table><tr><td><h2>News</h2><p>{PROSE}</p></td><td>Side</td></tr></table>"
    kinds = [kind for kind, _, _ in blocks_of(read_html(html.encode(), "a.html"))]
    assert kinds == ["heading", "text", "text"]


def test_the_encoding_is_taken_from_the_page_or_the_server():
    body = "<p>Zażółć gęślą jaźń</p>"
    declared = f"<html><head><meta charset='iso-8859-2'></head><body>{body}</body></html>"
    assert "Zażółć" in read_html(declared.encode("iso8859_2"), "a.html").text
    undeclared = f"<html><body>{body}</body></html>".encode("iso8859_2")
    assert "Zażółć" in read_html(undeclared, "a.html", "iso-8859-2").text
    xhtml = f'<?xml version="1.0" encoding="utf-8"?><html><body>{body}</body></html>'
    assert "Zażółć" in read_html(xhtml.encode(), "a.xhtml").text


def test_deep_nesting_loses_no_words():
    html = "<div>" * 3000 + "<b>innermost</b>" + "</div>" * 3000 + "<p>after</p>"
    text = read_html(html.encode(), "a.html").text
    assert "innermost" in text
    assert "after" in text


def test_the_same_words_in_an_item_and_in_the_list_below_it():
    html = b"<ul><li>tea and tea<ul><li>tea</li></ul> or coffee</li></ul>"
    assert blocks_of(read_html(html, "a.html")) == [
        ("list", "- tea and tea or coffee\n  - tea", ())
    ]
