"""What a check of a run found: violations of the organisers' rules, with their places."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eval.ikat.source import Object, Source, finite
from eval.ikat.topics import Topic

ERROR, WARNING = "error", "warning"
_CLUEWEB = re.compile(r"clueweb22-en\d{4}-\d{2}-\d{5}:\d+")


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a run breaks. `line` and `turn` are None where the whole run is meant."""

    line: int | None
    turn: str | None
    rule: str
    message: str
    level: str = ERROR


@dataclass(slots=True)
class Findings:
    """The violations found so far, and the checks that the years have in common."""

    source: Source
    topics: Mapping[str, Topic]  # by turn
    found: list[Violation] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, source: Source, topics: Iterable[Topic]) -> Findings:
        """No violations yet."""
        return cls(source, {turn.id: topic for topic in topics for turn in topic.turns})

    def add(
        self,
        rule: str,
        message: str,
        *,
        line: int | None = None,
        turn: str | None = None,
        level: str = ERROR,
    ) -> None:
        """Note a violation."""
        self.found.append(Violation(line, turn, rule, message, level))

    def turn(self, turn: str, line: int | None) -> bool:
        """Note that a turn is there; whether it is one of the topics."""
        if turn in self.seen:
            self.add("turn-duplicate", "the turn stands there twice", line=line, turn=turn)
        self.seen.add(turn)
        if turn not in self.topics:
            self.add("turn-unknown", "no turn of the topics", line=line, turn=turn)
        return turn in self.topics

    def missing_turns(self) -> None:
        """Every turn of the topics has to be there."""
        for turn in self.topics:
            if turn not in self.seen:
                self.add("turn-missing", "the run lacks this turn", turn=turn)

    def complete(
        self, rule: str, entry: Object, keys: tuple[str, ...], line: int | None, turn: str | None
    ) -> bool:
        """Whether an object has its keys."""
        if absent := [key for key in keys if key not in entry]:
            self.add(rule, f"no {', '.join(absent)}", line=line, turn=turn)
        return not absent

    def responses(self, entry: Object, line: int | None, turn: str) -> list[Object]:
        """The responses of a turn; their ranks count from 1 without gaps."""
        given = entry.get("responses")
        if not isinstance(given, list) or not given:
            self.add("response", "no responses", line=line, turn=turn)
            return []
        if any(not isinstance(response, Object) for response in given):
            self.add("response", "a response is no object", line=line, turn=turn)
        responses = [response for response in given if isinstance(response, Object)]
        ranks = [response.get("rank") for response in responses]
        if ranks != list(range(1, len(ranks) + 1)):
            self.add("rank", f"ranks are {ranks}, expected 1, 2, … in order", line=line, turn=turn)
        return responses

    def text(self, response: Object, line: int | None, turn: str, *, may_be_empty: bool) -> None:
        """A response says something."""
        text = response.get("text")
        if not isinstance(text, str):
            self.add("text", "the response has no text", line=line, turn=turn)
        elif not text.strip() and not may_be_empty:
            self.add("text", "the response's text is empty", line=line, turn=turn)

    def scores(
        self, passages: list[tuple[str, Any]], line: int | None, turn: str
    ) -> list[tuple[str, float]]:
        """Passages with their scores as numbers; ids of one kind, each once."""
        good = []
        for id_, score in passages:
            number = finite(score)
            if number is None:
                what = f"score {score!r} of {id_} is no finite number"
                self.add("passage-score", what, line=line, turn=turn)
            else:
                good.append((id_, number))
        if repeated := _repeated(id_ for id_, _ in passages):
            self.add("passage-duplicate", f"{repeated} stands there twice", line=line, turn=turn)
        if astray := [id_ for id_, _ in passages if not _CLUEWEB.fullmatch(id_)]:
            # A collection of one's own has other ids, and a run on it is none the worse.
            what = f"{len(astray)} ids are not clueweb22-enXXXX-XX-XXXXX:N, the first {astray[0]}"
            self.add("passage-id", what, line=line, turn=turn, level=WARNING)
        return good


def turn_lines(source: Source) -> dict[str, list[int]]:
    """The lines where a JSON document names each turn, in order."""
    lines: dict[str, list[int]] = defaultdict(list)
    line, place = 1, 0
    for found in re.finditer(r'"turn_id"\s*:\s*"((?:[^"\\]|\\.)*)"', source.text):
        line += source.text.count("\n", place, found.start())
        place = found.start()
        lines[found[1]].append(line)
    return lines


def _repeated(values: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
