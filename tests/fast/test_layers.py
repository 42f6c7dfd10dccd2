"""Who may import whom, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "indexes": {"indexes"},
    "assistant": {"assistant", "indexes"},
    "eval": {"eval", "assistant", "indexes"},
    "app": {"app", "assistant", "indexes", "eval"},
}
OURS = set(ALLOWED) | {"tests", "benchmarks"}


def _modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_never_go_upwards(package: str) -> None:
    wrong = []
    for path in _modules(package):
        # The command line stands above the assistant: it may reach the evaluation.
        allowed = ALLOWED[package] | ({"eval"} if "cli" in path.parts else set())
        for name in _imported(path):
            top = name.split(".")[0]
            if top in OURS and top not in allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []
    assert _modules(package)


def test_streamlit_only_in_the_page() -> None:
    for package in ("indexes", "assistant", "eval"):
        for path in _modules(package):
            assert not any(name.split(".")[0] == "streamlit" for name in _imported(path)), path


def test_library_never_prints_or_exits() -> None:
    wrong = []
    for package in ("indexes", "assistant", "eval"):
        for path in _modules(package):
            if "cli" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                    "print",
                    "exit",
                    "quit",
                    "sys.exit",
                    "os._exit",
                    "exec",
                    "eval",
                ):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_a_question_can_be_asked_without_torch_being_loaded_first() -> None:
    """It takes a second and a half; an encoder loads it while the first words are looked up."""
    code = "import assistant.pipeline, sys; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
