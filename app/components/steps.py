"""The steps of a turn in words. Not escaped; nothing here draws."""

from __future__ import annotations

from app.components.growth import Growth
from app.components.text import one_line
from app.components.words import STAGES, counted
from assistant.events import (
    Event,
    EvidenceSelected,
    PassagesFound,
    QueriesWritten,
    StatementsChosen,
    StepDecided,
    ThinkingDone,
)

_ASPECTS = {
    "question": "the question",
    "as asked": "the message as you typed it",
    "part": "a part of it",
    "likely answer": "a likely answer",
    "person": "what you told me",
}
# What a decision while thinking is about, before its reason.
_DECIDED = {
    "look for": "Looked for",
    "known": "Found out",
    "not used": "Not used of what the model wrote",
    "vote": "Another reading",
    "think": "Thinking ended early",
    "leave out": "Left out, as you asked",
}
_LONGEST = 300  # characters of a reason


def step_text(
    event: Event, growth: Growth | None = None, before: PassagesFound | None = None
) -> str:
    """One step in words; nothing for events that are shown otherwise.

    Args:
        growth: of the turn's graph so far; None is an empty one.
        before: what had been found until now.
    """
    if isinstance(event, QueriesWritten):
        return _understood_text(event)
    if isinstance(event, StatementsChosen):
        used = event.statements if event.used_in else ()
        told = " ".join(f"“{statement.text}”" for statement in used)
        return f"What you told me: {told}" if told else ""
    if isinstance(event, PassagesFound):
        return _found_text(event, before)
    if isinstance(event, ThinkingDone):
        return thought_text(event, growth or Growth())
    if isinstance(event, EvidenceSelected):
        shown = (
            f"Reading {counted(event.sentences, 'sentence')} "
            f"from {counted(len(event.passage_ids), 'passage')}"
        )
        return f"{shown}; {event.omitted} left out for length" if event.omitted else shown
    if isinstance(event, StepDecided):
        return _decided_text(event)
    return ""


def thought_text(event: ThinkingDone, growth: Growth) -> str:
    """What came of thinking: facts, what is known, what is missing, why it ended."""
    parts = [
        f"{counted(growth.facts, 'fact')} from {counted(growth.passages, 'passage')}"
        f" in {event.seconds:.1f} s"
    ]
    if event.calls:
        parts[0] += f" with {counted(event.calls, 'model call')}"
    if growth.slots:
        parts.append(growth.known_words)
    if event.missing:
        parts.append(f"still missing: {', '.join(f'“{one_line(m)}”' for m in event.missing)}")
    if event.stopped:
        parts.append(one_line(event.stopped, _LONGEST))
    return f"Thought: {'; '.join(parts)}"


def _decided_text(event: StepDecided) -> str:
    reason = one_line(event.reason, _LONGEST)
    if lead := _DECIDED.get(event.step):
        return f"{lead}: {reason}"
    return reason[:1].upper() + reason[1:]


def _found_text(event: PassagesFound, before: PassagesFound | None) -> str:
    found = counted(len(event.passages), "passage")
    if event.after == "thinking":
        known = {passage.passage_id for passage in before.passages} if before else set()
        new = sum(passage.passage_id not in known for passage in event.passages)
        other = f"{new} of them new" if new else "in another order"
        return f"Chose anew after thinking: {found}, {other}"
    stages = [STAGES.get(stage, stage) for stage in event.stages]
    ways = " and ".join(filter(None, [", ".join(stages[:-1]), *stages[-1:]]))
    return f"Searched by {ways or 'nothing'}: {found} in {event.seconds:.2f} s"


def _understood_text(event: QueriesWritten) -> str:
    carried = f" (from before: {', '.join(event.carried)})" if event.carried else ""
    parts = [f"Understood as: {event.standalone}{carried}"]
    if len(event.aspects) > 1:
        aspects = [_ASPECTS.get(aspect, aspect) for aspect in dict.fromkeys(event.aspects)]
        parts.append(f"searched for {', '.join(aspects)}")
    if event.fallback:
        parts.append(event.fallback)
    return " · ".join(parts)
