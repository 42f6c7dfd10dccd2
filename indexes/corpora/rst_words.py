"""Words and lists of reStructuredText: without marks, wrapped lines joined."""

from __future__ import annotations

import re

BULLET = re.compile(r"(?:[*+•–-]|\(?(?:\d{1,3}|[a-zA-Z#])[.)])\s+\S")
FIELD = re.compile(r":([\w][^:`]*):(?:\s+|$)(?!`)")
_PARAMETER = re.compile(r"^(?:param|parameter|arg|keyword|ivar|raises)\s+")
_SPACED = re.compile(r"^(\*{0,2}\w[\w, *]*?) : (\S.*)$")  # numpydoc: "name : type"
_TYPED = re.compile(r"^(\*{0,2}\w[\w, *]*?)(?: : (?=\S)|: (?=[a-z{(]))([^:]{1,60}(?<![.:]))$")
_MARKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r":[\w.+:-]+:`~?([^`<]*?)(?:\s*<[^`>]*>)?`"), r"\1"),  # :func:`name <target>`
    (re.compile(r"``(.+?)``"), r"\1"),
    (re.compile(r"!?\[([^\]\n]+)\]\((?:https?:|#|\.|/)[^)\s]*\)"), r"\1"),  # Markdown's links
    (re.compile(r"`([^`<]+?)\s*<[^`>]*>`__?"), r"\1"),  # `text <address>`_
    (re.compile(r"`([^`]+)`_{0,2}"), r"\1"),
    (re.compile(r"(?<![\w*])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"\|(?=[^|]{4})[A-Za-z]\w*(?:[ .-]\w+)*\|_{0,2}"), ""),  # |badge|, but not |V|
    (re.compile(r"\s?\[(?:\d+|#\w*|\*)\]_"), ""),  # footnotes
    (re.compile(r"(?<=\w)__?(?=[\s,.;:)]|$)(?<!\w\w__)"), ""),  # reference_
    (re.compile(r"\\(?=[\s*`|_<>])"), ""),
)


def plain_words(text: str) -> str:
    """Text without inline marks: ``code``, :role:`x`, `link <address>`_, *emphasis*."""
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return text


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip())


def list_text(lines: list[str]) -> str:
    """Items a line each, wrapped lines joined, inner lists indented."""
    items: list[str] = []
    margin = min(indent_of(line) for line in lines if line.strip())
    for line in lines:
        bare = line.strip()
        if not items or BULLET.match(bare) or FIELD.match(bare):
            bare = re.sub(r"^[*+•–](?=\s)", "-", bare)
            bare = FIELD.sub(_field_name, bare, count=1)
            items.append(" " * (indent_of(line) - margin) + bare)
        else:
            items[-1] += f" {bare}"
    return "\n".join(plain_words(item) for item in items)


def definitions_text(lines: list[str]) -> str:
    """`term: definition`, a line each, as in a list of parameters."""
    margin = min(indent_of(line) for line in lines if line.strip())
    deeper = len(lines) > 1 and all(indent_of(line) > margin for line in lines[1:])
    if deeper and lines[0].rstrip().endswith(":"):  # "Args:" and such
        return f"{plain_words(lines[0].strip())}\n{definitions_text(lines[1:])}"
    items: list[list[str]] = []
    for line in lines:
        bare = line.strip()
        if not items or indent_of(line) == margin:
            items.append([bare])
        elif BULLET.match(bare):
            items.append([f"  {bare}"])
        else:
            items[-1].append(bare)
    return "\n".join(plain_words(_defined(term, rest)) for term, *rest in items)


def _defined(term: str, rest: list[str]) -> str:
    term = _TYPED.sub(r"\1 (\2)", term) if rest else _SPACED.sub(r"\1 (\2)", term)
    # A long or unfinished first line is prose with a hanging indent, not a term.
    is_term = rest and len(term) <= 80 and ": " not in term and term[-1] not in ".,:;-"
    return f"{term}{':' if is_term else ''} {' '.join(rest)}".rstrip()


def _field_name(field: re.Match[str]) -> str:
    """`:param x:` names x; `:returns:` names itself."""
    return f"{_PARAMETER.sub('', field[1])}: "
