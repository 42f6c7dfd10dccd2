"""Which language a text is in, by the library py3langid (a naive Bayes model over byte n-grams)."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

UNKNOWN = ""
_LOOKED_AT = 1200  # characters: more changes nothing and costs time
_SHORTEST = 16  # bytes of letters
_SURE = 0.5
# Written alike; what is searched with a word list of Chinese is found in all of them.
_ALIKE = {"wuu": "zh", "yue": "zh", "pcm": "en"}
_lock = threading.Lock()


def language_of(text: str) -> str:
    """The ISO 639-1 code of the text's language; `UNKNOWN` where a guess would be idle.

    Short texts, lists of names and code have no language that a model could be sure of.
    """
    sample = " ".join(text[: 4 * _LOOKED_AT].split())[:_LOOKED_AT]
    letters = "".join(character for character in sample if character.isalpha())
    if len(letters.encode("utf-8", "ignore")) < _SHORTEST:
        return UNKNOWN
    with _lock:  # the model keeps scratch arrays
        code, probability = _identifier().classify(sample)
    return _ALIKE.get(str(code), str(code)) if probability >= _SURE else UNKNOWN


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
