"""Weights that change over the training."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Schedule(BaseModel):
    """A number as a function of progress in [0, 1]; a plain number in a recipe is constant.

    Until `begin` it is `from`, after `finish` it is `to`; between them it goes straight (linear),
    by half a cosine, or, for a step, stays `from` until `finish`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schedule: Literal["constant", "linear", "cosine", "step"] = "constant"
    start: float = Field(default=1.0, alias="from")
    stop: float = Field(default=1.0, alias="to")
    begin: float = Field(default=0.0, ge=0, le=1)
    finish: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return {"from": float(value), "to": float(value)}

    @model_validator(mode="after")
    def _ordered(self) -> Schedule:
        if self.finish < self.begin:
            raise ValueError("'finish' comes before 'begin'")
        return self

    def at(self, progress: float) -> float:
        """The value at that share of the training."""
        if self.schedule == "constant":
            return self.start
        if self.schedule == "step":
            return self.stop if progress >= self.finish else self.start
        span = self.finish - self.begin
        part = (progress - self.begin) / span if span else float(progress >= self.finish)
        part = min(max(part, 0.0), 1.0)
        if self.schedule == "cosine":
            part = (1 - math.cos(math.pi * part)) / 2
        return self.start + (self.stop - self.start) * part
