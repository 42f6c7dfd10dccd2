"""Understanding by a small encoder: which words of the conversation the message leaves unsaid.

Term tagging (QuReTeC, Voskarides et al., 2020, arXiv 2005.11723): nothing is written anew, words of
the conversation are pointed at. So the question is never about something that nobody mentioned, and
a turn costs about a tenth of a second. Acts, chatter and the parts of a question are the rules'.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.distillation.tags.words import by_stem
from assistant.errors import KnowledgeAssistantError
from assistant.understanding.acts import act_of, without_chatter
from assistant.understanding.rules import parts_of
from assistant.understanding.types import (
    REPLIED,
    AspectQuery,
    Message,
    Understander,
    Understanding,
    Way,
    last_answer,
    stood_in,
)

if TYPE_CHECKING:
    from assistant.distillation.tags.model import Tagged, TagModel

# Chosen on the turns of iKAT 2023 (`assistant eval ikat closed --only 2023`); see docs/ikat.md.
THRESHOLD = 0.5
QUESTION_WEIGHT = 0.5  # of the query with the words, the message as it was typed being 1
CONTEXT_WEIGHT = 0.5
MAX_WORDS = 12

# What may stand between two words of one phrase.
_INSIDE = re.compile(r"(?:[\s\-–/'’]|\b(?:s|of|the|for|and|in|on|to|a|an)\b){1,12}", re.IGNORECASE)
_LONGEST_GAP = 10  # characters

_log = logging.getLogger(__name__)


class DistilledUnderstander:
    """A tagger's understanding on top of the rules'.

    Args:
        tagger: gives the loaded model; what it raises is said, and rules stand in.
        rules: understands first messages, and all where there is no tagger.
    """

    way: Way = "distilled"

    def __init__(self, tagger: Callable[[], TagModel], rules: Understander) -> None:
        self._tagger = tagger
        self._rules = rules

    def understand(self, message: str, history: Sequence[Message]) -> Understanding:
        """See `Understander`. A first message stands alone and is not tagged."""
        act = act_of(message)
        if not history or act in REPLIED:
            return self._rules.understand(message, history)
        text = without_chatter(message)
        try:
            tagged = self._tagger().tag(text, history)
        except KnowledgeAssistantError as error:
            _log.warning("the rewriter cannot be used: %s", error)
            return stood_in(self._rules.understand(message, history), error.message)
        carried = carried_words(tagged, history)
        context = last_answer(history)
        weight = CONTEXT_WEIGHT if context else 0.0
        queries = [AspectQuery(text, "as asked", 1.0, context, weight)]
        if carried:
            with_words = f"{text} {' '.join(carried)}"
            queries.append(AspectQuery(with_words, "question", QUESTION_WEIGHT, context, weight))
        return Understanding(
            standalone=f"{text} (about: {', '.join(carried)})" if carried else text,
            queries=(*queries, *parts_of(text)),
            act=act,
            carried=carried,
            way="distilled",
            reason="words of the conversation that it leaves unsaid"
            if carried
            else "nothing of the conversation is missing in it",
        )


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Words that stand together in one message, as they are written there."""

    text: str
    stems: frozenset[str]
    probability: float


def carried_words(
    tagged: Sequence[Tagged], history: Sequence[Message], *, threshold: float = THRESHOLD
) -> tuple[str, ...]:
    """The words that belong to the message as phrases that can be read, likeliest first.

    A word that was said more than once is taken once, out of the phrase that covers most.

    Args:
        tagged: every word of the history with its probability.
        threshold: the least probability of a word.
    """
    best = by_stem([one.word for one in tagged], [one.probability for one in tagged])
    likely = [stem for stem in sorted(best, key=lambda s: -best[s]) if best[stem] >= threshold]
    wanted = set(likely[:MAX_WORDS])
    phrases = _phrases([one for one in tagged if one.word.stem in wanted], history)
    chosen: list[_Phrase] = []
    while wanted:
        new = max(phrases, key=lambda p: (len(p.stems & wanted), -len(p.stems), p.probability))
        chosen.append(new)
        wanted -= new.stems
    chosen.sort(key=lambda phrase: -max(best[stem] for stem in phrase.stems))
    return tuple(phrase.text for phrase in chosen)


def _phrases(tagged: Sequence[Tagged], history: Sequence[Message]) -> list[_Phrase]:
    """Runs of tagged words that stand side by side; newest message first."""
    runs: list[list[Tagged]] = []
    for one in tagged:
        if runs and _joined(runs[-1][-1], one, history):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [
        _Phrase(
            text=" ".join(_text(run, history).split()),
            stems=frozenset(one.word.stem for one in run),
            probability=sum(one.probability for one in run) / len(run),
        )
        for run in runs
    ]


def _text(run: Sequence[Tagged], history: Sequence[Message]) -> str:
    return history[run[0].word.message].content[run[0].word.start : run[-1].word.end]


def _joined(left: Tagged, right: Tagged, history: Sequence[Message]) -> bool:
    if left.word.message != right.word.message or left.word.end > right.word.start:
        return False
    between = history[left.word.message].content[left.word.end : right.word.start]
    return len(between) <= _LONGEST_GAP and _INSIDE.fullmatch(between) is not None
