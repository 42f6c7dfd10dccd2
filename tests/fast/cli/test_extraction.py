"""`assistant eval extraction`, as far as it needs no weights."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fast.cli.conftest import Call

FACT = {"subject": "A", "relation": "is", "object": "B", "negated": False, "hedged": False,
        "from": None, "to": None}  # fmt: skip


def _file(path: Path, *facts: dict[str, object]) -> str:
    row = {"id": "1", "split": "dev", "heading": "", "text": "A is B.", "facts": facts}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return str(path)


def test_agreement_of_two_files(call: Call, tmp_path: Path) -> None:
    first = _file(tmp_path / "a.jsonl", FACT, {**FACT, "object": "C"})
    second = _file(tmp_path / "b.jsonl", FACT)
    flags = ("eval", "extraction", "--agreement", "--facts", first, "--second", second)
    done = call(*flags, "--json")
    assert done.status == 0
    assert done.json["splits"]["all"]["strict"]["f1"] == 0.6667
    shown = call(*flags)
    assert shown.status == 0 and "0.6667" in shown.out and "strict" in shown.out


def test_wrong_use_is_said(call: Call, tmp_path: Path) -> None:
    facts = _file(tmp_path / "a.jsonl", FACT)
    assert call("eval", "extraction", "--extractor", "magic", "--facts", facts).status == 2
    assert call("eval", "extraction", "--facts", str(tmp_path / "none.jsonl")).status != 0


def test_missing_parser_names_its_remedy(call: Call, tmp_path: Path) -> None:
    facts = _file(tmp_path / "a.jsonl", FACT)
    done = call("eval", "extraction", "--facts", facts)
    assert done.status == 1 and "models fetch parser" in done.err
