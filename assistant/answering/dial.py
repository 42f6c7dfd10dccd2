"""The words for how far a reader leans on documents or on what the model knows by itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

# 0 (documents) … 1 (the model itself), or by the model's certainty at each word.
Share = float | Literal["auto"]
OFF = "off"


def parse_reliance(value: object) -> str:
    """The setting as it is kept: "off", "auto", or a number from 0 to 1 in its shortest form.

    Raises:
        ValueError: it is none of these.
    """
    text = str(value).strip().lower()
    if text in (OFF, "auto"):
        return text
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if isinstance(value, bool) or not 0 <= share <= 1:
        raise ValueError(f"'{value}' is neither off, auto nor a number from 0 to 1")
    return f"{share:g}"


Reliance = Annotated[str, BeforeValidator(parse_reliance)]


def share_of(reliance: str) -> Share | None:
    """The setting as a share; None where it is off: plain decoding, one pass."""
    if reliance == OFF:
        return None
    return "auto" if reliance == "auto" else float(reliance)


def leans_on_model(share: Share | None) -> bool:
    """Whether answers that no document supports are wanted, marked as such."""
    return share is not None and (share == "auto" or share > 0.5)
