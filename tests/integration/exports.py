"""What every shipped adapter has to be."""

from __future__ import annotations

import json

from assistant.models.shipped import shipped


def check_adapter(name: str, *, most: int, base: str) -> None:
    """Its files, its description and its model card.

    Args:
        most: bytes of all its files.
        base: the catalogue's name of the model that it builds on.
    """
    folder = shipped(name)
    assert sum(file.stat().st_size for file in folder.iterdir()) < most
    description = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert description["kind"] == "adapter" and description["base"]["name"] == base
    assert not (folder / "local.json").exists()
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert description["recipe_hash"] in card and description["data_hash"] in card
