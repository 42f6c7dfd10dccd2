"""reStructuredText as descriptions and docstrings use it."""

from indexes.corpora.blocks import DocumentBuilder
from indexes.corpora.rst import add_rst, read_rst
from tests.fast.corpora.helpers import blocks_of

DESCRIPTION = """\
=========
The Title
=========

|badge| A paragraph with ``code``, *emphasis*, **strong words**, :func:`~a.b.name`,
a `link <https://example.org>`_ and a footnote [1]_.

.. image:: logo.png
   :alt: logo

.. |badge| image:: https://example.org/badge.svg

Usage
-----

Run this::

    pip install it

    it --help

* first item
  goes on
* second item

.. code-block:: python
   :linenos:

   import it
   it.run()

.. note::

   Mind the gap.

====  ======
Name  Amount
====  ======
tea   3
====  ======

+------+-----+
| a    | b   |
+======+=====+
| one  | two |
+------+-----+

Deeper
~~~~~~

>>> 1 + 1
2

.. [1] Knuth, The Art of
   Computer Programming.
"""


def test_a_description():
    parsed = read_rst(DESCRIPTION.encode(), "README.rst")
    assert parsed.title == "The Title"
    usage, deeper = ("The Title", "Usage"), ("The Title", "Usage", "Deeper")
    assert blocks_of(parsed) == [
        ("heading", "The Title", ()),
        (
            "text",
            "A paragraph with code, emphasis, strong words, a.b.name, a link and a footnote.",
            ("The Title",),
        ),
        ("heading", "Usage", ("The Title",)),
        ("text", "Run this:", usage),
        ("code", "pip install it\n\nit --help", usage),
        ("list", "- first item goes on\n- second item", usage),
        ("code", "import it\nit.run()", usage),
        ("text", "Mind the gap.", usage),
        ("table", "Name | Amount\ntea | 3", usage),
        ("table", "a | b\none | two", usage),
        ("heading", "Deeper", usage),
        ("code", ">>> 1 + 1\n2", deeper),
        ("list", "[1] Knuth, The Art of Computer Programming.", deeper),
    ]


def docstring(text: str) -> list[tuple[str, str]]:
    builder = DocumentBuilder("title")
    add_rst(builder, text, sections=False)
    return [(kind, content) for kind, content, _ in blocks_of(builder.parsed())]


def test_parameters_of_numpydoc_keep_name_and_type():
    text = """\
Find it.

Parameters
----------
G : graph
    The graph, which
    is searched.
*args : tuple, optional
    More.

Returns
-------
bool
    Whether it was found.

Examples
--------
>>> find()
True
"""
    assert docstring(text) == [
        ("text", "Find it."),
        ("text", "Parameters:"),
        ("list", "G (graph): The graph, which is searched.\n*args (tuple, optional): More."),
        ("text", "Returns:"),
        ("list", "bool: Whether it was found."),
        ("text", "Examples:"),
        ("code", ">>> find()\nTrue"),
    ]


def test_arguments_of_google_style_are_lines():
    text = (
        "Find it.\n\nArgs:\n    name (str): The name, which\n        is long.\n    depth: How deep."
    )
    assert docstring(text)[1:] == [
        ("list", "Args:\nname (str): The name, which is long.\ndepth: How deep.")
    ]


def test_fields_lose_their_colons():
    text = ":param name: the name\n:type name: str\n:returns: nothing\n    at all"
    assert docstring(text) == [("list", "name: the name\ntype name: str\nreturns: nothing at all")]


def test_markdown_in_docstrings():
    text = "See the [guide](https://example.org).\n\n## Example\n\n"
    text += "```python\nif x:\n    run()\n```\nDone."
    assert docstring(text) == [
        ("text", "See the guide."),
        ("text", "Example:"),
        ("code", "if x:\n    run()"),
        ("text", "Done."),
    ]


def test_a_lone_heading_word_with_a_colon_is_text():
    assert docstring("Returns:\n    value:\n        deep") == [("list", "Returns:\nvalue:\ndeep")]


def test_bars_of_mathematics_are_no_substitutions():
    text = "It takes $O(|V| + |E|)$ time, (n-1)/(|G|-1), |x - y|; see |Build Status|."
    assert docstring(text) == [
        ("text", "It takes $O(|V| + |E|)$ time, (n-1)/(|G|-1), |x - y|; see .")
    ]
