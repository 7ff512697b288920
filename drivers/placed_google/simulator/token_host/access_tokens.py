"""Access tokens: opaque texts, which only the services can read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LIFETIME = timedelta(seconds=3599)


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a token is good for."""

    email: str
    subject: str | None
    scopes: frozenset[str]
    expires: datetime


class AccessTokens:
    """The tokens that were issued; `lifetime` is that of the next ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.lifetime = LIFETIME
        self._now = now
        self._grants: dict[str, TokenGrant] = {}
        self._issued = 0

    def issue(
        self,
        email: str,
        scopes: Iterable[str],
        subject: str | None = None,
        *,
        expires: datetime | None = None,
    ) -> str:
        """A new token for a service account, or for the user that it acts as."""
        self._issued += 1
        unique = hashlib.sha256(f"{email}:{subject}:{self._issued}:{self._now()}".encode()).hexdigest()
        token = f"ya29.c.{unique}"
        end = expires if expires is not None else self._now() + self.lifetime
        self._grants[token] = TokenGrant(email, subject, frozenset(scopes), end)
        return token

    def read(self, token: str) -> TokenGrant | None:
        """What the token is good for; None if it was never issued, has expired or was withdrawn."""
        grant = self._grants.get(token)
        return grant if grant is not None and self._now() < grant.expires else None

    def withdraw(self, email: str | None = None) -> None:
        """The tokens of an account, or all, are refused from now on."""
        self._grants = {
            token: grant
            for token, grant in self._grants.items()
            if email is not None and grant.email != email
        }
