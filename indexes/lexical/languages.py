"""What a word counts as in a language: its Snowball stem, or nothing where it is a stop word.

Stop words are the lists that bm25s ships (Lucene's 33 for English, NLTK's for the others). A
language without a list loses little: words that are everywhere weigh next to nothing in BM25.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

DEFAULT_LANGUAGE = "en"

# ISO 639-1 → Snowball's name. Those that the installed PyStemmer lacks are left unstemmed.
_SNOWBALL = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
_STOP_WORDS = {
    "da": "DANISH",
    "de": "GERMAN",
    "en": "EN",
    "es": "SPANISH",
    "fr": "FRENCH",
    "it": "ITALIAN",
    "nb": "NORWEGIAN",
    "nl": "DUTCH",
    "no": "NORWEGIAN",
    "pt": "PORTUGUESE",
    "ru": "RUSSIAN",
    "sv": "SWEDISH",
    "tr": "TURKISH",
}
VERBATIM = "="  # begins a token that stands for an identifier as a whole; never part of a word


def language_code(language: str | None) -> str:
    """The primary subtag in lower case ("pt-BR" → "pt"); the default for None and ""."""
    code = (language or "").replace("_", "-").split("-")[0].strip().lower()
    return code or DEFAULT_LANGUAGE


def stems(words: Sequence[str], language: str) -> list[str]:
    """The term of each word, "" for one that does not count.

    Identifiers, and words with a digit or an underscore, are kept as they are. Stop words and
    single letters do not count; single characters of scripts without spaces do.
    """
    stemmer, stopped = _stemmer(language), _stop_words(language)
    stemmed = stemmer.stemWords(list(words)) if stemmer else words
    return [_term(word, stem, stopped) for word, stem in zip(words, stemmed, strict=True)]


def _term(word: str, stem: str, stopped: frozenset[str]) -> str:
    if word.startswith(VERBATIM):
        return word
    if word in stopped or (len(word) == 1 and word < "\u0e00"):
        return ""
    if not word.isalpha() and any(letter.isdigit() or letter == "_" for letter in word):
        return word
    return stem or word


def _stemmer(language: str) -> Any:
    """A new stemmer: one must not be shared between threads. None where there is none."""
    import Stemmer

    name = _SNOWBALL.get(language)
    return Stemmer.Stemmer(name) if name in Stemmer.algorithms() else None


@lru_cache(maxsize=64)
def _stop_words(language: str) -> frozenset[str]:
    from indexes.lexical.bm25s_engine import stop_words

    name = _STOP_WORDS.get(language)
    return stop_words(name) if name else frozenset()
