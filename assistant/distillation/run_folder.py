"""What a run leaves.

```
runs/NAME-1a2b3c4d/          the digits are the recipe's hash
├── recipe.yaml              as it was run, paths absolute; itself a recipe
├── data.json                hash and counts of the data
├── environment.json         versions, device, threads
├── disagreement-1.json      what examples were chosen by, of each generation (see `disagreement`)
├── curves.csv, curves.png   loss, its terms, learning rate, tokens a second, by step
├── evaluations.csv          measures on the held-out examples during the training
├── domains.csv              losses, factor and weight of each domain, by step
├── checkpoints/generation-1/…
├── samples-before.jsonl, samples-after.jsonl
├── evaluation.json, evaluation-examples.jsonl
├── export/                  the model (see `exported`)
└── state.json               how far it is
```
"""

from __future__ import annotations

import csv
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from assistant.distillation.recipe import Recipe
from assistant.distillation.recipe_file import dump_recipe, load_recipe
from assistant.errors import StorageError, UsageError
from indexes.files import storage_errors, write_atomically

_PACKAGES = ("torch", "transformers", "peft", "accelerate", "safetensors", "numpy", "pydantic")


def run_name(recipe: Recipe) -> str:
    """What the folder of a recipe's first run is called."""
    return f"{recipe.name}-{recipe.hash[:8]}"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @classmethod
    def create(cls, root: Path, recipe: Recipe) -> RunFolder:
        """A new folder below `root`; a run of the same recipe that is there already stays."""
        name = run_name(recipe)
        number = 1
        while (path := root / (name if number == 1 else f"{name}-{number}")).exists():
            number += 1
        with storage_errors(root):
            (path / "checkpoints").mkdir(parents=True)
        made = cls(path)
        made.write_text("recipe.yaml", dump_recipe(recipe))
        made.write_json("state.json", {"state": "started", "generation": 1})
        return made

    @classmethod
    def resume(cls, root: Path, recipe: Recipe) -> RunFolder:
        """The latest run of that recipe below `root` that is not finished.

        Raises:
            UsageError: there is none.
        """
        name = run_name(recipe)
        runs = [path for path in root.glob(f"{name}*") if (path / "state.json").is_file()]
        runs.sort(key=lambda path: (len(path.name), path.name))
        for path in reversed(runs):
            if cls(path).state["state"] != "finished":
                return cls(path)
        raise UsageError(
            f"no unfinished run of this recipe in {root}",
            remedy="leave --resume out, or give the --out and the --set values it was started with",
        )

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """A run that exists.

        Raises:
            UsageError: the folder is not a run.
        """
        if not all((path / name).is_file() for name in ("recipe.yaml", "state.json")):
            raise UsageError(
                f"{path} is not the folder of a run", remedy="it has recipe.yaml and state.json"
            )
        return cls(path)

    @property
    def recipe(self) -> Recipe:
        return load_recipe(self.path / "recipe.yaml")

    @property
    def state(self) -> dict[str, Any]:
        return dict(self.read_json("state.json"))

    def set_state(self, **changes: Any) -> None:
        self.write_json("state.json", {**self.state, **changes})

    def checkpoints(self, generation: int) -> Path:
        return self.path / "checkpoints" / f"generation-{generation}"

    def read_json(self, name: str) -> Any:
        """A JSON file of the run.

        Raises:
            StorageError: missing or damaged.
        """
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{self.path / name} cannot be read: {error}", remedy="run the recipe again"
            ) from error

    def write_json(self, name: str, value: Any) -> None:
        self.write_text(name, json.dumps(value, ensure_ascii=False, indent=1))

    def write_text(self, name: str, text: str) -> None:
        with storage_errors(self.path):
            write_atomically(self.path / name, text.encode())

    def write_lines(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        self.write_text(name, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))

    def read_lines(self, name: str) -> list[dict[str, Any]]:
        """The records of a JSON lines file; none if it is not there."""
        file = self.path / name
        if not file.is_file():
            return []
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of a CSV file; none if it is not there."""
        file = self.path / name
        if not file.is_file():
            return []
        with file.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))


class CurveWriter:
    """A CSV file of the run, one row at a time; rows after the point of resuming are dropped.

    Args:
        after: the generation and step that the run goes on from; rows beyond are written anew.
    """

    def __init__(self, folder: RunFolder, name: str, after: tuple[int, int]) -> None:
        self._folder = folder
        self._name = name
        self._written = False
        self._rows = [
            row for row in folder.table(name) if (int(row["generation"]), int(row["step"])) <= after
        ]

    def add(self, row: Mapping[str, Any]) -> None:
        """Write one row; a column that is new is empty in earlier rows."""
        plain = {key: _shown(value) for key, value in row.items()}
        known = list(dict.fromkeys(key for earlier in self._rows for key in earlier))
        self._rows.append(plain)
        file = self._folder.path / self._name
        with storage_errors(file):
            if not self._written or not set(plain) <= set(known):
                self._write_all()
                return
            with file.open("a", encoding="utf-8", newline="") as lines:
                csv.DictWriter(lines, known, restval="").writerow(plain)

    def _write_all(self) -> None:
        columns = list(dict.fromkeys(key for row in self._rows for key in row))
        with (self._folder.path / self._name).open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, columns, restval="")
            writer.writeheader()
            writer.writerows(self._rows)
        self._written = True


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def environment(device: str) -> dict[str, Any]:
    """Versions and the machine, as far as results depend on them."""
    import torch

    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    cuda = torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "packages": versions,
        "device": torch.cuda.get_device_name() if cuda and device == "cuda" else device,
        "threads": torch.get_num_threads(),
    }
