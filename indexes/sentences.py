"""Where sentences begin and end, by rules.

A statistical splitter would load a model of hundreds of megabytes and be a hundred times slower;
answers and citations need sentences of every passage that is found. The rules know what ends a
line (paragraphs, lists, tables, headings, code), what a full stop is in other scripts, and which
full stops of English end nothing ("Dr.", "e.g.", "U.S.", "Fig. 3", "J. Smith", "3.14").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

MAX_CHARS = 600
"""Longest sentence; what is longer is cut at a comma or a space."""

Span = tuple[int, int]

_CLOSERS = "\"'”’»›)\\]}）】」』》〉"
_OPENERS = "\"'“‘„«‹([{（【「『《〈*_`#—–•\\-"
_STOP = re.compile(
    # Latin stops need white space behind them, others do not: "3.14", "example.org" have no stop.
    rf"(?P<latin>[.!?…]+)(?:[{_CLOSERS}]|\[\d{{1,3}}\])*(?=\s|$)"
    rf"|(?P<other>[。！？｡．।॥؟۔።։។]+)[{_CLOSERS}]*"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# After these a full stop never ends a sentence.
_NEVER = _words(
    "dr mr mrs ms mme prof rev hon gen col lt sgt capt st mt ft vs cf viz e.g i.e eg ie ca approx "
    "resp incl excl dept univ assn bros gov pres rep sen messrs ed eds trans "
    "z.b d.h bzw usw u.a m.e p.ex"
)
# After these a full stop ends a sentence unless a number follows ("No. 5", "Fig. 2a", "p. 12").
_BEFORE_NUMBER = _words(
    "no nos nr fig figs eq eqs sec secs ch chap vol vols art arts tab ref refs p pp par ex app "
    "jan feb mar apr jun jul aug sep sept oct nov dec § ver v"
)
# After these a full stop ends a sentence only where the next word plainly begins one.
_SOMETIMES = _words("etc inc ltd co corp jr sr al a.m p.m am pm ph.d m.d b.a m.a esq")
_STARTERS = _words(
    "the this that these those it its he she we they you i his her their our my there here in on "
    "at by for from with without a an and but or so if when while after before since because "
    "although though however therefore moreover then thus also as to what who where why how which "
    "some many most all each both no not one two see use using during under according today"
)
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")  # U.S, e.g, a.m
_LAST_WORD = re.compile(r"[^\W_](?:[\w.'’§-]*[^\W_])?$|§$")
_NUMBERING = re.compile(r"\s*[(\[]?(?:\d{1,3}|[a-zA-Z]|[ivxlcIVXLC]{1,5})(?:\.\d{1,3})*$")
_NEXT_WORD = re.compile(rf"[\s{_OPENERS}]*(\S*)")

_LIST_ITEM = re.compile(r"\s*(?:[-*+•‣◦▪·–—]\s|\(?(?:\d{1,3}|[a-zA-Z])[.)]\s)")
_LINE_ALONE = re.compile(  # headings, tables, rules, field lists, block markup
    r"\s*(?:#{1,6}\s|\||[=\-~^_*+]{3,}\s*$|:\w[\w ]*:|```|~~~|>\s)|[^\t|]*(?:\s\|\s|\t)"
)
_CODE = re.compile(
    r"\s*(?:>>>|\.\.\.\s|\$\s|@\w|#!|//|/\*|(?:def|class|import|return|async|await|raise|yield|"
    r"elif|else:|try:|const|let|var|func|public|private|static)\b[ :(]|from\s+[\w.]+\s+import\b"
    r"|(?:for|while|if|with)\s.*:\s*$)"
)
_CODE_WITHIN = re.compile(r"^\s*[\w.\[\]\"', ]+\s?[-+*/|:]?=\s?\S|\)\s->\s|\s=>\s|^[\w.]+\(.*\)$")
_CODE_ENDS = ";{}\\([="
_SHORT_LINE = 45
"""A line shorter than this before a capital letter is a heading or an entry, not wrapped prose."""


def split_sentences(text: str) -> list[Span]:
    """Character spans of the sentences of `text`, in order.

    Spans do not overlap, begin and end with a character that is not white space, are at most
    `MAX_CHARS` long, and together cover every character that is not white space.
    """
    spans: list[Span] = []
    for start, end in _segments(text):
        for sentence in _sentences(text, start, end):
            spans.extend(_cut(text, *sentence))
    return spans


def _segments(text: str) -> Iterator[Span]:
    """Stretches that no sentence crosses: paragraphs of wrapped lines, or single lines."""
    begin, position = 0, 0
    lines = text.splitlines(keepends=True)
    for line, following in pairwise([*lines, ""]):
        position += len(line)
        if not following or not _continues(line, following):
            yield begin, position
            begin = position


def _continues(line: str, following: str) -> bool:
    """Whether `following` goes on with the prose of `line`, which was only wrapped there."""
    bare, after = line.strip(), following.strip()
    if not bare or not after or bare.endswith(":"):
        return False
    if (
        _LIST_ITEM.match(following)
        or _LINE_ALONE.match(following[:200])
        or _LINE_ALONE.match(line[:200])
    ):
        return False
    if _is_code(line) or _is_code(following):
        return False
    return after[0].islower() or len(bare) >= _SHORT_LINE


def _is_code(line: str) -> bool:
    line = line.rstrip()
    head = line[:200]  # the patterns look at every position: keep them off enormous lines
    return line.endswith(tuple(_CODE_ENDS)) or bool(_CODE.match(head) or _CODE_WITHIN.search(head))


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    begin = start
    for stop in _STOP.finditer(text, start, end):
        if _ends(text, begin, stop, end):
            yield begin, stop.end()
            begin = stop.end()
    yield begin, end


def _ends(text: str, begin: int, stop: re.Match[str], end: int) -> bool:
    """Whether a stop ends the sentence that began at `begin`."""
    if stop["other"]:
        return not text.startswith("と", stop.end(), end)  # Japanese: 「…。」と goes on
    following = _NEXT_WORD.match(text, stop.end(), end)
    word = following[1] if following else ""
    if not word:
        return True
    if word[0].islower() and not _looks_like_a_name(word):
        return False
    closed = stop.end() > stop.end("latin")
    if stop["latin"] != "." or closed:
        return True
    before = text[max(begin, stop.start() - 40) : stop.start()]
    if stop.start() - begin <= 8 and _NUMBERING.match(text[begin : stop.start()]):
        return False  # "1. First step": the number belongs to what it counts
    last = _LAST_WORD.search(before)
    return _ends_after(last[0] if last else "", word)


def _ends_after(last: str, word: str) -> bool:
    """Whether a single full stop between the words `last` and `word` ends a sentence."""
    known = last.casefold()
    if known in _NEVER:
        return False
    if known in _BEFORE_NUMBER:
        return not (word[0].isdigit() or re.fullmatch(r"(?!I\b)[ivxIVX]+[.,;:)]?", word))
    begins = word.rstrip(",.;:!?").casefold() in _STARTERS
    if known in _SOMETIMES or _DOTTED.fullmatch(last):
        return begins
    if len(last) == 1 and last.isupper():  # an initial: "J. Smith", not "vitamin C. It"
        return begins
    return True


def _looks_like_a_name(word: str) -> bool:
    """A word that begins small but may begin a sentence: `iPhone`, `np.array`, `my_function()`."""
    return bool(re.search(r"[A-Z_(\d]|\w\.\w", word[1:]))


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    """The span without white space around it, in pieces of at most `MAX_CHARS`."""
    while True:
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        end = start + len(piece.strip())
        if start >= end:
            return
        if end - start <= MAX_CHARS:
            yield start, end
            return
        at = _cutting_place(text, start, start + MAX_CHARS)
        yield start, start + len(text[start:at].rstrip())
        start = at


def _cutting_place(text: str, start: int, limit: int) -> int:
    """The best place to cut in the second half of `start..limit`."""
    middle = start + MAX_CHARS // 2
    for pattern in (r"[;:,、，；：](?=\s)|[、，；：]", r"\s"):
        places = [found.end() for found in re.finditer(pattern, text[middle:limit])]
        if places:
            return middle + places[-1]
    return limit
