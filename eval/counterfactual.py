"""Edited facts as contexts: what a passage says against what the model knows.

The file has rows like MQuAKE's paraphrases (Zhong et al., 2023, arXiv 2305.14795): `edit`, a
sentence that states a changed fact, and `questions`, several ways of asking for it. The thing that
the edit puts in place of the true one is cut out of the sentence by its relation's words.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.errors import UsageError
from eval.collections import sample
from eval.nationalities import as_country
from eval.squad import normalise
from indexes.files import storage_errors

Half = Literal["all", "choosing", "reporting"]

_PLACES = r"(?:city|country|continent)"
_RELATION = re.compile(
    r"(?: is a citizen of | is employed by "
    rf"| (?:worked|was born|died|was founded|is located|was formed) in the {_PLACES} of "
    rf"| was created in the {_PLACES} of | works? in the field of "
    r"| is associated with the sport of | is affiliated with the religion of "
    r"| plays the position of | was (?:founded|created|developed|performed|written|produced) by "
    r"| is married to | speaks the language of | was written in the language of "
    r"| is famous for |'s child is )"
    r"(?P<object>.+)$"
)
_NAMED = re.compile(rf"^The .+ is (?:located in the {_PLACES} of )?(?P<object>.+)$")


@dataclass(frozen=True, slots=True)
class Edit:
    """An edited fact. `object` is what the edit puts in the true one's place."""

    id: str
    statement: str
    object: str
    questions: tuple[str, ...]


def load_edits(
    path: Path, *, half: Half = "all", limit: int | None = None, seed: int = 0
) -> list[Edit]:
    """The edits of a file, one for each thing that is asked for, in random order.

    Args:
        half: constants are chosen on one half and figures reported on the other; which half an
            edit is in follows from its first question (the parity of its MD5 digest), so that two
            edits of one fact are never parted.
        limit: at most so many of the half.

    Raises:
        UsageError: it is no list of such rows.
        StorageError: it cannot be read.
    """
    with storage_errors(path):
        text = path.read_text(encoding="utf-8")
    try:
        rows = [(str(row["edit"]), [str(q) for q in row["questions"]]) for row in json.loads(text)]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is no list of rows with 'edit' and 'questions'",
            remedy="give a file of MQuAKE's paraphrased questions",
        ) from error
    found: dict[str, Edit] = {}
    for statement, questions in rows:
        object_ = edited_object(statement)
        if not object_ or len(set(questions)) < 2 or questions[0] in found:
            continue
        digest = hashlib.md5(questions[0].encode(), usedforsecurity=False).hexdigest()
        if half == "all" or (half == "choosing") == (int(digest, 16) % 2 == 0):
            unique = tuple(dict.fromkeys(questions))
            found[questions[0]] = Edit(digest, f"{statement}.", object_, unique)
    edits = sample(sorted(found.values(), key=lambda edit: edit.id), limit, seed)
    return sorted(edits, key=lambda edit: edit.id)


def edited_object(statement: str) -> str:
    """What an edit's sentence says in the true thing's place; empty where that is not clear."""
    match = _RELATION.search(statement) or _NAMED.match(statement)
    return match["object"].strip(" .") if match else ""


def names_same(answer: str, name: str) -> bool:
    """Whether an answer names a thing: one holds the other's words, in a row, after SQuAD's
    normalisation."""
    said, wanted = f" {normalise(answer)} ", f" {normalise(name)} "
    if not said.strip() or not wanted.strip():
        return False
    return wanted in said or said in wanted


def answers_with(answer: str, name: str) -> bool:
    """Whether an answer names a thing, or the nationality that goes with it."""
    said, wanted = as_country(normalise(answer)), as_country(normalise(name))
    return names_same(answer, name) or (bool(said) and said == wanted)


def beside_the_point(edits: Sequence[Edit]) -> list[Edit]:
    """For each edit another one, whose statement shares neither its object nor its question's
    names: the next one in order that fits; itself where none does."""
    found = []
    for place, edit in enumerate(edits):
        names = _capitalised(" ".join(edit.questions)) | _capitalised(edit.object)
        others = (edits[(place + step) % len(edits)] for step in range(1, len(edits)))
        found.append(next((o for o in others if not names & _capitalised(o.statement)), edit))
    return found


def _capitalised(text: str) -> set[str]:
    words = re.findall(r"\w+", text)
    return {w for w in words if w[:1].isupper()} - {"The", "Which", "What", "Who", "Where", "In"}
