"""Documentation of installed packages: the real ones of this environment, and small ones."""

import sys
from pathlib import Path

import pytest

from indexes.chunking import Chunker
from indexes.corpora import PackageSource, open_source
from indexes.corpora.blocks import DocumentBuilder
from indexes.corpora.docstrings import add_docstrings, has_docstrings
from indexes.documents import Document, Entry, ReadFailure
from tests.fast.corpora.helpers import blocks_of, check


@pytest.fixture(scope="module")
def starter() -> list[Document]:
    entries = list(open_source("packages:starter").entries())
    assert all(isinstance(entry, Entry) for entry in entries)
    return [entry.load() for entry in entries if isinstance(entry, Entry)]


def test_the_starter_library_is_as_large_as_a_first_run_bears(starter):
    passages = [passage for document in starter for passage in Chunker().split(document)]
    assert 800 <= len(passages) <= 1300
    assert len({passage.id for passage in passages}) == len(passages)
    assert len({document.uri for document in starter}) == len(starter)


def test_the_own_description_comes_first(starter):
    assert starter[0].uri == "package:knowledge-assistant"
    assert "private assistant" in starter[0].text


def test_every_starter_document_says_something(starter):
    for document in starter:
        check(document)
        assert Chunker().split(document), document.uri
        assert "<img" not in document.text
        assert "shields.io" not in document.text


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("package:httpx", "HTTP"),
        ("package:httpx", "Its license is BSD-3-Clause"),
        ("package:networkx#networkx.algorithms.link_analysis.pagerank_alg", "rank web pages"),
        ("package:networkx#networkx.algorithms.coloring.greedy_coloring", "coloring"),
    ],
)
def test_questions_that_people_ask_have_their_answer_in_it(starter, uri, words):
    (document,) = [document for document in starter if document.uri == uri]
    assert words in document.text


def test_named_packages_bring_every_public_module():
    entries = list(PackageSource("httpx").entries())
    uris = [entry.uri for entry in entries]
    assert uris[0] == "package:httpx"
    assert all("#" not in uri or "._" not in uri for uri in uris)


def test_fingerprints_stay_while_nothing_changes():
    first = [(e.uri, e.fingerprint) for e in PackageSource("typer").entries()]
    assert first == [(e.uri, e.fingerprint) for e in PackageSource("typer").entries()]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package, findable by its metadata, that must never be imported."""
    files = {
        "tiny_pkg/__init__.py": '"""A tiny package."""\nraise RuntimeError("imported")\n',
        "tiny_pkg/deep/inner.py": 'def run(x, *, y=2):\n    """Run it."""\n',
        "tiny_pkg/silent.py": "VALUE = 1\n",
        "tiny_pkg/_private.py": '"""Private."""\n',
        "tiny_pkg/tests/test_it.py": '"""Tests."""\n',
        "tiny_pkg/_vendor/other.py": '"""Vendored."""\n',
        "tiny_pkg/broken.py": '"""Broken."""\ndef (:\n',
        "tiny_pkg-1.0.dist-info/METADATA": (
            "Metadata-Version: 2.1\nName: Tiny.Pkg\nVersion: 1.0\nSummary: Does little\n"
            "License-Expression: MIT\nRequires-Dist: numpy>=2\nRequires-Dist: x; extra == 'dev'\n"
            "Description-Content-Type: text/markdown\n\n# Tiny\n\n[![b](https://a/badge.svg)](x)\n\n"
            "It does one thing well.\n\nhttps://example.org\n\n## Changelog\n\n- 1.0: first release\n"
        ),
    }
    record = "".join(f"{name},,\n" for name in files)
    files["tiny_pkg-1.0.dist-info/RECORD"] = record
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_package_is_read_and_never_imported(package):
    items = list(open_source("packages:tiny_pkg").entries())
    documents = {item.uri: item.load() for item in items if isinstance(item, Entry)}
    assert list(documents) == [
        "package:tiny-pkg",
        "package:tiny-pkg#tiny_pkg",
        "package:tiny-pkg#tiny_pkg.deep.inner",
    ]
    (failure,) = [item for item in items if isinstance(item, ReadFailure)]
    assert failure.uri == "package:tiny-pkg#tiny_pkg.broken"
    assert "is not Python" in failure.reason
    assert "tiny_pkg" not in sys.modules
    assert blocks_of(documents["package:tiny-pkg"]) == [
        (
            "text",
            "Tiny.Pkg: Does little. The installed version of Tiny.Pkg is 1.0. "
            "Its license is MIT. It depends on numpy.",
            (),
        ),
        ("heading", "Tiny", ()),
        ("text", "It does one thing well.", ("Tiny",)),
    ]


def test_a_new_version_has_another_fingerprint(package):
    before = {e.uri: getattr(e, "fingerprint", "") for e in PackageSource("tiny-pkg").entries()}
    metadata = package / "tiny_pkg-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 1.1"))
    after = {e.uri: getattr(e, "fingerprint", "") for e in PackageSource("tiny-pkg").entries()}
    assert [uri for uri in before if before[uri] != after[uri]] == ["package:tiny-pkg"]


SOURCE = b'''\
"""Shapes.

What this module is for, in more words than a title would have, so that it stays a paragraph.
"""
__all__ = ["Circle", "area"]

class Circle:
    """A round shape."""

    def grow(self, by: float = 1.0) -> None:
        """Make it larger.

        Parameters
        ----------
        by : float
            How much.

        >>> Circle().grow(2)
        """

    def _hidden(self):
        """Hidden."""

@overload
def area(shape: int): ...
def area(shape, *, unit="cm"):
    """The area of a shape."""

def unlisted():
    """Not in __all__."""
'''


def test_docstrings_of_public_objects_only():
    builder = DocumentBuilder("")
    add_docstrings(builder, SOURCE, "shapes")
    sections = [
        (headings[1:], text)
        for kind, text, headings in blocks_of(builder.parsed())
        if kind != "heading"
    ]
    assert sections == [
        ((), "Shapes."),
        (
            (),
            "What this module is for, in more words than a title would have, so that it stays a "
            "paragraph.",
        ),
        (("Circle",), "A round shape."),
        (("Circle.grow",), "Circle.grow(by=1.0)"),
        (("Circle.grow",), "Make it larger."),
        (("Circle.grow",), "Parameters:"),
        (("Circle.grow",), "by (float): How much."),
        (("Circle.grow",), ">>> Circle().grow(2)"),
        (("area",), "area(shape, *, unit='cm')"),
        (("area",), "The area of a shape."),
    ]


def test_a_short_summary_becomes_the_title():
    builder = DocumentBuilder("")
    add_docstrings(builder, b'"""\n=====\nTools\n=====\n"""\ndef f():\n    """Do."""\n', "a.tools")
    assert builder.parsed().title == "a.tools: Tools"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (b"x = 1", False),
        (b'X = """text"""', False),
        (b'def _f():\n    """Hidden."""', False),
        (b'"""Module."""', True),
        (b"class A:\n    def f(self):\n        '''Doc.'''", True),
    ],
)
def test_whether_a_module_documents_anything(source, found):
    assert has_docstrings(source) is found
