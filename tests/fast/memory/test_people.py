"""Who uses a home folder, and that nothing of one is another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import UnknownNameError, UsageError
from assistant.memory.people import OWNER_ID, People, Person
from assistant.pipeline import Assistant
from tests.fast.assistant.helpers import hashed_workspace


@pytest.fixture
def people(tmp_path: Path) -> People:
    return People(tmp_path)


def test_the_first_person_is_at_home(tmp_path: Path, people: People) -> None:
    (owner,) = people.profiles()
    assert (owner.id, people.folder(owner)) == (OWNER_ID, tmp_path)
    assert list(tmp_path.iterdir()) == []  # nothing is made before it is needed


def test_profiles_are_added_renamed_and_removed(tmp_path: Path, people: People) -> None:
    ben, anna = people.add(" Ben "), people.add("anna")
    assert [p.name for p in people.profiles()] == ["Main", "anna", "Ben"]
    assert people.named("ANNA") == people.get(anna.id) == anna
    assert people.rename(anna, "Zoe").id == anna.id
    assert (
        people.rename(people.owner, "Carla") == people.owner == Person(OWNER_ID, "Carla", "owner")
    )
    assert [p.name for p in People(tmp_path).profiles()] == ["Carla", "Ben", "Zoe"]
    people.remove(ben)
    assert people.get(ben.id) is None and not people.folder(ben).exists()
    with pytest.raises(UsageError, match="cannot be removed"):
        people.remove(people.owner)
    with pytest.raises(UnknownNameError):
        people.named("Ben")


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "main", "MAIN", "Anna", " anna"])
def test_a_name_is_checked(people: People, name: str) -> None:
    people.add("Anna")
    before = people.everyone()
    with pytest.raises(UsageError):
        people.add(name)
    assert people.everyone() == before


@pytest.mark.parametrize("identity", ["", ".", "..", "../..", "x" * 12, "a" * 11, "/etc", "s" * 33])
def test_an_id_from_outside_is_no_path(tmp_path: Path, people: People, identity: str) -> None:
    (tmp_path / "people" / "other").mkdir(parents=True)
    assert people.get(identity) is None


def test_a_damaged_name_hides_no_conversations(people: People) -> None:
    anna = people.add("Anna")
    (people.folder(anna) / "person.json").write_text("{", encoding="utf-8")
    assert people.get(anna.id) == Person(anna.id, anna.id, "profile")


def test_who_signed_in_is_known_again(people: People) -> None:
    anna = people.signed_in("https://issuer\n1", "Anna")
    assert people.signed_in("https://issuer\n1", "Anna Smith").id == anna.id
    assert people.signed_in("https://issuer\n2", "Anna").id != anna.id
    assert anna.kind == "signed in"
    assert [p.id for p in people.profiles()] == [OWNER_ID]  # none to be chosen without signing in
    assert len(people.everyone()) == 3
    with pytest.raises(UsageError):
        people.signed_in(" ", "Anna")
    with pytest.raises(UsageError):
        people.rename(anna, "Ben")


def test_two_people_share_indexes_and_models_and_nothing_else(tmp_path: Path) -> None:
    home = hashed_workspace(tmp_path, {"otters.md": "Sea otters sleep in kelp."})
    people = People(tmp_path)
    anna, ben = (home.for_person(people.folder(people.add(name))) for name in ("Anna", "Ben"))
    assert anna.index("notes") is ben.index("notes") is home.index("notes")
    for shared in ("models", "encoders", "parser", "loaded", "_graphs", "refinement"):
        assert getattr(anna, shared) is getattr(ben, shared) is getattr(home, shared), shared
    turns = {}
    for workspace, words in ((home, "home"), (anna, "anna"), (ben, "ben")):
        workspace.person.add(f"I am {words}.")
        events = list(Assistant(workspace).ask(f"Where do sea otters sleep, {words}?"))
        turns[words] = events[0].turn_id  # type: ignore[union-attr]
    for workspace, words in ((home, "home"), (anna, "anna"), (ben, "ben")):
        (conversation,) = workspace.conversations.list()
        assert words in conversation.title
        assert [s.text for s in workspace.person.statements()] == [f"I am {words}."]
        for other, turn in turns.items():
            if other == words:
                assert workspace.conversations.turn(turn)
            else:
                with pytest.raises(UnknownNameError):
                    workspace.conversations.turn(turn)
                assert workspace.conversations.search(other) == []
