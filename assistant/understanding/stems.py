"""Words without their most common English endings: enough to see that two texts share them."""

from __future__ import annotations

from assistant.understanding.words import content_words


def stem(word: str) -> str:
    """Drop the most common English endings, so that "builds" meets "building"."""
    for ending in ("ations", "ation", "ingly", "edly", "ings", "ing", "ies", "ed", "es", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def stems(text: str) -> list[str]:
    """Stems of the content words of a text."""
    return [stem(word) for word in content_words(text)]
