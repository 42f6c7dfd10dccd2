"""The documentation in Python source: docstrings of a module and its public objects.

The source is parsed, never imported: reading a package must not run it.
"""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Iterator

from indexes.corpora.blocks import DocumentBuilder, one_line
from indexes.corpora.rst import add_rst
from indexes.corpora.rst_words import plain_words

_LONGEST_SIGNATURE = 240
_SHORT_SUMMARY = 12  # words
_RULES = re.compile(r"^[=\-*~#]{3,}$", re.M)
_Object = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def add_docstrings(builder: DocumentBuilder, source: bytes, module: str) -> None:
    """Add a module's docstring, then a section for each public class, method and function.

    A short docstring of the module becomes part of the document's title.

    Args:
        source: Python source; its encoding declaration is heeded.
        module: dotted name; begins the top heading.

    Raises:
        SyntaxError, ValueError, RecursionError: it is not Python.
    """
    tree = _parse(source)
    objects = list(_documented(tree))
    summary = ast.get_docstring(tree)
    if not objects and not summary:
        return
    builder.title = module
    brief = one_line(_RULES.sub("", summary or ""))
    if brief and len(brief.split()) <= _SHORT_SUMMARY:  # says what all of it is about
        builder.title = f"{module}: {plain_words(brief).rstrip('.: ')}"
        summary = None
    builder.heading(1, builder.title)
    _add(builder, summary)
    for name, item in objects:
        builder.heading(2, name)
        builder.add(_signature(name, item))
        _add(builder, ast.get_docstring(item))


def has_docstrings(source: bytes) -> bool:
    """Whether `add_docstrings` would find anything.

    Raises:
        SyntaxError, ValueError, RecursionError: it is not Python.
    """
    if b'"""' not in source and b"'''" not in source:
        return False
    tree = _parse(source)
    return bool(ast.get_docstring(tree)) or next(_documented(tree), None) is not None


def _parse(source: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's strings
        return ast.parse(source)


def _add(builder: DocumentBuilder, docstring: str | None) -> None:
    if docstring:
        add_rst(builder, inspect.cleandoc(docstring), level=2, sections=False)


def _documented(tree: ast.Module) -> Iterator[tuple[str, _Object]]:
    exported = _exported(tree)
    seen: set[str] = set()
    for item in tree.body:
        if not isinstance(item, _Object) or item.name in seen:
            continue  # of overloads and variants the first
        if not _is_public(item.name) or (exported and item.name not in exported):
            continue
        if ast.get_docstring(item):
            seen.add(item.name)
            yield item.name, item
        if isinstance(item, ast.ClassDef):
            for member in item.body:
                name = getattr(member, "name", "")
                full = f"{item.name}.{name}"
                if not isinstance(member, _Object) or not _is_public(name) or full in seen:
                    continue
                if ast.get_docstring(member):
                    seen.add(full)
                    yield full, member


def _is_public(name: str) -> bool:
    return bool(name) and not name.startswith("_")


def _exported(tree: ast.Module) -> frozenset[str]:
    """The names in a literal `__all__`; empty where there is none."""
    for item in tree.body:
        if isinstance(item, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in item.targets
        ):
            try:
                return frozenset(map(str, ast.literal_eval(item.value)))
            except (ValueError, TypeError):
                return frozenset()
    return frozenset()


def _signature(name: str, item: _Object) -> str:
    """`name(arguments)` with defaults, without annotations; nothing for a class."""
    if isinstance(item, ast.ClassDef):
        return ""
    arguments = item.args
    if "." in name and arguments.args and arguments.args[0].arg in ("self", "cls"):
        del arguments.args[0]
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        argument.annotation = None
    for star in (arguments.vararg, arguments.kwarg):
        if star is not None:
            star.annotation = None
    text = f"{name}({ast.unparse(arguments)})"
    return text if len(text) <= _LONGEST_SIGNATURE else f"{text[:_LONGEST_SIGNATURE]}…"
