"""What an adaptation is started with: for how long, who writes questions, which part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import streamlit as st

from app.components.progress import duration
from app.components.teaching import BUDGETS

ADAPT, ESTIMATE, UNDO = "adapt", "estimate adapting", "undo adapting"
ADAPTING = tuple(f"{kind} " for kind in (ADAPT, ESTIMATE, UNDO))
"""How the titles of this work begin; the rest is the index's name."""
PARTS = {"embedder": "the search by meaning", "reranker": "the order of what is found"}
"""The two parts, for people."""
PHASES = {
    "write": "a language model writes questions",
    "mine": "looking for passages that do not answer",
    "time embedder": "trying how fast the search by meaning learns",
    "train embedder": "the search by meaning is learning",
    "encode": "reading all passages anew",
    "time reranker": "trying how fast the ordering learns",
    "train reranker": "the ordering is learning",
    "measure": "measuring the search",
}
"""Words for the stages of an adaptation."""
_NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes:
        budget: as the command takes it.
        teacher: as the command takes it; "none" for nobody.
        only: one of `PARTS`; "" for both.
    """

    budget: str
    teacher: str
    only: str = ""
    seed: int = 0

    def arguments(self, index: str) -> list[str]:
        """The command that adapts so."""
        only = ["--only", self.only] if self.only else []
        seed = ["--seed", str(self.seed)] if self.seed else []
        chosen = ["--budget", self.budget, "--teacher", self.teacher]
        return ["distill", "adapt", index, *chosen, *only, *seed]

    def words(self, teachers: Mapping[str, str]) -> str:
        """`60 min, questions by a-model on this computer, both learn`; not escaped."""
        by = teachers.get(self.teacher, "nobody" if self.teacher == _NOBODY else self.teacher)
        learns = f"{PARTS[self.only]} learns" if self.only else "both learn"
        time = duration(BUDGETS[self.budget]) if self.budget in BUDGETS else self.budget
        return f"{time}, questions by {by}, {learns}"

    @classmethod
    def of_command(cls, arguments: Sequence[str]) -> Choice:
        """What a command of `arguments` was made of."""
        given = dict(pairwise(arguments))
        seed, only = given.get("--seed", "0"), given.get("--only", "")
        return cls(given["--budget"], given["--teacher"], only, int(seed))

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Choice:
        """What unfinished work was asked for."""
        seconds = f"{float(asked['seconds']):g}s"
        return cls(seconds, str(asked["teacher"]), asked["only"] or "", int(asked["seed"]))


def ask_for_choice(index: str, teachers: Mapping[str, str]) -> Choice:
    """Three lists to choose from.

    Args:
        teachers: who could write questions, as the command calls them, with words for a list.
    """
    time, writer, part = st.columns(3)
    budget = time.selectbox(
        "For about",
        list(BUDGETS),
        index=list(BUDGETS).index("1h"),
        format_func=lambda b: duration(BUDGETS[b]),
        key=f"adapt-budget-{index}",
        persist_state="session",
        help="Writing questions and learning keep to it. Measuring takes what it takes.",
    )
    names = [*teachers, _NOBODY]
    teacher = writer.selectbox(
        "Who writes questions",
        names,
        format_func=lambda name: teachers.get(name, "nobody: words of sentences"),
        key=f"adapt-teacher-{index}",
        persist_state="session",
        help="Questions are needed to learn from and to measure with. A language model writes "
        "some for the passages. Without one, a few words of a sentence stand for a question.",
    )
    only = part.selectbox(
        "What learns",
        ["", *PARTS],
        format_func=lambda name: PARTS.get(name, "both"),
        key=f"adapt-part-{index}",
        persist_state="session",
    )
    return Choice(budget, teacher, only)
