"""Cutting documents into passages along their structure.

    document ─ sections (runs of blocks under one heading, on one page)
             ─ passages: neighbouring blocks of a section, packed up to the size;
                         small sibling sections in one passage, their headings kept in the text;
                         a block that is too long in pieces, cut at sentences

A passage never reaches over a top heading or a page, so its heading path and its page are true
for all of it. There is no overlap: title and heading path go into what is encoded, which serves
the same end and costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import groupby

import semchunk

from indexes.documents import Block, Document, Passage, content_hash

_VERSION = 2  # raise when the rules below, or the text that readers make, change
_CHARS_PER_WORD = 12  # bounds passages of hashes, rules and long identifiers
_IDEOGRAPHS = r"\u2e80-\u31ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[{_UNSPACED}]{{1,4}}|[^\W{_IDEOGRAPHS}{_UNSPACED}]{{1,20}}")
_LONE_NEWLINE = re.compile(r"(?<![\n:])\n(?=[^\s\-*+•|#>\d])")


def count_words(text: str) -> int:
    """The size of a text in words; an ideograph counts as one."""
    return max(len(_WORD.findall(text)), -(-len(text) // _CHARS_PER_WORD))


@dataclass(frozen=True, slots=True)
class _Section:
    """Neighbouring blocks with one heading path, on one page. `start` includes its heading."""

    headings: tuple[str, ...]
    start: int
    blocks: tuple[Block, ...]

    @property
    def end(self) -> int:
        return self.blocks[-1].end

    @property
    def is_prose(self) -> bool:
        return all(block.kind in ("text", "list") for block in self.blocks)


class Chunker:
    """Cuts documents into passages.

    Args:
        max_words: longest passage; 160 words and their title fit into 256 tokens of an encoder.
        small_words: sections up to this size may share a passage with small siblings.
    """

    def __init__(self, max_words: int = 160, small_words: int = 30) -> None:
        if max_words < 8 or small_words < 0:
            raise ValueError("a passage has at least 8 words")
        self.max_words = max_words
        self.small_words = small_words

    @property
    def fingerprint(self) -> str:
        """Equal fingerprints cut equal documents into equal passages."""
        return (
            f"structure-{_VERSION} max_words={self.max_words} small_words={self.small_words} "
            f"semchunk={version('semchunk')}"
        )

    def split(self, document: Document) -> list[Passage]:
        """The passages of a document, in the order of its text.

        Each passage's text is exactly `document.text[start:end]`; every character of a block that
        is neither a heading nor white space is in one passage; no passage but one of kind
        "passage" has more than `max_words` words; ids are unique within the document.
        """
        if len(document.blocks) == 1 and document.blocks[0].kind == "passage":
            return [_passage(document, document.blocks[0], document.id)]
        passages: list[Passage] = []
        ids: dict[str, int] = {}
        for block in self._pieces(document):
            digest = content_hash(document.text[block.start : block.end])[:8]
            name = f"{document.id}-{digest}"
            ids[name] = ids.get(name, 0) + 1
            passages.append(
                _passage(document, block, name if ids[name] == 1 else f"{name}-{ids[name]}")
            )
        return passages

    def _pieces(self, document: Document) -> Iterator[Block]:
        """The passages as blocks, without white space at either end, none empty."""
        sections = _sections(document)
        for group in self._groups(document.text, sections):
            if len(group) == 1:
                pieces = self._pack(document.text, group[0].blocks)
            else:
                first = group[0].blocks[0]
                whole = Block(group[0].start, group[-1].end, group[0].headings[:-1], first.page)
                pieces = iter([whole])
            for piece in pieces:
                stripped = _strip(document.text, piece)
                if stripped.start < stripped.end:
                    yield stripped

    def _groups(self, text: str, sections: Sequence[_Section]) -> Iterator[list[_Section]]:
        """Sections one by one, except small siblings, which come together."""
        group: list[_Section] = []
        for section in sections:
            if group and not self._may_join(text, group, section):
                yield group
                group = []
            group.append(section)
        if group:
            yield group

    def _may_join(self, text: str, group: list[_Section], section: _Section) -> bool:
        last = group[-1]
        return (
            len(section.headings) > 1
            and section.headings[:-1] == last.headings[:-1]
            and section.blocks[0].page == last.blocks[-1].page
            and last.start < last.blocks[0].start  # both bring their heading
            and section.start < section.blocks[0].start
            and last.is_prose
            and section.is_prose
            and count_words(text[last.start : last.end]) <= self.small_words
            and count_words(text[section.start : section.end]) <= self.small_words
            and count_words(text[group[0].start : section.end]) <= self.max_words
        )

    def _pack(self, text: str, blocks: Iterable[Block]) -> Iterator[Block]:
        """Join a section's blocks up to the size."""
        packed: list[Block] = []
        for block in blocks:
            if block.kind in ("row", "passage"):  # each stands alone
                yield from _joined(packed)
                packed = []
                yield from [block] if block.kind == "passage" else self._cut(text, block)
                continue
            if count_words(text[block.start : block.end]) > self.max_words:
                packed, introduction = self._introduction(text, packed, block)
                yield from _joined(packed)
                *pieces, last = self._cut(text, block, introduction)
                yield from pieces
                packed = [last] if block.kind in ("text", "list") and not introduction else []
                if not packed:
                    yield last
                continue
            if packed and count_words(text[packed[0].start : block.end]) > self.max_words:
                packed, kept = self._carry(text, packed, block)
                yield from _joined(packed)
                packed = kept
            packed.append(block)
        yield from _joined(packed)

    def _carry(
        self, text: str, packed: list[Block], following: Block
    ) -> tuple[list[Block], list[Block]]:
        """A closing "… as follows:" goes with the list or code that it announces."""
        announces = text[packed[-1].start : packed[-1].end].rstrip().endswith(":")
        fits = count_words(text[packed[-1].start : following.end]) <= self.max_words
        if len(packed) > 1 and announces and fits:
            return packed[:-1], packed[-1:]
        return packed, []

    def _introduction(
        self, text: str, packed: list[Block], following: Block
    ) -> tuple[list[Block], Block | None]:
        """A short closing "… as follows:" is taken off for the long list that it introduces."""
        if not packed or following.kind != "list" or packed[-1].kind != "text":
            return packed, None
        closing = text[packed[-1].start : packed[-1].end].rstrip()
        if closing.endswith(":") and count_words(closing) <= self.max_words // 2:
            return packed[:-1], packed[-1]
        return packed, None

    def _cut(self, text: str, block: Block, introduction: Block | None = None) -> list[Block]:
        """The block in pieces of about equal size; one piece where it is short enough.

        An introduction is in the first piece, and its last line is a heading of the others.
        """
        header = ""
        if introduction is not None:
            header = text[introduction.start : introduction.end].strip().rsplit("\n", 1)[-1][-200:]
            block = replace(block, start=introduction.start)
        content = text[block.start : block.end]
        if introduction is not None:  # no empty line to cut at before the first point
            gap = introduction.end - introduction.start
            content = content[:gap] + content[gap:].replace("\n\n", "\n ", 1)
        words = count_words(content)
        if words <= self.max_words:
            return [block]
        if block.kind == "text":  # same length, so the offsets hold
            content = _LONE_NEWLINE.sub(" ", content)
        spans = _equal_pieces(content, words, self.max_words)
        headings = block.headings
        cut = []
        for start, end in spans:
            cut.append(
                replace(block, start=block.start + start, end=block.start + end, headings=headings)
            )
            if block.kind == "table":  # the pieces below the first lack the column names
                header = content.strip().split("\n", 1)[0][:200]
            if header:
                headings = (*block.headings, header.strip())
        return cut


