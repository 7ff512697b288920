"""Tries whether the key can act as a user: with the scopes in use, never a wider one, and once a day.

A token that the trial is given is discarded unused. The administrator sees the trial in the audit log.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import Unavailable
from placed_google.auth.key_sign_in import token_in
from placed_google.auth.token_errors import described_error, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed_google.auth.key_sign_in import KeySignIn

EVERY = 86_400.0  # seconds
_REFUSED = "unauthorized_client"


class ImpersonationTrial:
    """The trial, and its last result.

    Args:
        sign_in: of the key; None without a key, since then there is nothing to try.
        scopes: returns the scopes in use.
        steady: seconds of a monotonic clock.
    """

    def __init__(
        self,
        sign_in: KeySignIn | None,
        scopes: Callable[[], Sequence[str]],
        steady: Callable[[], float],
    ) -> None:
        self._sign_in = sign_in
        self._scopes = scopes
        self._steady = steady
        self._result: bool | None = None
        self._tried_at: float | None = None

    def requests_for(self, users: Sequence[str]) -> int:
        """Returns how many requests `result` sends now, at most."""
        return len(self._scopes()) if self._is_due(users) else 0

    async def result(self, users: Sequence[str]) -> bool | None:
        """Returns whether the service account can act as the first of these users; None if that is unknown.

        Raises:
            DriverError: the token host does not answer.
        """
        if self._sign_in is None or not users:
            return None
        moment = self._steady()
        if self._is_due(users):
            self._result = await can_impersonate(self._sign_in, users[0], self._scopes())
            self._tried_at = moment
        return self._result

    def _is_due(self, users: Sequence[str]) -> bool:
        if self._sign_in is None or not users:
            return False
        return self._tried_at is None or not 0 <= self._steady() - self._tried_at < EVERY


async def can_impersonate(sign_in: KeySignIn, user: str, scopes: Sequence[str]) -> bool | None:
    """Returns whether the token host gives a token for acting as the user, with one of the scopes.

    None if it refuses for another reason than that the account is not authorized.

    Raises:
        Unavailable: the token host does not answer the question.
    """
    for scope in scopes:
        response = await sign_in.ask(scope, subject=user)
        if response.status == HTTPStatus.OK:
            token_in(response)  # or else it is a gateway's page
            return True
        row = row_of(described_error(response.body))
        if row is None:
            raise Unavailable(f"the trial of impersonation failed: status {response.status}")
        if row.error != _REFUSED:
            return None
    return False
