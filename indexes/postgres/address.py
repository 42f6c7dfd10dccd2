"""Where a PostgreSQL server is. A password given with an address is used, never kept or shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from indexes.errors import UsageError

SCHEMES = ("postgres", "postgresql")
_SECRETS = ("password", "sslpassword")


@dataclass(frozen=True, slots=True)
class Address:
    """An address without its secrets; what may be written into files and messages.

    Attributes:
        text: `postgresql://USER@HOST:PORT/DATABASE?…` without a password.
    """

    text: str
    _secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that a person wrote.

        Raises:
            UsageError: it is none; the message does not repeat it, for it may hold a password.
        """
        remedy = "write it as postgresql://USER@HOST:PORT/DATABASE"
        try:
            parts = urlsplit(text.strip())
            host_port = (parts.hostname, parts.port)
        except ValueError as error:
            raise UsageError("the address of the server is not valid", remedy=remedy) from error
        options = parse_qsl(parts.query, keep_blank_values=True)
        named = {name for name, _ in options}
        if parts.scheme not in SCHEMES or not (host_port[0] or "host" in named or parts.path):
            raise UsageError("this is not the address of a PostgreSQL server", remedy=remedy)
        account, at, place = parts.netloc.rpartition("@")
        user, _, password = account.partition(":")
        secrets = [(name, value) for name, value in options if name in _SECRETS and value]
        if password:
            secrets.append(("password", unquote(password)))
        kept = urlencode([item for item in options if item[0] not in _SECRETS], safe="/,:")
        shown = urlunsplit(("postgresql", f"{user}{at}{place}", parts.path, kept, ""))
        return cls(shown, tuple(secrets))

    @property
    def secrets(self) -> dict[str, str]:
        """What is handed to the connection and nowhere else."""
        return dict(self._secrets)

    def scrubbed(self, message: str) -> str:
        """A message of the server or the library without the secrets it may repeat."""
        for _, value in self._secrets:
            message = message.replace(value, "***")
        return message

    def __str__(self) -> str:
        return self.text


def is_address(text: str) -> bool:
    """Whether a text names a server rather than a folder."""
    return text.partition("://")[0] in SCHEMES
