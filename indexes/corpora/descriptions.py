"""What an installed package says about itself: facts of its metadata, and its description."""

from __future__ import annotations

import re
from importlib.metadata import Distribution

from indexes.corpora.blocks import DocumentBuilder, Parsed, one_line
from indexes.corpora.markdown import add_markdown
from indexes.corpora.rst import add_rst
from indexes.corpora.text import add_paragraphs
from indexes.documents import Block

_RST = re.compile(r"^\.\. |^[=\-~^]{4,}\s*$|::\s*$|`_\b|:\w+:`", re.M)
_MARKDOWN = re.compile(r"^#{1,4} |^```|\]\(http", re.M)
_ADDRESS = re.compile(r"<?\b(?:https?://|www\.)\S+>?")
_LEFT_OUT = re.compile(  # sections that tell nothing about what a package does
    r"(?:change ?logs?|changes|release notes|release history|history|what'?s new|news|sponsors?\b|"
    r"featured sponsors|contributors|acknowledge?ments?|authors?|credits|backers|badges|"
    r"(?:table of )?contents|citations?|citing\b|how to cite|stargazers|star history|"
    r"version \d|v?\d+\.\d+|\d{4}-\d\d-\d\d)",
    re.I,
)
_LESS_WANTED = re.compile(  # left out where a description is cut short
    r"(?:\W*)(?:contribut|develop|support|communit|links?\b|resources|additional resources|"
    r"code of conduct|security|running (?:the )?tests|tests?\b|testing|build|compil|donat|"
    r"getting help|help\b|questions|report|status|documentation$|docs$|license$|copyright|"
    r"project (?:history|resources|links)|roadmap|related|for enterprise|who uses|"
    r"used by|testimonials)",
    re.I,
)
_LONGEST_LICENSE = 80


def media_type_of(distribution: Distribution) -> str:
    """The type that the package declares, else what its description looks like."""
    declared = (distribution.metadata["Description-Content-Type"] or "").partition(";")[0]
    if declared.strip():
        return declared.strip().lower()
    text = _description(distribution)
    if len(_MARKDOWN.findall(text)) > len(_RST.findall(text)):
        return "text/markdown"
    return "text/x-rst" if _RST.search(text) else "text/plain"


def add_description(
    builder: DocumentBuilder, distribution: Distribution, most_words: int | None = None
) -> None:
    """Add a package's summary, facts and description.

    Args:
        most_words: cut the description after the block in which it reaches this many.
    """
    builder.add(_facts(distribution))
    whole = DocumentBuilder(builder.title)
    text = _description(distribution)
    kind = media_type_of(distribution)
    if kind == "text/markdown":
        add_markdown(whole, text)
    elif kind == "text/x-rst":
        add_rst(whole, text)
    else:
        add_paragraphs(whole, text)
    _add_selected(builder, whole.parsed(), most_words)


def raw_metadata(distribution: Distribution) -> str:
    """The metadata file as it is on disk."""
    return distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""


def _description(distribution: Distribution) -> str:
    """The text below the headers, or the header where older metadata keeps it."""
    _, _, body = raw_metadata(distribution).replace("\r\n", "\n").partition("\n\n")
    if body.strip():
        return body
    return re.sub(r"^(?: {8}|\|)", "", distribution.metadata["Description"] or "", flags=re.M)


def _facts(distribution: Distribution) -> str:
    """Summary, version, licence and needs as sentences, so that they can be asked for."""
    about = distribution.metadata
    name, summary = about["Name"], one_line(about["Summary"] or "").rstrip(".")
    facts = [f"{name}: {summary}." if summary else f"{name} is an installed Python package."]
    facts.append(f"The installed version of {name} is {distribution.version}.")
    licence = one_line(about["License-Expression"] or about["License"] or "")
    if not licence or len(licence) > _LONGEST_LICENSE:
        classifiers = [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
        licence = classifiers[0].rpartition(":: ")[2] if classifiers else ""
    if licence:
        facts.append(f"Its license is {licence}.")
    if about["Requires-Python"]:
        facts.append(f"It needs Python {about['Requires-Python']}.")
    needs = [
        re.split(r"[\s;<>=!~\[(]", requirement, maxsplit=1)[0]
        for requirement in distribution.requires or []
        if "extra ==" not in requirement
    ]
    if needs:
        facts.append(f"It depends on {', '.join(dict.fromkeys(needs))}.")
    return " ".join(facts)


def _add_selected(builder: DocumentBuilder, parsed: Parsed, most_words: int | None) -> None:
    """Take over the blocks that tell something, up to `most_words`."""
    left_out = [_LEFT_OUT] if most_words is None else [_LEFT_OUT, _LESS_WANTED]
    words = 0
    for block in parsed.blocks:
        content = parsed.text[block.start : block.end]
        headings = (*block.headings, content) if block.kind == "heading" else block.headings
        if any(pattern.match(heading) for pattern in left_out for heading in headings):
            continue
        if block.kind == "heading":
            builder.heading(len(headings), content)
        elif _says_something(block, content):
            if most_words is not None and words >= most_words:
                return
            builder.add(content, block.kind)
            words += len(content.split())


def _says_something(block: Block, content: str) -> bool:
    """Not only addresses, badges' names or a single word."""
    if block.kind == "code":
        return True
    rest = re.findall(r"[^\W\d_]{2,}", _ADDRESS.sub(" ", content))
    return len(rest) >= 3 or content.rstrip().endswith(":")
