"""The words for how knowledge is given to a reader. Imports nothing: settings read it."""

from __future__ import annotations

from typing import Literal

# Sentences of passages, facts of the graph of thoughts, or both. Which is better depends on data
# and model ("graph vs. sequence"), so docs/answering.md measures it.
KnowledgeForm = Literal["passages", "triples", "both"]
KNOWLEDGE_FORMS: tuple[KnowledgeForm, ...] = ("passages", "triples", "both")

# A text that a model prepared beforehand from a passage, after the number of that passage.
Prepared = tuple[int, str]

# How long a model's answer is.
Length = Literal["short", "normal", "long"]
LENGTHS: tuple[Length, ...] = ("short", "normal", "long")

# In which language a model answers; "auto": in that of the documents.
AnswerLanguage = Literal[
    "auto", "en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "tr", "ar", "zh", "ja", "ko"
]
# By ISO 639-1 code: the name in a prompt, and the language's own.
LANGUAGES: dict[AnswerLanguage, tuple[str, str]] = {
    "en": ("English", "English"),
    "de": ("German", "Deutsch"),
    "fr": ("French", "Français"),
    "es": ("Spanish", "Español"),
    "it": ("Italian", "Italiano"),
    "pt": ("Portuguese", "Português"),
    "nl": ("Dutch", "Nederlands"),
    "pl": ("Polish", "Polski"),
    "ru": ("Russian", "Русский"),
    "tr": ("Turkish", "Türkçe"),
    "ar": ("Arabic", "العربية"),
    "zh": ("Chinese", "中文"),
    "ja": ("Japanese", "日本語"),
    "ko": ("Korean", "한국어"),
}
