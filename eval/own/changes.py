"""What is different between a run of the own questions and what was before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eval.own.kept import OwnResult

Kind = Literal["newly failing", "newly passing", "still failing", "still passing", "new", "edited"]
KINDS: tuple[Kind, ...] = (
    "newly failing",
    "newly passing",
    "still failing",
    "new",
    "edited",
    "still passing",
)
"""What has become of a question, what matters most first."""


@dataclass(frozen=True, slots=True)
class Change:
    """A result beside the one before; `before` is None where the question was never asked."""

    kind: Kind
    now: OwnResult
    before: OwnResult | None

    @property
    def other_answer(self) -> bool:
        """Whether the answer is another one."""
        return self.before is not None and self.before.judged.answer != self.now.judged.answer


def changes(now: Sequence[OwnResult], before: Mapping[str, OwnResult]) -> list[Change]:
    """Each result of a run beside the latest one before, what matters most first."""
    found = [
        Change(_kind(one, before.get(one.question_id)), one, before.get(one.question_id))
        for one in now
    ]
    return sorted(found, key=lambda change: KINDS.index(change.kind))


def settings_changed(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Settings that differ: (before, now) by dotted name."""
    names = [*before, *(name for name in now if name not in before)]
    return {
        name: (before.get(name), now.get(name))
        for name in names
        if before.get(name) != now.get(name)
    }


def _kind(now: OwnResult, before: OwnResult | None) -> Kind:
    if before is None:
        return "new"
    if before.definition != now.definition:
        return "edited"
    if now.judged.passed:
        return "still passing" if before.judged.passed else "newly passing"
    return "newly failing" if before.judged.passed else "still failing"


def since(
    last: Mapping[str, Any],
    results: Sequence[OwnResult],
    now: Mapping[str, Any],
    generations: Mapping[str, str],
) -> list[str]:
    """What changed after a run, in words; not whether another reader was asked for.

    Args:
        last, now: settings of the run and of the moment.
        generations: of the published indexes, by name.
    """
    names = [name for name in settings_changed(last, now) if name != "answering.reader"]
    found = [f"{name} was changed" for name in names]
    asked = {result.index: result.generation for result in results}
    for index, generation in sorted(asked.items()):
        if index not in generations:
            found.append(f"the index {index} is gone")
        elif generations[index] != generation:
            found.append(f"the index {index} was rebuilt")
    return found
