"""Who is at the page: profiles of this computer, signing in, and that nobody sees another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from assistant.memory.people import People
from assistant.workspace import Workspace
from tests.fast.app.pages import MAIN, VIEWS, captions, click, labels, markdown, page

AUTH = {"redirect_uri": "http://localhost/oauth2callback", "cookie_secret": "x", "client_id": "y"}
VIEW_NAMES = ["chat", "library", "retrieval", "graph", "person", "models", "settings"]


def told(workspace: Workspace, question: str) -> str:
    conversation = workspace.conversations.start()
    turn = f"{conversation[:8]}-1"
    workspace.conversations.begin_turn(conversation, turn, question)
    workspace.conversations.end_turn(turn, "done", "yes", [])
    return conversation


def chat(**query: str) -> AppTest:
    run = AppTest.from_file(str(VIEWS / "chat.py"), default_timeout=60)
    for name, value in query.items():
        run.query_params[name] = value
    run.run()
    assert not run.exception
    return run


@pytest.fixture
def anna(notes: Workspace) -> Workspace:
    """A second person of the home `notes`."""
    people = People(notes.settings.home)
    return notes.for_person(people.folder(people.add("Anna <b>")))


def identity(workspace: Workspace) -> str:
    return next(p.id for p in People(workspace.settings.home).profiles() if p.id != "main")


def test_alone_nobody_is_asked_who_they_are(notes: Workspace) -> None:
    run = chat()
    assert "Switch" not in labels(run) and "person" not in run.query_params


def test_with_several_profiles_it_is_asked(notes: Workspace, anna: Workspace) -> None:
    told(notes, "Secret of main?")
    for name in VIEW_NAMES:
        run = page(name)
        assert [h.value for h in run.header] == ["Who is asking?"], name
        assert labels(run) == ["Main", r"Anna \<b\>"]
    assert "no password" in captions(run)
    run = chat()
    click(run, f"person-{identity(anna)}")
    assert run.header[0].value == "Ask your documents"
    assert run.query_params["person"] == identity(anna)
    assert not [b for b in run.button if str(b.key).startswith("open-")]
    click(run, "switch-person")
    assert run.header[0].value == "Who is asking?"
    click(run, "person-main")
    assert [b.label for b in run.button if str(b.key).startswith("open-")] == [r"Secret of main\?"]


def test_a_conversation_of_another_is_not_shown_by_its_address(
    notes: Workspace, anna: Workspace
) -> None:
    own, other = told(anna, "Secret of Anna?"), told(notes, "Secret of main?")
    for person, mine, foreign in ((identity(anna), own, other), ("main", other, own)):
        run = chat(person=person, conversation=foreign)
        assert "does not exist any more" in run.warning[0].value
        assert not run.chat_message
        assert "Secret" in chat(person=person, conversation=mine).chat_message[0].markdown[0].value


def test_statements_are_a_persons_own(notes: Workspace, anna: Workspace) -> None:
    notes.person.add("I live in Lyon.")
    run = AppTest.from_file(str(VIEWS / "person.py"), default_timeout=60)
    run.query_params["person"] = identity(anna)
    run.run()
    assert "Lyon" not in markdown(run)
    run.text_input(key="statement").set_value("I live in Rome.")
    click(run, "Remember")
    assert [s.text for s in anna.person.statements()] == ["I live in Rome."]
    assert [s.text for s in notes.person.statements()] == ["I live in Lyon."]


def test_an_unknown_profile_in_the_address_is_nobody(notes: Workspace, anna: Workspace) -> None:
    assert chat(person="../..").header[0].value == "Who is asking?"


def test_profiles_are_added_and_removed_on_the_page(notes: Workspace) -> None:
    people = People(notes.settings.home)
    run = page("person")
    run.text_input(key="new-profile").set_value("Ben")
    click(run, "Add profile")
    assert [p.name for p in people.profiles()] == ["Main", "Ben"]
    assert "**Ben** (this one)" in markdown(run)
    run.text_input(key="profile-name").set_value("Main")
    click(run, "Rename profile")
    assert "already" in run.error[0].value
    run.text_input(key="profile-name").set_value("Benjamin")
    click(run, "Rename profile")
    assert [p.name for p in people.profiles()] == ["Main", "Benjamin"]
    click(run, "remove-profile")
    assert [p.name for p in people.profiles()] == ["Main"]
    assert run.header[0].value == "About you"
    assert "Remove this profile" not in labels(run)


@pytest.mark.parametrize("name", ["main", *VIEW_NAMES])
def test_an_unsigned_visitor_sees_only_the_button(notes: Workspace, name: str) -> None:
    told(notes, "Secret of main?")
    file = MAIN if name == "main" else VIEWS / f"{name}.py"
    run = AppTest.from_file(str(file), default_timeout=60)
    run.secrets["auth"] = AUTH
    run.user = {"is_logged_in": False}
    run.query_params["person"] = "main"
    run.run()
    assert not run.exception
    assert labels(run) == ["Sign in"]
    assert [h.value for h in run.header] == ["Knowledge Assistant"]
    assert not (run.sidebar.button or run.chat_input or run.text_input or run.selectbox)


def test_each_who_signed_in_has_conversations_of_their_own(notes: Workspace) -> None:
    other = told(notes, "Secret of main?")

    def signed_in(subject: str, **query: str) -> AppTest:
        run = AppTest.from_file(str(VIEWS / "chat.py"), default_timeout=60)
        run.secrets["auth"] = AUTH
        run.user = {"is_logged_in": True, "iss": "i", "sub": subject, "name": "Zoe <b>"}
        for name, value in query.items():
            run.query_params[name] = value
        run.run()
        assert not run.exception
        return run

    run = signed_in("1")
    assert r"Zoe \<b\>" in markdown(run) and "Sign out" in labels(run)
    run.chat_input[0].set_value("Where do sea otters sleep?").run()
    mine = str(run.query_params["conversation"])
    assert not notes.conversations.exists(mine)
    assert signed_in("1", conversation=mine).chat_message
    for subject, address in (("2", mine), ("1", other), ("2", other)):
        assert "does not exist" in signed_in(subject, conversation=address).warning[0].value
    run = signed_in("1", person="main")
    assert "Secret" not in markdown(run)


def test_several_providers_have_a_button_each(empty_home: Path) -> None:
    run = AppTest.from_file(str(MAIN), default_timeout=60)
    run.secrets["auth"] = {"cookie_secret": "x", "google": AUTH, "work": AUTH}
    run.user = {"is_logged_in": False}
    run.run()
    assert labels(run) == ["Sign in with google", "Sign in with work"]
