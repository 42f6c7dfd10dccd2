"""How a turn was understood, what was told, replies of the assistant: as the page shows them."""

from __future__ import annotations

import dataclasses

from app.components.again import Question, asked_again, can_be_asked_again, choices
from app.components.remember import is_remembered
from app.components.steps import step_text
from app.components.trace import query_lines, trace_rows
from app.components.turn import steps_of, view_of
from assistant.events import (
    AnswerDone,
    Event,
    PassagesFound,
    QueriesWritten,
    StatementsChosen,
    StepDecided,
    TurnStarted,
    UsedStatement,
    found_by,
)
from assistant.understanding.statements import Statement
from tests.fast.assistant.helpers import passages

PLAIN = QueriesWritten("How do otters sleep?", ("How do otters sleep?",), (), "", ("question",))
WRITTEN = QueriesWritten(
    standalone="How do sea otters sleep?",
    queries=("How do sea otters sleep?", "They float.", "Where?", "When?"),
    carried=("sea",),
    reason="rewritten",
    aspects=("question", "likely answer", "part", "part"),
    weights=(1.0, 0.5, 0.3, 0.3),
    way="model",
)
PEANUTS = UsedStatement("a1", "I am allergic to peanuts.", 0.42, "it is near the question")
TOLD = StatementsChosen((PEANUTS,), 3, ("answer",))
DONE = AnswerDone("text", (), "answerer", False, False, "", (), {"total": 2.0})
REPLY = dataclasses.replace(DONE, text="I will remember: “$x$”", reader="assistant")


def events(*middle: Event) -> list[Event]:
    return [TurnStarted("t", "c", "How do they sleep?", "notes", "2026-01-01T00:00:00"), *middle]


def test_the_step_names_what_was_searched_for() -> None:
    assert step_text(PLAIN) == "Understood as: How do otters sleep?"
    assert step_text(WRITTEN) == (
        "Understood as: How do sea otters sleep? (from before: sea)"
        " · searched for the question, a likely answer, a part of it"
    )


def test_the_step_says_that_the_model_failed() -> None:
    failed = dataclasses.replace(PLAIN, fallback="the model wrote no question; rules were used")
    assert step_text(failed) == (
        "Understood as: How do otters sleep? · the model wrote no question; rules were used"
    )


def test_statements_are_a_step_where_they_were_used() -> None:
    assert step_text(TOLD) == "What you told me: “I am allergic to peanuts.”"
    unused = dataclasses.replace(TOLD, used_in=())
    assert step_text(unused) == step_text(StatementsChosen((), 3, ("answer",))) == ""
    assert view_of(events(TOLD)).statements == (PEANUTS,)
    assert view_of(events(unused)).statements == ()


def test_a_reply_of_the_assistant_says_nothing_of_passages() -> None:
    reply = dataclasses.replace(PLAIN, act="command")
    view = view_of(events(reply, StepDecided("command", "no document needs to be asked"), REPLY))
    assert view.by_assistant
    assert view.summary == "Answered without your documents"
    assert view.sources == []
    assert not view_of(events(PLAIN, DONE)).by_assistant
    assert view_of(events(PLAIN, DONE)).summary == "answered in 2.0 s"


def found() -> PassagesFound:
    first, second = passages()
    return PassagesFound(
        (
            dataclasses.replace(first, shares=(0.1, 0.4, 0.0, 0.0)),
            dataclasses.replace(second, shares=(0.3, 0.0, 0.2, 0.0)),
        ),
        ("lexical",),
        (),
        0.1,
    )


def test_the_trace_names_the_query_that_found_a_passage() -> None:
    rows = trace_rows(view_of(events(WRITTEN, found(), DONE)))
    assert [row["found by"] for row in rows] == ["likely answer", "question"]


def test_a_passage_found_by_the_persons_statements() -> None:
    first = dataclasses.replace(passages()[0], shares=(0.1, 0.2))
    assert found_by(first, PLAIN) == "person"


def test_old_turns_have_no_such_column() -> None:
    old = QueriesWritten("a", ("a",), (), "")
    view = view_of(events(old, found(), DONE))
    assert "found by" not in trace_rows(view)[0]
    assert query_lines(view) == []
    without_shares = PassagesFound(passages(), ("lexical",), (), 0.1)
    assert "found by" not in trace_rows(view_of(events(PLAIN, without_shares, DONE)))[0]


def test_queries_are_listed_with_their_weights() -> None:
    assert query_lines(view_of(events(WRITTEN)))[:2] == [
        "1.00 question: How do sea otters sleep?",
        "0.50 likely answer: They float.",
    ]


def test_only_questions_that_were_answered_are_asked_again() -> None:
    assert can_be_asked_again(view_of(events(PLAIN, DONE)))
    assert can_be_asked_again(view_of(events(PLAIN, REPLY)))  # it asked back
    assert not can_be_asked_again(view_of(events(PLAIN)))
    for act in ("small talk", "command"):
        assert not can_be_asked_again(view_of(events(dataclasses.replace(PLAIN, act=act), REPLY)))


def test_statements_are_offered_with_those_that_were_left_out() -> None:
    remembered = [Statement("b2", "I live in Lyon."), Statement("c3", "I have a cat.")]
    told = dataclasses.replace(TOLD, left_out=("b2", "forgotten"))
    assert choices(view_of(events(told)), remembered) == [
        (Statement("a1", PEANUTS.text), True),
        (remembered[0], False),
    ]


def test_asking_again_as_it_is_meant() -> None:
    view = view_of(events(WRITTEN, TOLD, DONE))
    same, other = WRITTEN.standalone, "How do seals sleep?"

    def question(understood_as: str, *without: str) -> Question:
        # In place of the turn, with its options.
        return Question(view.question, understood_as, without, "t", view.options)

    assert asked_again(view, other, (), set()) == question(other)
    assert asked_again(view, same, (), set()) == question(same)
    # only a statement was switched off: understood from the conversation, as before
    assert asked_again(view, same, ("a1",), set()) == question("", "a1")
    assert asked_again(view, other, ("a1",), set()) == question(other, "a1")
    # it stays off when only the text changes, and can be switched on again
    assert asked_again(view, other, ("a1",), {"a1"}) == question(other, "a1")
    assert asked_again(view, same, (), {"a1"}) == question("")


def test_what_the_person_wrote_stays_when_a_statement_is_switched_off() -> None:
    by_person = dataclasses.replace(WRITTEN, way="person")
    view = view_of(events(by_person, TOLD, DONE))
    meant = by_person.standalone
    assert asked_again(view, meant, ("a1",), set()) == Question(
        view.question, meant, ("a1",), "t", view.options
    )


def test_what_is_remembered_is_known_by_its_text() -> None:
    known = [Statement("a1", "I am allergic to peanuts.")]
    assert is_remembered("I am  allergic\nto PEANUTS.", known)
    assert not is_remembered("I am allergic to kiwis.", known)


def test_steps_of_a_turn_with_statements() -> None:
    assert steps_of(events(PLAIN, TOLD, found()))[1].startswith("What you told me")
