"""The evaluation of the reliance dial and of the forms of knowledge: what is counted, and how."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import UsageError
from eval.counterfactual import (
    Edit,
    answers_with,
    beside_the_point,
    edited_object,
    load_edits,
    names_same,
)
from eval.forms import FormAnswer, FormRow
from eval.forms import report as forms_report
from eval.reliance import KnownEdit, RelianceRow, evaluate_reliance, known_edits, report
from eval.reliance_choice import Choice
from eval.thoughts import Asked


@pytest.mark.parametrize(
    ("statement", "object_"),
    [
        ("Carl Sagan is employed by British Broadcasting Corporation", "British Broadcasting "),
        ("The author of Paradiso is Jean Giraudoux", "Jean Giraudoux"),
        ("The headquarters of Microsoft is located in the city of Oslo", "Oslo"),
        ("The name of the current head of state in Zambia is Al Gore", "Al Gore"),
        ("Robert Burns's child is Sajid Khan", "Sajid Khan"),
        ("tight end works in the field of artistic gymnast", "artistic gymnast"),
        ("The Far Side was written in the language of Japanese", "Japanese"),
        ("Nothing of this kind", ""),
    ],
)
def test_the_edited_thing_is_cut_out(statement: str, object_: str) -> None:
    found = edited_object(statement)
    assert found.startswith(object_.strip()) and bool(found) == bool(object_)


def test_names_are_compared_by_whole_words() -> None:
    assert names_same("It is the United Kingdom.", "United Kingdom")
    assert names_same("Twain", "Mark Twain")
    assert not names_same("Romania", "Oman")
    assert not names_same("", "Oman")
    assert not names_same("the", "Oman")


@pytest.mark.parametrize(
    ("answer", "name", "same"),
    [
        ("Irish.", "Ireland", True),
        ("American", "United States of America", True),
        ("Ireland", "Irish", True),
        ("Irish stew", "Ireland", False),
        ("Finnish", "Ireland", False),
        ("", "", False),
    ],
)
def test_a_nationality_names_its_country(answer: str, name: str, same: bool) -> None:
    assert answers_with(answer, name) == same


def row(subject: str, object_: str, ways: int = 3) -> dict[str, object]:
    questions = [f"Which way {way} of {subject}?" for way in range(ways)]
    return {"edit": f"{subject} is a citizen of {object_}", "questions": questions}


def write(path: Path, rows: Sequence[object]) -> Path:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_halves_are_disjoint_and_complete(tmp_path: Path) -> None:
    rows = [row(f"Person{n}", f"Land{n % 3}") for n in range(40)]
    path = write(tmp_path / "edits.json", [*rows, row("Person1", "Elsewhere"), row("X", "Y", 1)])
    every = load_edits(path)
    assert len(every) == 40  # one edit of a fact, and none that is asked in one way only
    halves = [{e.id for e in load_edits(path, half=half)} for half in ("choosing", "reporting")]
    assert halves[0] | halves[1] == {e.id for e in every}
    assert not halves[0] & halves[1] and all(halves)
    assert len(load_edits(path, limit=5)) == 5


@pytest.mark.parametrize("text", ["{", "3", '[{"edit": "x"}]', '["x"]'])
def test_another_file_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "edits.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="'edit' and 'questions'"):
        load_edits(path)


def edit(subject: str, object_: str) -> Edit:
    return Edit(
        subject, f"{subject} is a citizen of {object_}.", object_, (f"{subject}?", f"{subject} a?")
    )


EDITS = [edit("Ada", "Chile"), edit("Bo", "Chile"), edit("Cy", "Ghana")]


def test_a_statement_beside_the_point_shares_nothing() -> None:
    assert beside_the_point(EDITS) == [EDITS[2], EDITS[2], EDITS[0]]
    assert beside_the_point(EDITS[:1]) == EDITS[:1]  # nothing else there


class Scripted:
    """Knows two countries; follows a passage that speaks of the person up to α = ½.

    Past that it answers by itself, and "auto" looks whether the passage helps.
    """

    def __init__(self) -> None:
        self.knows = {"Ada": "Peru", "Bo": "Chile", "Cy": "Oman"}

    def alone(self, questions: Sequence[Sequence[object]]) -> list[str]:
        return [self._own(messages) for messages in questions]

    def answers(self, questions, dial):  # type: ignore[no-untyped-def]
        return [[self._at(with_, at) for at in dial] for with_, _ in questions]

    def _own(self, messages) -> str:  # type: ignore[no-untyped-def]
        asked = messages[-1].content.rpartition("Question: ")[2]
        return next(land for name, land in self.knows.items() if name in asked)

    def _at(self, messages, at) -> str:  # type: ignore[no-untyped-def]
        passage, _, asked = messages[-1].content.rpartition("Question: ")
        helps = asked.split("?")[0].split()[0] in passage
        read = passage.rpartition("citizen of ")[2].split(".")[0]
        documents = helps if at == "auto" else at <= 0.5
        return read if documents else self._own(messages)


def test_only_known_facts_are_asked() -> None:
    known = known_edits(Scripted(), EDITS, wanted=9)
    assert [one.edit.id for one in known] == ["Ada", "Cy"]  # of Bo it believes the edit itself
    assert [one.own for one in known] == ["Peru", "Oman"]
    assert len(known_edits(Scripted(), EDITS, wanted=1)) == 1


def test_the_dial_is_reported() -> None:
    known = known_edits(Scripted(), EDITS, wanted=9)
    rows = evaluate_reliance(Scripted(), known)
    found = report(rows)
    dial = found["dial"]
    assert [dial[at]["follows"]["share"] for at in ("0.0", "0.5", "0.75", "1.0")] == [1, 1, 0, 0]
    assert [dial[at]["recalls"]["share"] for at in ("0.0", "1.0")] == [0, 1]
    assert [dial[at]["right_mix"]["share"] for at in ("0.0", "1.0", "auto")] == [0.5, 0.5, 1.0]
    assert (found["facts"], found["monotone"], found["range"]) == (2, True, 1.0)
    assert found["steps"]["0.5 to 0.75"]["change"] == -1.0
    assert found["steps"]["0 to 0.25"] == {"change": 0.0, "p": 1.0}
    assert found["auto_against"]["0.0"]["gain"] == 0.5
    assert 0 < found["auto_against"]["0.0"]["p"] <= 1
    with pytest.raises(UsageError, match="knows none"):
        report([])


def test_what_cannot_be_decided_is_left_out() -> None:
    fine = KnownEdit(EDITS[0], "Peru")
    same = KnownEdit(edit("Di", "Ireland"), "Irish")
    named = KnownEdit(Edit("x", "", "Chile", ("Who?", "Who is of Chile?")), "Ada")
    rows = [RelianceRow(k, "contradicting", "", {0.0: "Chile"}) for k in (fine, same, named)]
    assert [one.decidable for one in rows] == [True, False, False]
    assert (report(rows)["facts"], report(rows)["left_out"]) == (1, 2)


@given(st.lists(st.booleans(), min_size=4, max_size=4))
def test_monotone_means_never_rising(follows: list[bool]) -> None:
    known = KnownEdit(EDITS[0], "Peru")
    answers = dict(
        zip((0.0, 0.3, 0.6, 1.0), ("Chile" if f else "Peru" for f in follows), strict=True)
    )
    found = report([RelianceRow(known, "contradicting", "", answers)])  # type: ignore[arg-type]
    assert found["monotone"] == (sorted(follows, reverse=True) == follows)
    assert "auto_against" not in found


def test_constants_are_chosen_by_range_and_gain() -> None:
    wide = Choice(1.0, 0.1, (0.9, 0.8, 0.1), (0.6, 0.7, 0.5, 0.8))
    assert wide.worth == pytest.approx(0.8 + 0.2)


# -- forms --------------------------------------------------------------------------------------


def form_row(number: int, both: float, triples: float) -> FormRow:
    asked = Asked(f"q{number}", "?", "gold", "", frozenset())
    answers = {
        "both": FormAnswer("x", both, both, 1, 2.0),
        "triples": FormAnswer(None if triples == 0 else "x", triples, triples, 9, 1.0),
    }
    return FormRow(asked, answers)


def test_forms_are_compared_on_the_same_questions() -> None:
    found = forms_report([form_row(n, 1.0, 0.0) for n in range(8)])
    assert found["compared_with"] == "both"
    assert found["forms"]["both"]["em"] == 1.0 and "p_em" not in found["forms"]["both"]
    triples = found["forms"]["triples"]
    assert (triples["abstained"], triples["facts"], triples["seconds"]) == (1.0, 9.0, 1.0)
    assert triples["p_em"] < 0.05  # eight of eight
    same = forms_report([form_row(n, 1.0, 1.0) for n in range(8)])
    assert same["forms"]["triples"]["p_f1"] == 1.0
    with pytest.raises(UsageError):
        forms_report([])
