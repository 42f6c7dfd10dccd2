"""Names of code in questions, and lines of passages that say nothing of what they name.

Someone who asks for `st.cache_data` means that name and no other cache; and a signature names what
a question asks for without saying anything of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.events import FoundPassage

# A word with an underscore in it, or names of two letters and more joined by dots: no abbreviation
# ("e.g.", "U.S."), no number. Addresses and names of files are told apart below.
_NAME = re.compile(r"(?<![\w/@.-])(?:[A-Za-z_]\w+\.)*[A-Za-z_]\w+(?![\w/@-])")
_FILE = re.compile(r"\.(?:pdf|txt|md|docx?|odt|rtf|html?|csv|xlsx?|pptx?|jsonl?|ya?ml|toml|py)$")
_SITE = re.compile(r"^www\.|\.(?:com|org|net|edu|gov|io|eu|de|uk)$", re.IGNORECASE)

_ENTRY = re.compile(r"^\[\d+\]\s+\S")
_LIST = re.compile(r"^(?=.*[_.])[A-Za-z_][\w.]*\w(?:,\s*[A-Za-z_][\w.]*\w)+$")
_SIGNATURE = re.compile(
    r"^(?:(?:async )?def |class |@)?[A-Za-z_][\w.]*\s?\([^()]*(?:\([^()]*\)[^()]*)*\)"
    r"(?:\s*->\s*[\w.\[\], |]+)?:?$"
)


def code_names(question: str) -> list[str]:
    """The names of code in a question, each by its last part: `st.cache_data` is `cache_data`."""
    found = []
    for match in _NAME.finditer(question):
        name = match[0]
        if "." in name.strip(".") or "_" in name.strip("_"):
            if _FILE.search(name.lower()) or _SITE.search(name):
                continue
            found.append(name.rsplit(".", maxsplit=1)[-1])
    return list(dict.fromkeys(found))


def naming(question: str, passages: Sequence[FoundPassage]) -> list[FoundPassage]:
    """The passages that hold a name of code that the question asks for; all where it has none."""
    names = code_names(question)
    if not names:
        return list(passages)
    anyone = "|".join(re.escape(name) for name in names)
    pattern = re.compile(rf"(?<!\w)(?:{anyone})(?!\w)", re.IGNORECASE)
    return [p for p in passages if pattern.search(f"{p.title}\n{p.text}")]


def none_names(question: str) -> str:
    """That no passage does, in words."""
    return f"no passage found names {' or '.join(code_names(question))}"


def is_aside(line: str) -> bool:
    """Whether a line stands beside the text: code, or an entry of a list of references.

    Of code what is typed at a prompt of Python, a call or definition and nothing else, and names
    of code one after the other ("See also").
    """
    text = line.strip().strip("`")
    beside = (_SIGNATURE, _ENTRY, _LIST)
    return text.startswith((">>>", "... ")) or any(pattern.match(text) for pattern in beside)
