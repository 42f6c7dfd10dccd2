"""Queries with passages that answer them and passages that do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from assistant.distillation.examples import AnyExample, RankExample, hash_texts
from assistant.distillation.sources.base import SOURCES, DataSource, json_lines
from assistant.errors import ReadError


@SOURCES.register("ranking")
class RankingSource(DataSource):
    """Lines `{query, positive: [...], negatives: [...], scores?, fused?, id?, domain?, weight?}`.

    A passage is a text with its title before it. `scores` and `fused` have one number for each
    passage, those of `positive` first. A line of several positives becomes an example for each,
    with the same negatives, unless `together` is set (an evaluation wants all of them in one).
    Where `fused` is given, the candidates are put into its order: the one they were found in.
    `score_scale` turns the scores into logits.
    """

    negatives: int | None = Field(None, ge=1)
    together: bool = False
    score_scale: float = Field(1.0, gt=0)

    def examples(self, file: Path) -> Iterator[AnyExample]:
        for number, row in json_lines(file):
            try:
                yield from self._examples(row)
            except (KeyError, TypeError, ValueError) as error:
                raise ReadError(
                    f"{file}, line {number}: {type(error).__name__}: {error}",
                    remedy="a line has query, positive and negatives (lists of texts)",
                ) from error

    def _examples(self, row: dict[str, Any]) -> Iterator[RankExample]:
        positive, negatives = _texts(row["positive"]), _texts(row["negatives"])
        texts = positive + negatives
        if not positive or not negatives:
            raise ValueError("it needs a positive and a negative passage")
        if len(set(texts)) < len(texts):
            raise ValueError("a passage stands there twice")
        values = {}
        for name in ("scores", "fused"):
            values[name] = [float(value) for value in row.get(name) or ()]
            if values[name] and len(values[name]) != len(texts):
                raise ValueError(f"{len(values[name])} {name} for {len(texts)} passages")
        kept = list(range(len(positive), len(texts)))[: self.negatives]
        groups = (
            [list(range(len(positive)))]
            if self.together
            else [[place] for place in range(len(positive))]
        )
        identity = str(row.get("id") or hash_texts(str(row["query"]), *texts)[:24])
        for number, group in enumerate(groups):
            places = [*group, *kept]
            if values["fused"]:
                places.sort(key=lambda place: -values["fused"][place])
            yield RankExample(
                id=identity if len(groups) == 1 else f"{identity}-{number}",
                query=str(row["query"]).strip(),
                passages=tuple(texts[place] for place in places),
                relevant=tuple(at for at, place in enumerate(places) if place in group),
                scores=tuple(self.score_scale * values["scores"][p] for p in places)
                if values["scores"]
                else (),
                fused=tuple(values["fused"][p] for p in places) if values["fused"] else (),
                domain=str(row.get("domain", "")),
                weight=float(row.get("weight", 1.0)),
                origin=str(row.get("origin", "gold")),
            )


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError("passages are a list of texts")
    return list(value)
