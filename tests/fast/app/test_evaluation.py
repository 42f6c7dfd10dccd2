"""The evaluation page, and keeping an answer as a test in the chat."""

from __future__ import annotations

import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from app.components.keep_test import place_label, places_of, question_of
from app.components.own_results import curve
from app.components.own_run import own_arguments, own_title
from app.components.turn import view_of
from assistant.jobs import Jobs
from assistant.memory.people import Person
from assistant.pipeline import Assistant
from assistant.workspace import Workspace
from eval.own.expectations import Expectation
from eval.own.running import run_own
from eval.own.store import OwnQuestions
from tests.fast.app.pages import VIEWS, captions, click, labels, markdown, page

QUESTION = "Who was the last keeper of the Kerring lighthouse?"


def asked(notes: Workspace) -> AppTest:
    list(Assistant(notes).ask(QUESTION))
    (conversation,) = notes.conversations.list()
    run = AppTest.from_file(str(VIEWS / "chat.py"), default_timeout=60)
    run.query_params["conversation"] = conversation.id
    return run.run()


def test_without_questions_it_says_how_to_get_some(empty_home: Path) -> None:
    run = page("evaluation")
    assert not run.error
    assert "No question is kept yet" in markdown(run)


def test_what_can_be_kept_of_an_answer(notes: Workspace) -> None:
    view = view_of(list(Assistant(notes).ask(QUESTION)))
    places = places_of(view)
    assert question_of(view) == QUESTION
    assert places[0].in_words == "The Lighthouse of Kerring"
    assert places[1].in_words == "The Lighthouse of Kerring, p. 2"
    assert "Agnes Thorvald" in places[2].quote
    assert len(place_label(places[2])) <= 80
    passages = {p.passage_id: p for p in view.found.passages} if view.found else {}
    assert all(any(place.holds(p) for p in passages.values()) for place in places)


def test_the_chat_offers_to_keep_an_answer(notes: Workspace) -> None:
    run = asked(notes)
    assert not run.exception
    (turn,) = notes.conversations.turns(notes.conversations.list()[0].id)
    kept = OwnQuestions(notes.settings.home)
    kept.add(QUESTION, "notes", Expectation(contains=("Agnes",)), turn=turn.id)
    assert "Kept as a test" in captions(run.run())


def test_results_are_shown_and_a_question_is_changed(notes: Workspace) -> None:
    kept = OwnQuestions(notes.settings.home)
    first = kept.add(QUESTION, "notes", Expectation(contains=("Agnes",)))
    kept.add("What is the $price$?", "notes", Expectation(contains=("Napoleon",)))
    run_own(notes, kept)
    kept.change(first.id, QUESTION, "notes", Expectation(contains=("Napoleon",)))
    run_own(notes, kept)
    run_own(notes, kept)
    run = page("evaluation")
    text = markdown(run)
    assert "**0 of 2 questions pass" in text
    assert "Still failing" in text
    assert "nothing in the settings" in captions(run)
    assert len(curve(kept.runs())) == 3
    assert "Ask all 2 again" in labels(run)
    earlier = run.selectbox(key=f"own-run-{kept.runs()[-1].id}")
    earlier.select_index(2).run()
    assert "**1 of 2 questions pass" in markdown(run)


def test_all_are_asked_again_as_a_job(notes: Workspace) -> None:
    OwnQuestions(notes.settings.home).add(QUESTION, "notes", Expectation(contains=("Agnes",)))
    run = page("evaluation")
    assert run.selectbox(key="own-reader").options[1:] == ["quotations"]
    click(run, "Ask it again")
    jobs = Jobs(notes.settings.jobs_folder, notes.settings.home)
    (job,) = jobs.list()
    for _ in range(1_200):  # a job that hangs shall not hang the tests
        if job.state != "running":
            break
        time.sleep(0.1)
        job = jobs.get(job.id) or job
    assert job.state == "done"
    (result,) = OwnQuestions(notes.settings.home).runs()
    assert (result.passed, result.done) == (1, 1)
    assert own_arguments(Person("main", "Main", "owner"), "notes", "small") == [
        "eval",
        "own",
        "--index",
        "notes",
        "--reader",
        "small",
    ]
    ada = Person("0123456789ab", "Ada", "profile")
    assert own_arguments(ada, None, None) == ["--person", "0123456789ab", "eval", "own"]
    assert own_title(ada) != own_title(Person("main", "Main", "owner"))