def _equal_pieces(content: str, words: int, max_words: int) -> list[tuple[int, int]]:
    """Spans of as few pieces as possible, the smallest limit first: no crumb at the end."""
    pieces = -(-words // max_words)
    spans: list[tuple[int, int]] = []
    for slack in (1.05, 1.12, 1.25, None):
        size = max_words if slack is None else min(max_words, int(words / pieces * slack) + 1)
        _, spans = semchunk.chunk(content, size, count_words, memoize=False, offsets=True)
        if len(spans) <= pieces or size == max_words:
            break
    return spans


def _sections(document: Document) -> list[_Section]:
    blocks = document.blocks
    if all(block.kind == "heading" for block in blocks):
        blocks = tuple(replace(block, kind="text") for block in blocks)
    sections: list[_Section] = []
    heading: Block | None = None
    for (headings, _, is_heading), run in groupby(
        blocks, key=lambda block: (block.headings, block.page, block.kind == "heading")
    ):
        members = tuple(run)
        if is_heading:
            heading = members[-1]
            continue
        own = heading is not None and headings == (
            *heading.headings,
            document.text[heading.start : heading.end].strip(),
        )
        start = heading.start if heading is not None and own else members[0].start
        sections.append(_Section(headings, start, members))
        heading = None
    return sections


def _joined(blocks: list[Block]) -> Iterator[Block]:
    if blocks:
        yield replace(blocks[0], end=blocks[-1].end)


def _strip(text: str, block: Block) -> Block:
    content = text[block.start : block.end]
    start = block.start + len(content) - len(content.lstrip())
    return replace(block, start=start, end=max(start, start + len(content.strip())))


def _passage(document: Document, block: Block, identity: str) -> Passage:
    return Passage(
        id=identity,
        document_id=document.id,
        text=document.text[block.start : block.end],
        start=block.start,
        end=block.end,
        title=document.title,
        uri=document.uri,
        page=block.page,
        headings=block.headings,
    )
