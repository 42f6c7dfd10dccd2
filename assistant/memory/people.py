"""Who uses this home folder: each person with conversations and statements of their own.

The first person's are in the home folder itself, as they were when there was only one; everybody
else has a folder below `people/`. Indexes, weights and settings are shared by all.

A profile of this computer has a name and no password: it keeps apart, it does not protect. A
person who signed in is known by what the identity provider says of them.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.errors import UnknownNameError, UsageError
from indexes.files import storage_errors, write_atomically

MAX_NAME = 40
MAX_PROFILES = 50
OWNER_ID = "main"
_OWNER_NAME = "Main"
_ID = re.compile(r"[0-9a-f]{12}|s[0-9a-f]{32}")
_FILE = "person.json"

Kind = Literal["owner", "profile", "signed in"]


@dataclass(frozen=True, slots=True)
class Person:
    """One of those who use the home folder."""

    id: str
    name: str
    kind: Kind


class People:
    """The people of one home folder. Safe to share between threads and processes.

    Raises:
        StorageError: a file cannot be read or written; so do all methods.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._folder = home / "people"

    def everyone(self) -> list[Person]:
        """The first person, then the others by name."""
        others = sorted(self._others(), key=lambda person: (person.name.casefold(), person.id))
        return [self.owner, *others]

    def profiles(self) -> list[Person]:
        """Those who can be chosen, that is, who did not sign in."""
        return [person for person in self.everyone() if person.kind != "signed in"]

    @property
    def owner(self) -> Person:
        """The first person, whose things are in the home folder itself."""
        return Person(OWNER_ID, self._name(self._folder / "owner.json") or _OWNER_NAME, "owner")

    def get(self, identity: str) -> Person | None:
        """The person with this id; None where there is none."""
        if identity == OWNER_ID:
            return self.owner
        return self._read(identity) if _ID.fullmatch(identity) else None

    def named(self, name: str) -> Person:
        """The person with this name or id.

        Raises:
            UnknownNameError: there is none.
        """
        everyone = self.everyone()
        for person in everyone:
            if name == person.id or _same(name, person.name):
                return person
        raise UnknownNameError("person", name, [person.name for person in everyone])

    def folder(self, person: Person) -> Path:
        """Where the person's conversations and statements are."""
        return self._home if person.id == OWNER_ID else self._folder / person.id

    def add(self, name: str) -> Person:
        """A new profile of this computer.

        Raises:
            UsageError: the name is empty, too long or taken, or there are too many.
        """
        line = self._free(name, but="")
        if len(self.profiles()) >= MAX_PROFILES:
            raise UsageError(f"there are {MAX_PROFILES} profiles already", remedy="remove one")
        return self._write(Person(uuid.uuid4().hex[:12], line, "profile"))

    def rename(self, person: Person, name: str) -> Person:
        """Give a profile another name.

        Raises:
            UsageError: the name is empty, too long or taken, or comes from who signed in.
        """
        if person.kind == "signed in":
            raise UsageError("this name comes with signing in", remedy="change it there")
        return self._write(Person(person.id, self._free(name, but=person.id), person.kind))

    def remove(self, person: Person) -> None:
        """Remove a person with all their conversations and statements, for good.

        Raises:
            UsageError: it is the first person, whose things are in the home folder itself.
        """
        if person.id == OWNER_ID:
            raise UsageError(
                "the first profile cannot be removed",
                remedy="delete its conversations, and forget its statements",
            )
        with storage_errors(self._folder):
            if self.folder(person).is_dir():
                shutil.rmtree(self.folder(person))

    def signed_in(self, subject: str, name: str) -> Person:
        """The person whom an identity provider knows as `subject`; made at the first time.

        Raises:
            UsageError: the provider said nothing to know them by.
        """
        if not subject.strip():
            raise UsageError(
                "the sign-in did not say who this is", remedy="the provider has to give `sub`"
            )
        identity = "s" + hashlib.sha256(subject.encode()).hexdigest()[:32]
        person = Person(identity, " ".join(name.split())[:MAX_NAME] or "Signed in", "signed in")
        return person if self._read(identity) == person else self._write(person)

    def _free(self, name: str, but: str) -> str:
        line = " ".join(name.split())
        if not line:
            raise UsageError("the name is empty", remedy="write a name")
        if len(line) > MAX_NAME:
            raise UsageError(
                f"the name has {len(line):,} characters, at most {MAX_NAME} are kept",
                remedy="write a shorter one",
            )
        taken = [person for person in self.profiles() if person.id != but]
        if line == OWNER_ID or any(_same(line, person.name) for person in taken):
            raise UsageError(f"there is a profile '{line}' already", remedy="use another name")
        return line

    def _others(self) -> list[Person]:
        with storage_errors(self._folder):
            names = [f.name for f in self._folder.iterdir()] if self._folder.is_dir() else []
        found = [self._read(name) for name in names if _ID.fullmatch(name)]
        return [person for person in found if person is not None]

    def _read(self, identity: str) -> Person | None:
        folder = self._folder / identity
        if not folder.is_dir():
            return None
        # A damaged name hides no conversations.
        name = self._name(folder / _FILE) or identity
        return Person(identity, name, "signed in" if identity.startswith("s") else "profile")

    def _name(self, file: Path) -> str:
        try:
            name = json.loads(file.read_text(encoding="utf-8"))["name"]
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        return " ".join(name.split())[:MAX_NAME] if isinstance(name, str) else ""

    def _write(self, person: Person) -> Person:
        file = self._folder / ("owner.json" if person.id == OWNER_ID else f"{person.id}/{_FILE}")
        with storage_errors(self._folder):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, json.dumps({"name": person.name}, ensure_ascii=False).encode())
        return person


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == other.casefold()
