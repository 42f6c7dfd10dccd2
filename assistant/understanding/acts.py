"""What kind of message it is, by its wording."""

from __future__ import annotations

import re

from assistant.understanding.types import Act
from assistant.understanding.words import content_words

_CHATTER = frozenset(
    """
    ok okay good great nice cool wow oh ah hmm well right sure alright thanks thank thx cheers
    perfect awesome amazing interesting wonderful excellent fine lovely helpful useful really
    hello hi hey bye goodbye morning afternoon evening lot appreciate answer information info
    sounds looks got understood
    """.split()
)
# What asks or requests, with or without a question mark; "what a…" and "how nice" exclaim.
_ASKS = re.compile(
    r"\b(?:what(?! an?\b)|which|who|whom|whose|when|where|why|how(?! \w+\W*$)|tell|give|show|"
    r"explain|more|any|else|examples?|can|could|would|will|should|do|does|did)\b|"
    r"^\W*(?:is|are|was|were|has|have)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?…])\s+")
_FILLER = re.compile(
    r"^\s*(?:(?:ok(?:ay)?|great|nice|good|cool|wow|oh|thanks?(?: you)?(?: (?:so|very) much| a lot)?"
    r"|perfect|awesome|alright|well|hmm)\b[\s,.!:–-]*)+",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"^\s*(?:please\s+)?(remember|memori[sz]e|keep in mind|forget)(?=[\s,:])[\s,:]*"
    r"(?:that\b|about\b)?",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"^\s*(?:no\b[\s,.!]+(?!thanks)(?:i|that|it|not|the|my)\b|actually\b|i (?:meant|mean)\b|"
    r"(?:that|this|it)(?:'s| is| was) (?:wrong|not right|incorrect|not what)|not what i\b|"
    r"you (?:misunderstood|got (?:it|that) wrong))",
    re.IGNORECASE,
)
_ABOUT_ONESELF = re.compile(
    r"^\s*(?:yes\b[\s,.!]*|no\b[\s,.!]*)?(?:i(?:'m|'ve| am| have| live| work| like| love| hate|"
    r" prefer| own| play| don't| do not| can't| cannot| was| used to| usually| study| speak)\b|"
    r"my\b)",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\b(?:looking for|interested in|wondering|curious|want(?:ing)? to|would like|need to know|"
    r"(?:don't|do not) (?:know|understand)|trying to|planning|thinking (?:of|about)|"
    r"have (?:a |some )?questions?)\b",
    re.IGNORECASE,
)
_SHOWN_AGAIN = re.compile(
    r"\b(?:again|repeat|once more|say that|you (?:said|told|mentioned|showed)|your (?:last|first|"
    r"previous|earlier) (?:answer|reply|message)|(?:go|come) back to|earlier|remind me)\b",
    re.IGNORECASE,
)


def act_of(text: str) -> Act:
    """Question, correction, statement about oneself, small talk or command.

    A command is one to the assistant itself ("remember that…", "forget…"); "tell me more" asks.
    When in doubt it is a question: a question that is taken for small talk goes unanswered.
    """
    if told_what_to_keep(text) is not None:
        return "command"
    if (content_words(text) or _FILLER.match(text)) and _is_chatter(text):
        return "small talk"
    if _CORRECTION.match(text):
        return "correction"
    if "?" not in text and _ABOUT_ONESELF.match(text) and not _WISH.search(text):
        return "statement"
    return "question"


def told_what_to_keep(text: str) -> tuple[str, str] | None:
    """("remember" or "forget", what), where the message tells the assistant to; else None."""
    match = _COMMAND.match(text)
    if match is None or "?" in text:
        return None
    what = text[match.end() :].strip().rstrip(".!").strip()
    verb = "forget" if match[1].lower() == "forget" else "remember"
    return (verb, what) if content_words(what) else None


def asks_for_shown(text: str) -> bool:
    """Whether the person wants to see something again that was already shown."""
    return bool(_SHOWN_AGAIN.search(text))


def without_chatter(text: str) -> str:
    """The message without thanks and exclamations; the message itself if nothing else is left."""
    line = " ".join(text.split())
    kept = [
        sentence
        for sentence in _SENTENCES.split(line)
        if not _is_chatter(sentence) or _is_reply(sentence)
    ]
    rest = _FILLER.sub("", " ".join(kept)).strip()
    if not content_words(rest) and _is_chatter(rest) and not _is_reply(rest):
        return line
    return rest[:1].upper() + rest[1:]


def _is_chatter(sentence: str) -> bool:
    """Whether it neither says nor asks anything."""
    if "?" in sentence or _ASKS.search(sentence):
        return False
    return set(content_words(sentence)) <= _CHATTER


def _is_reply(sentence: str) -> bool:
    """ "Yes." and "No." answer a question; they are no chatter."""
    return bool(re.match(r"^\s*(?:yes|no|yeah|nope)\b", sentence, re.IGNORECASE))
