"""The address of a feed. Everybody who has it can read the calendar, so only its host is ever shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PlainSerializer
from yarl import URL

from placed_icalendar.feeds.addresses import host_of, origin_of

_EXPECTED = "expected an address such as https://host/path or webcal://host/path"


@dataclass(frozen=True, slots=True, repr=False)
class SecretUrl:
    """An https address.

    Attributes:
        secret: the whole address, for requests only.
    """

    secret: str

    @classmethod
    def parse(cls, text: str) -> SecretUrl:
        """Returns the address; `webcal` and `webcals` mean https.

        Raises:
            ValueError: it is none; the message repeats nothing of it.
        """
        text = text.strip()
        scheme, separator, rest = text.partition("://")
        if separator and scheme.lower() in ("webcal", "webcals"):
            text = f"https://{rest}"
        if scheme.lower() == "http":
            raise ValueError("expected https: over http everybody on the way can read the address")
        try:
            parts = urlsplit(text)
            sound = parts.scheme.lower() == "https" and bool(parts.hostname) and parts.port != 0
            URL(text, encoded=True)  # is stricter than urlsplit
        except ValueError:  # its text may contain the address
            sound = False
        if not sound or not text.isprintable() or any(character.isspace() for character in text):
            raise ValueError(_EXPECTED)
        if parts.username is not None or parts.password is not None:
            raise ValueError("expected no login in the address: use username and password_file")
        return cls(_sendable(text.partition("#")[0]))

    @property
    def host(self) -> str:
        """Its host, with the port if it is not 443."""
        return host_of(self.secret)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return origin_of(self.secret)

    @property
    def digest(self) -> str:
        """A text by which addresses differ, and which does not lead back to one."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def __repr__(self) -> str:
        return f"<address at {self.host}>"

    __str__ = __repr__


def _sendable(text: str) -> str:
    """The address in ASCII; one that is in ASCII already stays as it is to the letter."""
    if text.isascii():
        return text
    try:
        return str(URL(text))
    except ValueError:
        raise ValueError(_EXPECTED) from None


def _parsed(value: object) -> object:
    if isinstance(value, SecretUrl):
        return value
    if not isinstance(value, str):
        raise ValueError(_EXPECTED)  # noqa: TRY004 - pydantic reports a ValueError
    return SecretUrl.parse(value)


SecretUrlSetting = Annotated[
    SecretUrl, BeforeValidator(_parsed), PlainSerializer(lambda url: url.digest, return_type=str)
]
