"""Evidence checked against the passages: quotes are found, names stand where they are said to."""

from __future__ import annotations

import re

from assistant.errors import GraphError
from assistant.thoughts.changes import Author
from assistant.thoughts.extraction.types import Source
from assistant.thoughts.model import MAX_TEXT, Evidence, normal_form
from assistant.thoughts.operations import AddFact, Quoted


def grounded(
    operation: AddFact, passages: dict[str, Source], author: Author
) -> tuple[Evidence, ...]:
    """The operation's evidence, with the place of each quote.

    Of a model nothing is taken on trust: every piece must be a quote from a passage at hand, and
    the passage's text or title must have the names of both ends. Others may also point at passages
    that are not at hand; a quote from one that is must be in it all the same.

    Raises:
        GraphError: it does not hold, and why.
    """
    return tuple(_evidence(quoted, operation, passages, author) for quoted in operation.evidence)


def _evidence(
    quoted: Quoted, operation: AddFact, passages: dict[str, Source], author: Author
) -> Evidence:
    if quoted.kind != "passage":
        if author == "model":
            raise GraphError(f"a model cannot speak for a {quoted.kind}", remedy="quote a passage")
        return Evidence(quoted.kind, quoted.source, quoted.quote)
    passage = passages.get(quoted.source)
    if author == "model":
        if passage is None:
            raise GraphError(f"there is no passage {quoted.source[:80]!r} to quote from")
        if not quoted.quote.strip():
            raise GraphError("the quote is missing", remedy="quote the sentence that says it")
        for thing in (operation.subject, operation.object):
            if not mentions(passage, thing.name):
                raise GraphError(
                    f"passage {passage.id[:80]} does not mention {thing.name[:80]!r}",
                    remedy="use the names that stand in the passage",
                )
    if passage is None:
        return Evidence("passage", quoted.source, quoted.quote, quoted.start, quoted.end)
    start, end = _place(quoted, passage)
    return Evidence("passage", passage.id, passage.text[start:end][:MAX_TEXT], start, end)


def mentions(passage: Source, name: str) -> bool:
    """Whether the passage's text, title or headings have the name, in its normal form."""
    wanted = f" {normal_form(name)} "
    places = (passage.text, passage.title, *passage.headings)
    return any(wanted in f" {normal_form(place)} " for place in places if place.strip())


def _place(quoted: Quoted, passage: Source) -> tuple[int, int]:
    """Where the quote is in the passage's text; white space may differ."""
    text = passage.text
    if quoted.end:
        start, end = quoted.start, quoted.end
        if not start < end <= len(text):
            raise GraphError(f"passage {passage.id[:80]} has no characters {start} to {end}")
        if quoted.quote.split() and quoted.quote.split() != text[start:end][:MAX_TEXT].split():
            raise GraphError(f"characters {start} to {end} are not the quote")
        return start, end
    words = quoted.quote.split()
    if not words:
        return 0, 0
    found = re.search(r"\s+".join(map(re.escape, words)), text)
    if found is None:
        raise GraphError(
            f"the quote is not in passage {passage.id[:80]}", remedy="quote word for word"
        )
    return found.span()
